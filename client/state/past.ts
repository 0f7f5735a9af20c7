/** The past of the broadcast that is heard: how far back one can go, and where a pause has stopped. */
import type { Utc } from '../../shared/time.ts';
import type { HeardAt } from '../net/messages.ts';
import type { Heard } from './listen-path.ts';

/** Where in the broadcast one hears, in seconds. */
export type PastSpan = {
  /** Sound there is so far. */
  readonly length: number;
  /** How far what is heard lies behind the microphone. */
  readonly behind: number;
};

/** What a player knows of the past. */
export class Past {
  #since: Utc | null = null;
  #shifted = false;
  #kept: HeardAt | null = null;

  /** Whether what is heard, or will be with the next Listen, is the past. */
  get shifted(): boolean {
    return this.#shifted || this.#kept !== null;
  }

  /** The server says where one stands; `since` only with its welcome. */
  stands({ shifted, since }: { readonly shifted: boolean; readonly since?: Utc | null }): void {
    this.#shifted = shifted;
    if (since !== undefined) this.#since = since;
  }

  /** A pause keeps the place where the broadcast can be heard again. */
  keep({ at }: Heard): void {
    if (this.#since !== null) this.#kept = at;
    this.#shifted = false;
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
    this.#since = null;
  }

  /** Null while nothing can be heard again, or nothing is heard yet; `now` is this browser's UTC. */
  span({ latency, clockOffset }: Heard, now: Utc): PastSpan | null {
    if (this.#since === null || latency === null || clockOffset === null) return null;
    return { length: (now + clockOffset - this.#since) / 1000, behind: Math.max(0, latency) };
  }
}
