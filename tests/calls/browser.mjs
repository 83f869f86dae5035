// Drives a Chromium that calls an agent: reads a scenario as JSON from standard input, does its steps,
// and prints what was seen as one line of JSON. What the agent says is captured from the remote track.

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const plan = JSON.parse(readFileSync(0, "utf8"));
const { chromium } = createRequire(join(plan.packages, "package.json"))("playwright-core");
const PATIENCE = 25_000;

const browser = await chromium.launch({
  executablePath: plan.chromium,
  headless: true,
  chromiumSandbox: false,
  args: [
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    `--use-file-for-fake-audio-capture=${plan.microphone}%noloop`,
    "--autoplay-policy=no-user-gesture-required",
  ],
});
const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
const page = await context.newPage();
const complaints = [];
page.on("console", (message) => ["error", "warning"].includes(message.type()) && !message.text().includes("ScriptProcessorNode") && complaints.push(message.text()));
page.on("pageerror", (error) => complaints.push(String(error)));

await page.addInitScript(() => {
  window.heard = [];
  const Connection = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Connection {
    constructor(...options) {
      super(...options);
      this.addEventListener("track", ({ track }) => {
        const context = new AudioContext({ sampleRate: 16000 });
        // No worklet: the page's policy takes modules from the server alone.
        const ear = context.createScriptProcessor(4096, 1, 1);
        ear.onaudioprocess = ({ inputBuffer }) => window.heard.push(inputBuffer.getChannelData(0).slice());
        context.createMediaStreamSource(new MediaStream([track])).connect(ear).connect(context.destination);
      });
    }
  };
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
});

const at = (id) => page.getByTestId(id);
const wait = (ms) => page.waitForTimeout(ms);
const speaks = () => at("voice-agent").evaluate((voice) => voice.classList.contains("speaking"));
const cuts = () => page.locator("#transcript .cut").count();
const seen = { cuts: [] };

async function until(what, look) {
  const end = Date.now() + PATIENCE;
  while (!(await look())) {
    if (Date.now() > end) throw new Error(`${what} did not happen`);
    await wait(30);
  }
}

async function silent(ms) {
  let since = Date.now();
  await until("silence of the agent", async () => {
    if (await speaks()) since = Date.now();
    return Date.now() - since >= ms;
  });
}

const STEPS = {
  call: () => at("call").click(),
  state: (state) => until(`state ${state}`, () => page.evaluate((state) => document.body.dataset.state === state, state)),
  speaks: () => until("speech of the agent", speaks),
  listens: async (ms) => {
    await until("speech of the agent", speaks);
    await silent(ms);
  },
  wait,
  say: async (path) => page.evaluate((sound) => window.say(sound), readFileSync(path).toString("base64")),
  stops: async () => {
    const began = Date.now();
    await until("the interruption", async () => !(await speaks()));
    seen.stopped = Date.now() - began;
  },
  cut: () => until("a line that is cut", async () => (await cuts()) > 0),
  line: (text) => until(`the line “${text}”`, async () => (await at("transcript").innerText()).toLowerCase().includes(text.toLowerCase())),
  node: (node) => until(`node ${node}`, async () => (await at("node").innerText()) === node),
  type: async (text) => {
    await at("say").fill(text);
    await at("say").press("Enter");
  },
  keys: async (keys) => {
    if (await at("keypad").isHidden()) await at("keypad-toggle").click();
    for (const key of keys) await at(`key-${{ "*": "star", "#": "pound" }[key] ?? key}`).click();
  },
  hangup: () => at("hangup").click(),
  shot: async (name) => {
    const looks = [
      ["desktop", 1280, 800, "light"],
      ["phone", 360, 740, "light"],
      ["dark", 1280, 800, "dark"],
    ];
    for (const [look, width, height, colorScheme] of looks) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height });
      await page.screenshot({ path: join(plan.screens, `${name}-${look}.png`) });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) throw new Error(`${name} is ${wide} px too wide for ${width}`);
    }
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 1280, height: 800 });
  },
};

try {
  await page.goto(plan.url);
  await until("the page", () => at("uses").innerText());
  for (const [step, ...values] of plan.steps) {
    seen.step = [step, ...values].join(" ");
    await STEPS[step](...values);
  }
  delete seen.step;
} catch (error) {
  seen.failed = `${seen.step}: ${error.message}`;
  await page.screenshot({ path: join(plan.screens, "failed.png") });
  await at("hangup").click({ timeout: 1000 }).catch(() => {});
}
const lines = await page.locator("#transcript li").evaluateAll((all) =>
  all.map((line) => ({ who: line.dataset.testid.replace("line-", ""), text: line.textContent, cut: line.classList.contains("cut") })),
);
const pieces = await page.evaluate(() => window.heard.map((piece) => Array.from(piece, (sample) => Math.round(Math.max(-1, Math.min(1, sample)) * 32767))));
writeFileSync(plan.heard, Buffer.from(new Int16Array(pieces.flat()).buffer));
const text = (id) => at(id).innerText();
Object.assign(seen, { lines, complaints, state: await text("state"), node: await text("node"), timing: await text("timing") });
console.log(JSON.stringify(seen));
await browser.close();
