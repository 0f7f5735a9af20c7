/** The past of the broadcast that is heard: how far back one can go, and where a pause has stopped. */
import type { Millis, Utc } from '../../shared/time.ts';
import type { HeardAt } from '../net/messages.ts';
import type { Heard, ListenPath } from './listen-path.ts';

/** How fast one catches up with live: what a voice takes well, and ten minutes in forty. */
export const CATCH_UP = 1.25;

/** Where in the broadcast one hears, in seconds. */
export type PastSpan = {
  /** Sound there is so far. */
  readonly length: number;
  /** How far what is heard lies behind the microphone. */
  readonly behind: number;
};

/** What a player knows of the past, and how it goes there and back. */
export class Past {
  readonly #path: () => ListenPath | undefined;
  #since: Utc | null = null;
  #shifted = false;
  #kept: HeardAt | null = null;
  #rate = 1;

  /** `path` is the way that the sound takes at the moment. */
  constructor(path: () => ListenPath | undefined) {
    this.#path = path;
  }

  /** Whether what is heard, or will be with the next Listen, is the past. */
  get shifted(): boolean {
    return this.#shifted || this.#kept !== null;
  }

  /** How much faster than it was said it is heard. */
  get rate(): number {
    return this.#rate;
  }

  /** Whether one can catch up with live, from here and on this way. */
  get canCatchUp(): boolean {
    return this.#shifted && this.#path()?.setRate !== undefined;
  }

  /** Goes so far behind live; 0 is live. */
  seek(behind: Millis): void {
    this.#path()?.seek?.(behind);
  }

  /** Hears faster until it has come to live, or as it was said; it is so when the server says it. */
  catchUp(on: boolean): void {
    this.#path()?.setRate?.(on ? CATCH_UP : 1);
  }

  /** The server says how fast it sends. */
  runs({ rate }: { readonly rate: number }): void {
    this.#rate = rate;
  }

  /** The server says where one stands; `since` only with its welcome. */
  stands({ shifted, since }: { readonly shifted: boolean; readonly since?: Utc | null }): void {
    this.#shifted = shifted;
    this.#rate = 1;
    if (since !== undefined) this.#since = since;
  }

  /** A pause keeps the place where the broadcast can be heard again. */
  keep({ at }: Heard): void {
    if (this.#since !== null) this.#kept = at;
    this.#shifted = false;
    this.#rate = 1;
  }

  /** The place that was kept, once. */
  take(): HeardAt | undefined {
    const kept = this.#kept ?? undefined;
    this.#kept = null;
    return kept;
  }

  /** What follows is live, or another broadcast. */
  forget(): void {
    this.#kept = null;
    this.#shifted = false;
    this.#rate = 1;
    this.#since = null;
  }

  /** Null while nothing can be heard again, or nothing is heard yet; `now` is this browser's UTC. */
  span({ latency, clockOffset }: Heard, now: Utc): PastSpan | null {
    if (this.#since === null || latency === null || clockOffset === null) return null;
    return { length: (now + clockOffset - this.#since) / 1000, behind: Math.max(0, latency) };
  }
}
