// Drives a Chromium that calls agents, each on a page of its own, as many at once as there are cores:
// reads a plan as JSON from standard input, does the steps of each page, and prints what was seen as one
// line of JSON. What an agent says is captured from the remote track.

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { join } from "node:path";

const plan = JSON.parse(readFileSync(0, "utf8"));
const { chromium } = createRequire(join(plan.packages, "package.json"))("playwright-core");
// What does not happen in this time does not happen, however busy the machine is.
const PATIENCE = 60_000;

const browser = await chromium.launch({
  executablePath: plan.chromium,
  headless: true,
  chromiumSandbox: false,
  args: [
    "--use-fake-device-for-media-stream",
    `--use-file-for-fake-audio-capture=${plan.microphone}`,
    "--autoplay-policy=no-user-gesture-required",
    ...(plan.allowed ? ["--use-fake-ui-for-media-stream"] : []),
  ],
});
async function call({ url, heard, steps, relayed }) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && !message.text().includes("ScriptProcessorNode") && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.addInitScript(spy, { relayed, speaks: steps.some(([step]) => ["say", "answer", "interrupt"].includes(step)) });

  const seen = {};
  try {
    await page.goto(url);
    const actor = new Actor(page, seen);
    await actor.until("the page", () => actor.at("uses").innerText());
    for (const [step, ...values] of steps) {
      seen.step = [step, ...values].join(" ");
      await actor[step](...values);
    }
    delete seen.step;
  } catch (error) {
    seen.failed = `${seen.step}: ${error.message}`;
    await page.screenshot({ path: join(plan.screens, "failed.png") }).catch(() => {});
    await page.getByTestId("hangup").click({ timeout: 1000 }).catch(() => {});
  }
  const lines = await page.locator("#transcript li").evaluateAll((all) =>
    all.map((line) => ({ who: line.dataset.testid.replace("line-", ""), text: line.textContent, cut: line.classList.contains("cut") })),
  );
  const sound = await page.evaluate(() => window.heard.map((piece) => Array.from(piece, (sample) => Math.round(Math.max(-1, Math.min(1, sample)) * 32767))));
  writeFileSync(heard, Buffer.from(new Int16Array(sound.flat()).buffer));
  for (const id of ["state", "node", "timing", "known", "problem", "troubles", "page"]) {
    seen[id] = id === "page" ? await page.evaluate(() => document.body.dataset.call ?? null) : await page.getByTestId(id).innerText();
  }
  await context.close();
  return { ...seen, lines, complaints };
}

// Runs in the page, before its own scripts.
function spy({ relayed, speaks }) {
  window.heard = [];
  window.connections = [];
  const Connection = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Connection {
    constructor(options) {
      super(relayed ? { ...options, iceTransportPolicy: "relay" } : options);
      window.connections.push(this);
      this.addEventListener("track", ({ track }) => {
        const context = new AudioContext({ sampleRate: 16000 });
        // No worklet: the page's policy takes modules from its server alone. As much at a time as there
        // may be, because what comes while the page is busy is lost.
        const ear = context.createScriptProcessor(16384, 1, 1);
        ear.onaudioprocess = ({ inputBuffer }) => window.heard.push(inputBuffer.getChannelData(0).slice());
        context.createMediaStreamSource(new MediaStream([track])).connect(ear).connect(context.destination);
      });
    }
  };
  if (!speaks) return;
  // Words that are said when it is time for them are mixed to what the microphone brings.
  const devices = navigator.mediaDevices;
  const open = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wanted) => {
    const microphone = await open(wanted);
    const context = new AudioContext();
    const mixed = context.createMediaStreamDestination();
    context.createMediaStreamSource(microphone).connect(mixed);
    window.say = async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const source = context.createBufferSource();
      source.buffer = await context.decodeAudioData(bytes.buffer);
      source.connect(mixed);
      source.start();
    };
    return mixed.stream;
  };
}

// The steps of a plan, by name.
class Actor {
  #page;
  #seen;
  // What the agent had said when the caller last did something.
  #answered = 0;

  constructor(page, seen) {
    this.#page = page;
    this.#seen = seen;
  }

  at(id) {
    return this.#page.getByTestId(id);
  }

  async until(what, look) {
    const end = Date.now() + PATIENCE;
    while (!(await look())) {
      if (Date.now() > end) throw new Error(`${what} did not happen`);
      await this.wait(30);
    }
  }

  async call() {
    await this.#acts();
    await this.at("call").click();
  }

