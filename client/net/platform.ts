/** What the network worker takes from the browser, in one place, so that tests can pass their own. */
import { type Utc, utc } from '../../shared/time.ts';
import { Scope } from '../scope.ts';
import { openPrivateFolder, type PrivateFolder } from './private-files.ts';

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
  /** A folder of this site's private files; null where there are none. */
  readonly openFolder: (name: string) => Promise<PrivateFolder | null>;
  /**
   * Claims a name among all tabs of this browser, or steals it; what it returns gives it back. Null
   * when another tab has it and keeps it for a second.
   */
  readonly claim: (
    name: string,
    options: { readonly steal: boolean },
  ) => Promise<(() => void) | null>;
};

/** A tab that is closing or changing its mind gives a name back within this, ms. */
const CLAIM_WITHIN = 1000;

const claim: Platform['claim'] = (name, { steal }) =>
  new Promise((resolve) => {
    if (globalThis.navigator?.locks === undefined) return resolve(() => undefined);
    let release = (): void => undefined;
    const held = new Promise<void>((done) => {
      release = done;
    });
    const options = steal ? { steal } : { signal: AbortSignal.timeout(CLAIM_WITHIN) };
    const granted = (): Promise<void> => {
      resolve(release);
      return held;
    };
    // Rejected when it is not had in time, and later when another tab steals it.
    navigator.locks.request(name, options, granted).catch(() => resolve(null));
  });

/** The browser's own (and Node's, which has the same names). */
export const platform: Platform = {
  now: () => utc(performance.timeOrigin + performance.now()),
  wall: () => utc(Date.now()),
  random: Math.random,
  setTimeout: (action, delay) => globalThis.setTimeout(action, delay),
  clearTimeout: (timer) => globalThis.clearTimeout(timer as number),
  fetch: (input, init) => globalThis.fetch(input, init),
  WebSocket: globalThis.WebSocket,
  openFolder: openPrivateFolder,
  claim,
};

/** Resolves with a promise, but after `span` ms at the latest. */
export const within = async (
  { setTimeout, clearTimeout }: Platform,
  span: number,
  promise: Promise<void>,
): Promise<void> => {
  let timer: unknown;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, span);
  });
  await Promise.race([promise, over]);
  clearTimeout(timer);
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
