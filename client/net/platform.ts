/** What the network worker takes from the browser, in one place, so that tests can pass their own. */
import { type Utc, utc } from '../../shared/time.ts';
import { Scope } from '../scope.ts';

/** Clock, timers, chance and the two ways to the network. */
export type Platform = {
  readonly now: () => Utc;
  readonly random: () => number;
  readonly setTimeout: (action: () => void, delay: number) => unknown;
  readonly clearTimeout: (timer: unknown) => void;
  readonly fetch: typeof globalThis.fetch;
  readonly WebSocket: typeof globalThis.WebSocket;
};

/** The browser's own (and Node's, which has the same names). */
export const platform: Platform = {
  now: () => utc(Date.now()),
  random: Math.random,
  setTimeout: (action, delay) => globalThis.setTimeout(action, delay),
  clearTimeout: (timer) => globalThis.clearTimeout(timer as number),
  fetch: (input, init) => globalThis.fetch(input, init),
  WebSocket: globalThis.WebSocket,
};

/** A scope whose timers are the platform's; timers that have gone off are forgotten at once. */
export class PlatformScope extends Scope {
  readonly #platform: Platform;
  readonly #running = new Set<unknown>();

  constructor(platform: Platform) {
    super();
    this.#platform = platform;
    this.add(() => {
      for (const timer of this.#running) platform.clearTimeout(timer);
      this.#running.clear();
    });
  }

  override after(wait: number, alarm: () => void): void {
    if (this.disposed) return;
    const timer = this.#platform.setTimeout(() => {
      this.#running.delete(timer);
      alarm();
    }, wait);
    this.#running.add(timer);
  }

  override every(period: number, tick: () => void): void {
    this.after(period, () => {
      this.every(period, tick);
      tick();
    });
  }
}
