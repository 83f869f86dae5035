// The page: what is shown in which state, and what the buttons do.

import { Call } from "./call.js";
import { Panel } from "./panel.js";
import { Transcript } from "./transcript.js";

const $ = (id) => document.getElementById(id);
const transcript = new Transcript($("transcript"));
const panel = new Panel({ node: $("node"), route: $("route"), known: $("known"), timing: $("timing"), troubles: $("troubles"), section: $("troubles-section") });

const STATES = {
  ready: "Ready",
  connecting: "Connecting…",
  ringing: "Ringing…",
  talking: "Talking",
  reconnecting: "The connection is lost. Reconnecting…",
  ended: "Ended",
};
const ENDED_BY = {
  agent: "the agent ended the call",
  caller: "you hung up",
  transfer: "you were handed over",
  limit: "a limit was reached",
  error: "something went wrong",
  not_connected: "no connection came about",
  operator: "the call was ended from outside",
  lost: "the connection was lost",
};

let agents = [];
let servers = [];
let agent = null;
let call = null;
let began = 0;
let typed = new Map();

function show(state, detail = "") {
  document.body.dataset.state = state;
  $("state").textContent = detail ? `${STATES[state]}: ${detail}` : STATES[state];
  const live = state === "talking" || state === "reconnecting";
  const idle = state === "ready" || state === "ended";
  $("call").hidden = !idle;
  $("call").textContent = state === "ended" ? "Call again" : "Call";
  $("hangup").hidden = idle;
  $("hangup").textContent = live ? "Hang up" : "Cancel";
  $("mute").hidden = !live || !call?.hasMicrophone;
  $("keys").hidden = !live;
  $("say").disabled = $("send").disabled = !live;
  $("agent").disabled = !idle;
  $("given").hidden = !idle || !agent?.inputs.length;
  // After a call, what was said is of interest.
  if (!live && !idle) $("given").open = false;
  if (!live) pad(false);
  $("say").placeholder = live && !call?.hasMicrophone ? "Type what you say" : "Type instead of speaking";
}

function problem(text) {
  $("problem").textContent = text;
  $("problem").hidden = !text;
}

function notice(text) {
  const item = document.createElement("li");
  // What is typed in a terminal stands between backticks.
  const parts = text.split("`");
  item.append(...parts.map((part, index) => {
    if (index % 2 === 0) return part;
    const code = document.createElement("code");
    code.textContent = part;
    return code;
  }));
  $("notices").append(item);
}

function choose(id) {
  agent = agents.find((one) => one.id === id) ?? agents[0];
  if (!agent) return;
  const { llm, stt, tts } = agent.uses;
  document.title = `Call ${agent.id}`;
  $("name").textContent = agent.id;
  $("name").hidden = agents.length > 1;
  $("uses").textContent = [llm, stt ? `hears with ${stt}` : "you type", tts ? `speaks with ${tts}` : "words are shown"].join(" · ");
  $("notices").replaceChildren();
  agent.uses.notices.forEach(notice);
  form();
  show(document.body.dataset.state);
}

// What an agent wants to know before the call, kept per agent.
function form() {
  const known = typed.get(agent.id) ?? {};
  const fields = agent.inputs.map((input) => {
    const label = document.createElement("label");
    const name = document.createElement("span");
    name.textContent = (input.about ?? input.name) + (input.required ? "" : " (optional)");
    const field = document.createElement("input");
    field.name = input.name;
    field.required = input.required;
    field.value = known[input.name] ?? "";
    field.dataset.testid = `input-${input.name}`;
    label.append(name, field);
    return label;
  });
  $("inputs").replaceChildren(...fields);
  // Where the profile has all of it, nothing needs to be told.
  if (document.body.dataset.state === "ready") $("given").open = agent.inputs.some((input) => input.required);
}

function inputs() {
  const given = {};
  for (const field of $("inputs").querySelectorAll("input")) {
    if (field.value.trim()) given[field.name] = field.value.trim();
  }
  typed.set(agent.id, given);
  return given;
}

async function load() {
  const answer = await fetch("/api/agents", { cache: "no-store" });
  if (!answer.ok) throw new Error((await answer.json()).message);
  const body = await answer.json();
  ({ agents, ice_servers: servers } = body);
  const list = agents.map((one) => new Option(one.id, one.id));
  $("agent").replaceChildren(...list);
  $("chooser").hidden = agents.length < 2;
  const wanted = decodeURIComponent(location.hash.slice(1));
  choose(agents.some((one) => one.id === (agent?.id ?? wanted)) ? (agent?.id ?? wanted) : agents[0]?.id);
  $("agent").value = agent?.id ?? "";
  for (const file of body.broken) notice(`${file} has errors now. What it was before is served; dgh check shows them.`);
}