  async #acts() {
    this.#answered = await this.#utterances();
  }

  #utterances() {
    return this.#page.locator("#transcript .agent").count();
  }

  state(state) {
    return this.until(`state ${state}`, () => this.#page.evaluate((state) => document.body.dataset.state === state, state));
  }

  speaks() {
    return this.until("speech of the agent", () => this.#agentSpeaks());
  }

  // The agent said something to what the caller did, and is silent for so long.
  async listens(ms) {
    await this.until("an answer", async () => (await this.#utterances()) > this.#answered);
    await this.#silent(ms);
  }

  async #silent(ms) {
    let since = Date.now();
    await this.until("silence of the agent", async () => {
      if (await this.#agentSpeaks()) since = Date.now();
      return Date.now() - since >= ms;
    });
  }

  #agentSpeaks() {
    return this.at("voice-agent").evaluate((voice) => voice.classList.contains("speaking"));
  }

  wait(ms) {
    return this.#page.waitForTimeout(ms);
  }

  async say(path) {
    await this.#acts();
    await this.#page.evaluate((sound) => window.say(sound), readFileSync(path).toString("base64"));
  }

  // Says it until it was understood: who is not, says it again when the agent is silent.
  async answer(path, node) {
    await this.until(`the way to ${node}`, async () => {
      await this.#silent(600);
      await this.say(path);
      for (const end = Date.now() + 15_000; Date.now() < end && !(await this.#isAt(node)); ) await this.wait(30);
      return this.#isAt(node);
    });
  }

  async #isAt(node) {
    return (await this.at("node").innerText()) === node;
  }

  // Talks over the agent. What cannot be talked over, or is over too soon, is followed by something else.
  async interrupt(path, ms) {
    const cuts = () => this.#page.locator("#transcript .cut").count();
    const before = await cuts();
    await this.until("the interruption", async () => {
      await this.speaks();
      await this.say(path);
      for (const end = Date.now() + ms; Date.now() < end && (await cuts()) === before; ) await this.wait(30);
      return (await cuts()) > before;
    });
  }

  line(text) {
    return this.shows("transcript", text);
  }

  shows(id, text) {
    return this.until(`“${text}” in ${id}`, async () => (await this.at(id).innerText()).toLowerCase().includes(text.toLowerCase()));
  }

  node(node) {
    return this.until(`node ${node}`, () => this.#isAt(node));
  }

  async type(text) {
    await this.#acts();
    await this.at("say").fill(text);
    await this.at("say").press("Enter");
  }

  async keys(keys) {
    await this.#acts();
    if (await this.at("keypad").isHidden()) await this.at("keypad-toggle").click();
    for (const key of keys) await this.at(`key-${{ "*": "star", "#": "pound" }[key] ?? key}`).click();
  }

  hangup() {
    return this.at("hangup").click();
  }

  // Where the sound goes now: from which kind of address to which.
  async path() {
    await this.until("a way for the sound", async () => {
      const path = await this.#page.evaluate(async () => {
        const all = [...(await window.connections.at(-1).getStats()).values()];
        const transport = all.find((one) => one.type === "transport");
        const pair = all.find((one) => one.id === transport?.selectedCandidatePairId);
        const end = (id) => all.find((one) => one.id === id);
        return pair && [pair.localCandidateId, pair.remoteCandidateId].map(end).map(({ candidateType, address }) => ({ candidateType, address }));
      });
      if (path) (this.#seen.paths ??= []).push(path);
      return path;
    });
  }

  // A program of this machine: what happens to the network.
  run(program, ...values) {
    execFileSync(program, values);
  }

  async shot(name) {
    const looks = [
      ["desktop", 1280, 800, "light"],
      ["phone", 360, 740, "light"],
      ["dark", 1280, 800, "dark"],
    ];
    for (const [look, width, height, colorScheme] of looks) {
      await this.#page.emulateMedia({ colorScheme });
      await this.#page.setViewportSize({ width, height });
      await this.#page.screenshot({ path: join(plan.screens, `${name}-${look}.png`) });
      const wide = await this.#page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) throw new Error(`${name} is ${wide} px too wide for ${width}`);
    }
    await this.#page.emulateMedia({ colorScheme: "light" });
    await this.#page.setViewportSize({ width: 1280, height: 800 });
  }
}

const seen = [];
const waiting = plan.pages.entries();
async function calls() {
  for (const [index, page] of waiting) seen[index] = await call(page);
}
await Promise.all(Array.from({ length: availableParallelism() }, calls));
console.log(JSON.stringify(seen));
await browser.close();
