/** What the network worker takes from the browser, in one place, so that tests can pass their own. */
import { type Utc, utc } from '../../shared/time.ts';
import { Scope } from '../scope.ts';

/** Clocks, timers, chance and the two ways to the network. */
export type Platform = {
  /** UTC as it was when this thread began, plus the time since: never set, so fit for intervals. */
  readonly now: () => Utc;
  /** The wall clock, which anybody may set at any moment: only to compare `now` with. */
  readonly wall: () => Utc;
  readonly random: () => number;
  readonly setTimeout: (action: () => void, delay: number) => unknown;
  readonly clearTimeout: (timer: unknown) => void;
  readonly fetch: typeof globalThis.fetch;
  readonly WebSocket: typeof globalThis.WebSocket;
};

/** The browser's own (and Node's, which has the same names). */
export const platform: Platform = {
  now: () => utc(performance.timeOrigin + performance.now()),
  wall: () => utc(Date.now()),
  random: Math.random,
  setTimeout: (action, delay) => globalThis.setTimeout(action, delay),
  clearTimeout: (timer) => globalThis.clearTimeout(timer as number),
  fetch: (input, init) => globalThis.fetch(input, init),
  WebSocket: globalThis.WebSocket,
};

/** A moment that an audio worklet read on the wall clock, which is all it has, on that of `now`. */
export const fromWall = ({ now, wall }: Platform, moment: Utc): Utc => utc(moment + now() - wall());

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
