// What happens inside: the node, the way to it, what is known, and how long the last answer took.

import { plain } from "./plain.js";

const ROUTES = 30;
const TROUBLES = 20;
const SHARES = [
  ["recogniser", "recogniser", "Recogniser"],
  ["endpointing", "endpointing", "Waiting for your turn to end"],
  ["model", "model", "Model, to its first sentence"],
  ["voice", "speaking-share", "Voice, to its first sound"],
  ["own", "own", "dgh itself"],
];

export class Panel {
  #at;

  constructor(at) {
    this.#at = at;
  }

  clear() {
    const { node, route, known, timing, troubles, section } = this.#at;
    node.textContent = "…";
    for (const list of [route, known, troubles]) list.replaceChildren();
    timing.replaceChildren(make("p", "quiet", "no spoken answer yet"));
    section.hidden = true;
  }

  event(event) {
    if (event.type === "record") this.#record(event.record);
    else if (event.type === "timing") this.#timing(event.timing);
    else if (event.type === "trouble") this.#trouble(event);
  }

  #record(record) {
    const { node, route } = this.#at;
    if (record.what === "entered") {
      node.textContent = record.node;
      node.dataset.dialogue = record.dialogue;
    } else if (record.what === "route") {
      const line = make("li", "", `${record.label}${record.target ? ` → ${record.target}` : ""}`);
      line.dataset.testid = "route-line";
      line.append(make("small", "", `from ${record.node}${record.why ? `: ${record.why}` : ""}`));
      route.prepend(line);
      while (route.children.length > ROUTES) route.lastElementChild.remove();
    } else if (record.what === "value") {
      this.#value(record);
    }
  }

  #value({ name, shown }) {
    const { known } = this.#at;
    const old = [...known.children].find((child) => child.dataset.name === name);
    if (old) {
      old.nextElementSibling.remove();
      old.remove();
    }
    if (shown === null) return;
    const term = make("dt", "", name);
    term.dataset.name = name;
    const said = make("dd");
    const words = plain(shown);
    if (Array.isArray(words)) {
      const list = make("ul", "entries");
      list.append(...words.map((entry) => make("li", "", entry)));
      said.append(list);
    } else {
      said.textContent = words;
    }
    known.append(term, said);
  }

  #timing(timing) {
    const total = timing.first_frame;
    if (total === null) return;
    const sum = make("p", "sum");
    sum.append(make("span", "quiet", `turn ${timing.turn}, voice to voice`), make("b", "", ms(total)));
    const bar = make("div", "bar");
    const list = make("ul", "shares");
    for (const [share, style, label] of SHARES) {
      const micros = timing[share];
      if (micros === null) continue;
      const part = make("i", style);
      part.style.flexGrow = String(Math.max(micros, 1));
      bar.append(part);
      const line = make("li", share === "own" ? "mine" : "");
      line.dataset.testid = `share-${share}`;
      line.append(make("i", style), make("span", "", label), make("span", "", ms(micros)));
      list.append(line);
    }
    this.#at.timing.replaceChildren(sum, bar, list);
  }

  #trouble({ part, message }) {
    const { troubles, section } = this.#at;
    section.hidden = false;
    troubles.prepend(make("li", "", `${part}: ${message}`));
    while (troubles.children.length > TROUBLES) troubles.lastElementChild.remove();
  }
}

function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

function ms(micros) {
  const value = micros / 1000;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
