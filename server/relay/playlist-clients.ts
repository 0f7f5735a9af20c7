/**
 * How many listen over HLS and DASH. They have no session, so it is an estimate: distinct clients
 * that asked for a playlist, a manifest or media a moment ago. Behind a CDN it counts the CDN's
 * caches; two players behind one address with the same user agent are one.
 */
import { hash, randomBytes } from 'node:crypto';
import type { Millis, Utc } from '../../shared/time.ts';

/** Clients remembered of one channel, about 3 MB; of more than that the number stays here. */
const CLIENTS_MOST = 20_000;

/** Who asked, as far as HTTP tells. */
export type HttpClient = { readonly address: string; readonly agent: string };

/** The clients of one channel's playlists; neither address nor user agent is kept. */
export class PlaylistClients {
  readonly #salt = randomBytes(12).toString('base64url');
  readonly #within: Millis;
  readonly #most: number;
  /** When each was seen last, the longest ago first. */
  readonly #seen = new Map<string, Utc>();
  #overflow = 0;

  /** A player that is still there asks at least once `within` so long: three target durations. */
  constructor({ within, most = CLIENTS_MOST }: { within: Millis; most?: number }) {
    this.#within = within;
    this.#most = most;
  }

  /** Clients forgotten before their time because there were too many. */
  get overflow(): number {
    return this.#overflow;
  }

  /** Enters a request. */
  enter({ address, agent }: HttpClient, now: Utc): void {
    const name = hash('sha256', `${this.#salt} ${address} ${agent}`, 'base64url').slice(0, 12);
    this.#seen.delete(name);
    this.#seen.set(name, now);
    if (this.#seen.size <= this.#most) return;
    this.#overflow += 1;
    this.#seen.delete(this.#seen.keys().next().value ?? '');
  }

  /** Clients that were seen a moment ago. */
  count(now: Utc): number {
    for (const [name, seen] of this.#seen) {
      if (now - seen < this.#within) break;
      this.#seen.delete(name);
    }
    return this.#seen.size;
  }
}
