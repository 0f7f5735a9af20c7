/** The past of the broadcast that is heard: how far back one can go, and where a pause has stopped. */
import { type Millis, type Utc, utc } from '../../shared/time.ts';
import type { HeardAt } from '../net/messages.ts';
import type { Heard, ListenPath, PathEvent } from './listen-path.ts';

/** How fast one catches up with live: what a voice takes well, and ten minutes in forty. */
export const CATCH_UP = 1.25;

/** Where in the broadcast one hears, in seconds. */
export type PastSpan = {
  /** Sound there is so far. */
  readonly length: number;
  /** How far what is heard lies behind the microphone. */
  readonly behind: number;
};

/** What a way says of the past. */
type PastEvent = Extract<PathEvent, { type: 'place' | 'reach' | 'rate' }>;

/** Where a pause has stopped: at a frame, or where the way knows none, at a time of capture. */
export type Kept = { readonly at: HeardAt | null; readonly utc: Utc | null };

/** What a player knows of the past, and how it goes there and back. */
export class Past {
  readonly #path: () => ListenPath | undefined;
  #since: Utc | null = null;
  /** The server's clock less this browser's, ms, where the way does not tell it with what is heard. */
  #clockOffset: number | null = null;
  #shifted = false;
  #kept: Kept | null = null;
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

  /** What the way says of the past. */
  hears(event: PastEvent): void {
    switch (event.type) {
      case 'place':
        this.#shifted = event.shifted;
        this.#rate = 1;
        if (event.since !== undefined) [this.#since, this.#clockOffset] = [event.since, null];
        return;
      case 'reach':
        [this.#since, this.#clockOffset] = [event.since, event.clockOffset];
        return;
      case 'rate':
        this.#rate = event.rate;
    }
  }

  /** A pause keeps the place where the broadcast can be heard again; `now` is this browser's UTC. */
  keep({ at, latency, clockOffset }: Heard, now: Utc): void {
    if (this.#since !== null) {
      const offset = this.#clockOffset ?? clockOffset;
      const isKnown = offset !== null && latency !== null;
      const heard = isKnown ? utc(now + offset - latency * 1000) : null;
      this.#kept = at === null && heard === null ? null : { at, utc: heard };
    }
    this.#shifted = false;
    this.#rate = 1;
  }

  /** The place that was kept, once. */
  take(): Kept | undefined {
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
    this.#clockOffset = null;
  }

  /** Null while nothing can be heard again, or nothing is heard yet; `now` is this browser's UTC. */
  span({ latency, clockOffset }: Heard, now: Utc): PastSpan | null {
    const offset = this.#clockOffset ?? clockOffset;
    if (this.#since === null || latency === null || offset === null) return null;
    return { length: (now + offset - this.#since) / 1000, behind: Math.max(0, latency) };
  }
}
