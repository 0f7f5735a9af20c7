/** When a listener who had to leave the closest way tries it again: by itself, and not for ever. */
import { Scope } from '../scope.ts';

/** The first try comes after this and up to twice as long, and each further one doubles, ms. */
const FIRST = 5000;
/** From so many failures on the listener is left in peace for longer. */
const OFTEN = 3;
const IN_PEACE = 300_000;
/** A failure is remembered so long; longer than the longest wait, or peace would not last, ms. */
const MEMORY = 900_000;

export type WayBackOptions = {
  /** Begins a try; whether it fails is told by `failed`. */
  readonly go: () => void;
  /** ms of any steady clock. */
  readonly now?: () => number;
  readonly random?: () => number;
};

/** Counts how often a way failed lately, and waits the longer for the next try. */
export class WayBack {
  readonly #go: () => void;
  readonly #now: () => number;
  readonly #random: () => number;
  /** Bounded: what is older than the memory goes, and more than `OFTEN` says no more. */
  #failures: number[] = [];
  #waiting: Scope | null = null;

  constructor({ go, now = () => performance.now(), random = Math.random }: WayBackOptions) {
    this.#go = go;
    this.#now = now;
    this.#random = random;
  }

  /** The way failed, in use or in a try: waits for the next one, and answers how long, ms. */
  failed(): number {
    this.#failures = [...this.#recent, this.#now()].slice(-OFTEN);
    return this.wait();
  }

  /** Waits (anew) without a failure: a try makes no sense at the moment. */
  wait(): number {
    this.stop();
    const waiting = new Scope();
    const failures = this.#recent.length;
    const base = failures >= OFTEN ? IN_PEACE : FIRST * 2 ** Math.max(0, failures - 1);
    // Spread, so that a crowd does not come back at once.
    const wait = base * (1 + this.#random());
    waiting.after(wait, () => {
      this.#waiting = null;
      this.#go();
    });
    this.#waiting = waiting;
    return wait;
  }

  /** The network is another one: what failed before says nothing of it. */
  forgive(): void {
    this.#failures = [];
    if (this.isWaiting) this.wait();
  }

  get isWaiting(): boolean {
    return this.#waiting !== null;
  }

  /** Tries no more until the next failure; what failed is still remembered. */
  stop(): void {
    this.#waiting?.dispose();
    this.#waiting = null;
  }

  get #recent(): number[] {
    return this.#failures.filter((at) => this.#now() - at < MEMORY);
  }
}