async function begin() {
  if (!$("inputs").checkValidity()) {
    $("given").open = true;
    $("inputs").reportValidity();
    return;
  }
  problem("");
  transcript.clear();
  panel.clear();
  $("clock").textContent = "";
  show("connecting");
  const given = inputs();
  try {
    // Files may have been saved since the page was opened.
    await load();
  } catch {
    // The call says what is wrong.
  }
  call = new Call({ agent: agent.id, inputs: given, servers, speaks: agent.uses.stt !== null, sound: $("sound"), on: happened });
  await call.start();
}

function happened(event) {
  switch (event.type) {
    case "state":
      if (event.state === "talking") {
        began ||= Date.now();
        show("talking");
        // On a phone the keyboard would cover the call.
        if (matchMedia("(pointer: fine)").matches) $("say").focus({ preventScroll: true });
      } else if (event.state !== "connecting" || document.body.dataset.state !== "ringing") {
        show(event.state);
      }
      break;
    case "problem":
      problem(event.text);
      break;
    case "microphone":
      problem(event.text);
      $("voice-caller").classList.add("off");
      break;
    case "speaking":
      $("voice-caller").classList.toggle("speaking", event.who === "caller");
      break;
    case "ended":
      began = 0;
      transcript.end();
      call = null;
      for (const voice of ["voice-agent", "voice-caller"]) $(voice).classList.remove("speaking", "off");
      show("ended", why(event));
      if (event.why) problem(event.why);
      $("call").focus({ preventScroll: true });
      break;
    default:
      transcript.event(event);
      $("voice-agent").classList.toggle("speaking", transcript.agentSpeaks);
      if (event.type === "record" && event.record.what === "caller") $("voice-caller").classList.remove("speaking");
      // That nothing recognises speech here was said before the call.
      if (event.type !== "trouble" || event.part !== "stt" || agent.uses.stt) panel.event(event);
  }
}

function why({ ended_by: by, outcome }) {
  const who = ENDED_BY[by] ?? by ?? "";
  return outcome ? `${who} (${outcome})` : who;
}

function pad(open) {
  $("pad").hidden = !open;
  $("keys").setAttribute("aria-expanded", String(open));
}

for (const key of "123456789*0#") {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = key;
  button.dataset.testid = `key-${{ "*": "star", "#": "pound" }[key] ?? key}`;
  button.addEventListener("click", () => call?.key(key));
  $("pad").append(button);
}

$("call").addEventListener("click", begin);
$("inputs").addEventListener("submit", (event) => {
  event.preventDefault();
  begin();
});
$("hangup").addEventListener("click", () => call?.hangup());
$("keys").addEventListener("click", () => pad($("pad").hidden));
$("mute").addEventListener("click", () => {
  const muted = !(call?.muted ?? true);
  call?.mute(muted);
  $("mute").setAttribute("aria-pressed", String(muted));
  $("mute").textContent = muted ? "Unmute" : "Mute";
  $("voice-caller").classList.toggle("off", muted);
});
$("agent").addEventListener("change", () => {
  location.hash = encodeURIComponent($("agent").value);
  choose($("agent").value);
});
$("typing").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("say").value.trim();
  if (text && call?.type(text)) $("say").value = "";
});
// Digits are keys while the pad is open and nothing is typed.
document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLInputElement;
  if (!typing && !$("pad").hidden && /^[0-9*#]$/.test(event.key)) call?.key(event.key);
});
addEventListener("pagehide", () => call?.hangup());

setInterval(() => {
  if (!began) return;
  const seconds = Math.floor((Date.now() - began) / 1000);
  $("clock").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}, 500);

function levels() {
  for (const side of ["agent", "caller"]) {
    const level = call?.level(side) ?? 0;
    $(`voice-${side}`).firstElementChild.style.setProperty("--level", level.toFixed(3));
  }
  requestAnimationFrame(levels);
}
levels();

show("ready");
load().then(
  () => {
    if (!agents.length) problem("No agent is served. The terminal says why.");
  },
  (error) => problem(`The agents cannot be listed: ${error.message}`),
);
