/** Requests that came before there was a whole segment: what begins is worth waiting for. */
import type { Millis } from '../../shared/time.ts';
import type { Timers } from './reload.ts';

const MOST_WAITERS = 20_000;

/** Those who wait for a programme to begin. */
export class FirstSegments {
  readonly #timers: Timers;
  readonly #limit: number;
  readonly #checks = new Set<() => void>();
  #closed = false;

  constructor(timers: Timers, limit = MOST_WAITERS) {
    this.#timers = timers;
    this.#limit = limit;
  }

  /** Requests that wait. */
  get size(): number {
    return this.#checks.size;
  }

  /**
   * Resolves as soon as `ready` says so, and at the latest after `within`; at once when that is over,
   * or too many wait already. `cancel` when the client has left.
   */
  wait(
    ready: () => boolean,
    within: Millis,
  ): { readonly begun: Promise<void>; readonly cancel: () => void } {
    if (this.#closed || within <= 0 || this.#checks.size >= this.#limit || ready())
      return { begun: Promise.resolve(), cancel: () => undefined };
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    const leave = (): void => {
      this.#checks.delete(check);
      callOff();
      resolve();
    };
    const check = (): void => {
      if (this.#closed || ready()) leave();
    };
    const callOff = this.#timers.after(within, leave);
    this.#checks.add(check);
    return { begun, cancel: leave };
  }

  /** Something was added, or nothing more comes. */
  tell(): void {
    for (const check of [...this.#checks]) check();
  }

  /** Lets go of everybody. */
  close(): void {
    this.#closed = true;
    this.tell();
  }
}
