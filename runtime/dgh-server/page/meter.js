// How loud a stream is, from 0 to 1.

let context = null;

export class Meter {
  #source = null;
  #analyser = null;
  #samples = null;

  constructor(stream) {
    try {
      context ??= new AudioContext();
      context.resume().catch(() => {});
      this.#source = context.createMediaStreamSource(stream);
      this.#analyser = context.createAnalyser();
      this.#analyser.fftSize = 512;
      this.#samples = new Float32Array(this.#analyser.fftSize);
      this.#source.connect(this.#analyser);
    } catch {
      // A meter is no reason not to talk.
      this.#analyser = null;
    }
  }

  level() {
    if (!this.#analyser) return 0;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let sum = 0;
    for (const sample of this.#samples) sum += sample * sample;
    const loudness = 20 * Math.log10(Math.sqrt(sum / this.#samples.length) + 1e-6);
    // From what is hardly heard to a loud voice.
    return Math.min(1, Math.max(0, (loudness + 55) / 40));
  }

  close() {
    this.#source?.disconnect();
    this.#analyser = null;
  }
}
