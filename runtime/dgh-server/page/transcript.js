// What both sides say. Words of the agent appear as they sound; what was talked over is shown cut.

// Characters that are spoken in a second, until the sound itself says that it is over.
const SPEED = 16;
// So many pixels from its end a list counts as read to the end.
const NEAR = 48;
// A list that moves so soon after it was touched is moved by a hand.
const TOUCH_MS = 2000;

export class Transcript {
  #list;
  #partial = null;
  #speech = new Map();
  // Whether its end is seen: who scrolls back reads on undisturbed.
  #follows = true;

  constructor(list) {
    this.#list = list;
    let touched = -Infinity;
    for (const touch of ["wheel", "touchmove", "pointerdown", "keydown"]) {
      list.addEventListener(touch, () => (touched = performance.now()), { passive: true });
    }
    list.addEventListener("scroll", () => {
      const near = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR;
      // A window that is turned or resized scrolls as well.
      if (near || performance.now() - touched < TOUCH_MS) this.#follows = near;
    });
    // A keyboard or the keypad takes room.
    new ResizeObserver(() => this.#scroll()).observe(list);
  }

  // Whether words sound whose record has not come.
  get agentSpeaks() {
    return this.#speech.size > 0;
  }

  clear() {
    this.end();
    this.#list.replaceChildren();
    this.#follows = true;
  }

  end() {
    for (const line of this.#speech.values()) line.finish();
    this.#speech.clear();
    this.#partial?.remove();
    this.#partial = null;
  }

  event(event) {
    switch (event.type) {
      case "partial":
        this.#partial ??= this.#add("caller partial");
        this.#partial.textContent = event.text;
        this.#scroll();
        break;
      case "late":
        this.#caller(event.text);
        break;
      case "speech":
        this.#speech.set(event.utterance, new Spoken(this.#add("agent"), event.text, () => this.#scroll()));
        break;
      case "cut":
        if (event.heard === 0) this.#drop(event.utterance);
        break;
      case "record":
        this.#record(event.record);
        break;
    }
  }

  #record(record) {
    switch (record.what) {
      case "caller":
        this.#caller(record.text);
        break;
      case "agent":
        this.#agent(record);
        break;
      case "keys":
        this.#add("caller").textContent = `⌨ ${record.keys}`;
        this.#scroll();
        break;
      case "tool":
        this.#fact(`asks ${record.tool}`);
        break;
      case "raised":
        this.#fact(record.event);
        break;
    }
  }

  #caller(text) {
    const line = this.#partial ?? this.#add("caller");
    this.#partial = null;
    line.className = "caller";
    line.dataset.testid = "line-caller";
    line.textContent = text || "(not understood)";
    this.#scroll();
  }

  // The record of what sounds longest: words are recorded in the order in which they sound.
  #agent(record) {
    const [utterance] = this.#speech.keys();
    const line = this.#speech.get(utterance) ?? new Spoken(this.#add("agent"), record.text);
    this.#speech.delete(utterance);
    line.finish(record.text, record.cut);
    this.#scroll();
  }

  #drop(utterance) {
    this.#speech.get(utterance)?.remove();
    this.#speech.delete(utterance);
  }

  #fact(text) {
    this.#add("fact").textContent = text;
    this.#scroll();
  }

  #add(kind) {
    const line = document.createElement("li");
    line.className = kind;
    line.dataset.testid = `line-${kind.split(" ")[0]}`;
    // What the caller is saying now stays at the end.
    if (this.#partial && kind !== "caller partial") this.#partial.before(line);
    else this.#list.append(line);
    this.#scroll();
    return line;
  }

  #scroll() {
    if (this.#follows) this.#list.scrollTop = this.#list.scrollHeight;
  }
}

// A line that appears word by word.
class Spoken {
  #line;
  #text;
  #began = performance.now();
  #timer;

  constructor(line, text, shown = () => {}) {
    this.#line = line;
    this.#text = text;
    this.#timer = setInterval(() => {
      this.#reveal();
      shown();
    }, 80);
    this.#reveal();
  }

  finish(text = this.#text, cut = false) {
    clearInterval(this.#timer);
    this.#line.textContent = text;
    this.#line.classList.toggle("cut", cut);
  }

  remove() {
    clearInterval(this.#timer);
    this.#line.remove();
  }

  #reveal() {
    const due = ((performance.now() - this.#began) / 1000) * SPEED + 8;
    const space = this.#text.indexOf(" ", due);
    const heard = space < 0 && due >= this.#text.length * 0.9 ? this.#text.length : space < 0 ? this.#text.lastIndexOf(" ") : space;
    const end = Math.max(heard, 0) || this.#text.length;
    const todo = document.createElement("span");
    todo.className = "todo";
    todo.setAttribute("aria-hidden", "true");
    todo.textContent = this.#text.slice(end);
    this.#line.replaceChildren(this.#text.slice(0, end), todo);
    if (end >= this.#text.length) clearInterval(this.#timer);
  }
}
