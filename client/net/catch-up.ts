/** Hearing the past faster than it was said: what is wished for, and what the server does of it. */

/** How the wish reaches the server, and its answer the worklet. */
export type CatchUpOptions = {
  readonly ask: (rate: number) => void;
  readonly play: (rate: number) => void;
};

/**
 * One listener's rate. The worklet plays at the rate at which frames come from the very frame on at
 * which the server changes it, so it is the server's word that counts, and a place begins at 1.
 */
export class CatchUp {
  readonly #options: CatchUpOptions;
  #wished = 1;
  #played = 1;

  constructor(options: CatchUpOptions) {
    this.#options = options;
  }

  wish(rate: number): void {
    this.#wished = rate;
    this.#options.ask(rate);
  }

  /** The server sends at this rate from the next frame on. */
  runs(rate: number): void {
    this.#wished = rate;
    this.#play(rate);
  }

  /** What follows is another place, or live, where there is nothing to catch up with. */
  placed(shifted: boolean): void {
    this.#play(1);
    if (!shifted) this.#wished = 1;
  }

  /** A new socket: the server has forgotten what was wished for. */
  welcomed(shifted: boolean): void {
    this.placed(shifted);
    if (this.#wished !== 1) this.#options.ask(this.#wished);
  }

  #play(rate: number): void {
    if (rate === this.#played) return;
    this.#played = rate;
    this.#options.play(rate);
  }
}
