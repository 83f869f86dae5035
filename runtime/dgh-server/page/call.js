// A call: microphone, WebRTC, signalling. Tells what happens through one function.

import { follow } from "./events.js";
import { Meter } from "./meter.js";

// How often a lost connection is restarted before it is given up, and how long each time is waited for.
const RESTARTS = 5;
const RESTART_MS = 4000;

export class Call {
  #options;
  #connection = null;
  #channel = null;
  #microphone = null;
  #meters = {};
  #id = null;
  #key = null;
  #stop = new AbortController();
  #waiting = [];
  #restarts = 0;
  #restarting = null;
  #over = false;

  constructor(options) {
    this.#options = options;
  }

  get hasMicrophone() {
    return this.#microphone !== null;
  }

  get muted() {
    return this.#microphone?.getAudioTracks().every((track) => !track.enabled) ?? true;
  }

  async start() {
    await this.#listen();
    if (this.#over) return;
    try {
      await this.#connect();
    } catch (error) {
      this.#end({ ended_by: "not_connected", why: error.message });
    }
  }

  mute(muted) {
    for (const track of this.#microphone?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  key(key) {
    return this.#send({ type: "key", key });
  }

  type(text) {
    return this.#send({ type: "text", text });
  }

  level(side) {
    return side === "caller" && this.muted ? 0 : (this.#meters[side]?.level() ?? 0);
  }

  hangup() {
    if (this.#over) return;
    if (!this.#id) return this.#end({ ended_by: "caller" });
    this.#send({ type: "hangup" });
    // Survives the page being closed, and a connection that is away.
    this.#ask("hangup", {}, { keepalive: true }).catch(() => {});
    // The agent's last words are not waited for; the server's goodbye is, for a moment.
    this.#silence();
    setTimeout(() => this.#end({ ended_by: "caller" }), 1500);
  }

  async #listen() {
    // Nobody would understand it.
    if (!this.#options.speaks) return;
    if (!navigator.mediaDevices?.getUserMedia) {
      this.#tell({ type: "microphone", text: "This browser gives a microphone only to pages over https or on localhost. You hear the agent and type what you say." });
      return;
    }
    try {
      const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
      this.#microphone = await navigator.mediaDevices.getUserMedia({ audio });
      if (this.#over) return this.#release();
      this.#meters.caller = new Meter(this.#microphone);
    } catch (error) {
      const reasons = {
        NotAllowedError: "The microphone is not allowed. You hear the agent and type what you say. To speak, allow it in the browser's address bar and call again.",
        NotFoundError: "There is no microphone. You hear the agent and type what you say.",
        NotReadableError: "Another program uses the microphone. You hear the agent and type what you say.",
      };
      this.#tell({ type: "microphone", text: reasons[error.name] ?? `There is no microphone (${error.message}). You hear the agent and type what you say.` });
    }
  }

  async #connect() {
    const { agent, inputs, servers, sound } = this.#options;
    const connection = new RTCPeerConnection({ iceServers: servers });
    this.#connection = connection;
    this.#channel = connection.createDataChannel("call");
    if (this.#microphone) {
      for (const track of this.#microphone.getTracks()) connection.addTrack(track, this.#microphone);
    } else {
      connection.addTransceiver("audio", { direction: "recvonly" });
    }
    connection.addEventListener("icecandidate", ({ candidate }) => candidate && this.#candidate(candidate));
    connection.addEventListener("connectionstatechange", () => this.#changed());
    connection.addEventListener("track", ({ track, streams }) => {
      const stream = streams[0] ?? new MediaStream([track]);
      sound.srcObject = stream;
      sound.play().catch(() => this.#tell({ type: "problem", text: "The browser plays no sound before you click on the page." }));
      this.#meters.agent = new Meter(stream);
    });
    await connection.setLocalDescription();
    const answer = await fetch("/api/calls", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ agent, inputs, offer: connection.localDescription.sdp }),
    });
    const body = await answer.json();
    if (!answer.ok) throw new Error([body.message, body.hint].filter(Boolean).join(" "));
    this.#id = body.id;
    this.#key = body.key;
    if (this.#over) return void this.#ask("hangup", {}).catch(() => {});
    this.#tell({ type: "state", state: "ringing" });
    document.body.dataset.call = body.id;
    await connection.setRemoteDescription({ type: "answer", sdp: body.answer });
    for (const candidate of this.#waiting.splice(0)) this.#candidate(candidate);
    this.#follow();
  }

  async #follow() {
    const ended = await follow(`/api/calls/${this.#id}/events`, this.#key, this.#stop.signal, (event) => {
      if (event.type === "candidate") {
        // One that does not fit is no reason to give up: there are others.
        this.#connection?.addIceCandidate(event.candidate).catch(() => {});
      } else if (event.type === "ended") {
        this.#end(event);
      } else {
        this.#tell(event);
      }
    });
    if (!ended) this.#end({ ended_by: "lost", why: "The server does not answer any more." });
  }

  #candidate(candidate) {
    if (!this.#id) return void this.#waiting.push(candidate);
    this.#ask("candidates", candidate.toJSON?.() ?? candidate).catch(() => {});
  }

  #changed() {
    const state = this.#connection?.connectionState;
    if (state === "connected") {
      clearTimeout(this.#restarting);
      this.#restarting = null;
      if (this.#restarts) {
        this.#restarts = 0;
        this.#tell({ type: "state", state: "talking" });
      }
    } else if ((state === "disconnected" || state === "failed") && this.#id) {
      this.#restart();
    }
  }

  // Offers a new way to the server (ICE restart) until one is found.
  async #restart() {
    if (this.#over || this.#restarting) return;
    if (this.#restarts >= RESTARTS) return this.#end({ ended_by: "lost", why: "The connection could not be made again." });
    this.#restarts += 1;
    this.#tell({ type: "state", state: "reconnecting" });
    this.#restarting = setTimeout(() => {
      this.#restarting = null;
      if (this.#connection?.connectionState !== "connected") this.#restart();
    }, RESTART_MS);
    try {
      const connection = this.#connection;
      const offer = await connection.createOffer({ iceRestart: true });
      await connection.setLocalDescription(offer);
      const { answer } = await this.#ask("offer", { offer: connection.localDescription.sdp });
      await connection.setRemoteDescription({ type: "answer", sdp: answer });
    } catch {
      // The network is away altogether; the timer tries again.
    }
  }

  async #ask(what, body, more = {}) {
    const answer = await fetch(`/api/calls/${this.#id}/${what}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${this.#key}` },
      body: JSON.stringify(body),
      ...more,
    });
    if (!answer.ok) throw new Error(`${what}: ${answer.status}`);
    return answer.status === 204 ? {} : answer.json();
  }

  #send(message) {
    if (this.#channel?.readyState !== "open") return false;
    this.#channel.send(JSON.stringify(message));
    return true;
  }

  #tell(event) {
    if (!this.#over) this.#options.on(event);
  }

  #end(event) {
    if (this.#over) return;
    this.#options.on({ ...event, type: "ended" });
    this.#over = true;
    clearTimeout(this.#restarting);
    this.#stop.abort();
    this.#silence();
    this.#connection?.close();
  }

  #silence() {
    this.#options.sound.srcObject = null;
    this.#release();
    for (const meter of Object.values(this.#meters)) meter.close();
    this.#meters = {};
  }

  #release() {
    for (const track of this.#microphone?.getTracks() ?? []) track.stop();
  }
}
