/**
 * What a network does to a TCP stream, without the sockets. TCP loses nothing: a lost segment is a
 * stall until it was sent again, and then everything behind it arrives at once.
 */
import { type Millis, millis } from '../../shared/time.ts';
import { seededRandom } from './seeded-random.ts';

/** One kind of stall: how long, and how many of them begin in a second on average. */
export type Stall = { readonly length: Millis; readonly perSecond: number };

/** One direction of a network. */
export type NetworkProfile = {
  /** One-way delay. */
  readonly delay: Millis;
  readonly stalls: readonly Stall[];
  /** Bytes a second; Infinity for no limit. */
  readonly bandwidth: number;
};

/** Profiles by name. */
export const NETWORK = {
  direct: { delay: millis(0), stalls: [], bandwidth: Number.POSITIVE_INFINITY },
  /** 50 ms one way and nothing else. */
  distant: { delay: millis(50), stalls: [], bandwidth: Number.POSITIVE_INFINITY },
  /**
   * 50 ms one way and bursts of loss. The stalls are fitted to the transit of frames measured for
   * PLAYOUT's row "bursty loss": median 51 ms, p95 232, p99 424, longest 629.
   */
  bursty: {
    delay: millis(50),
    stalls: [
      { length: millis(60), perSecond: 0.55 },
      { length: millis(300), perSecond: 0.29 },
      { length: millis(579), perSecond: 0.058 },
    ],
    bandwidth: Number.POSITIVE_INFINITY,
  },
} as const satisfies Record<string, NetworkProfile>;

/** When each piece of a stream arrives, in order; the same seed gives the same stalls. */
export class Arrivals {
  readonly #random: () => number;
  #profile: NetworkProfile;
  /** The stall that is on, or else the next one. */
  #stall: { readonly start: number; readonly end: number };
  #lineFree = Number.NEGATIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;
  /** Pieces that a stall has held. */
  held = 0;

  constructor(profile: NetworkProfile, seed: number, now: Millis) {
    this.#random = seededRandom(seed);
    this.#profile = profile;
    this.#stall = this.#stallAfter(now);
  }

  /** Changes the network from `now` on; what is on its way keeps its time. */
  shape(profile: NetworkProfile, now: Millis): void {
    this.#profile = profile;
    this.#stall = this.#stallAfter(now);
  }

  /** When a piece of `bytes` sent at `now` arrives; `now` never goes back. */
  arrivalOf(bytes: number, now: Millis): Millis {
    while (now >= this.#stall.end) this.#stall = this.#stallAfter(this.#stall.end);
    const isHeld = now >= this.#stall.start;
    if (isHeld) this.held += 1;
    this.#lineFree = Math.max(now, this.#lineFree) + (bytes * 1000) / this.#profile.bandwidth;
    const leaves = isHeld ? Math.max(this.#lineFree, this.#stall.end) : this.#lineFree;
    this.#last = Math.max(this.#last, leaves + this.#profile.delay);
    return millis(this.#last);
  }

  /** Each kind of stall waits its own random time, without memory; the first to come wins. */
  #stallAfter(now: number): { start: number; end: number } {
    let next = { start: Number.POSITIVE_INFINITY, end: Number.POSITIVE_INFINITY };
    for (const { length, perSecond } of this.#profile.stalls) {
      const start = now - (Math.log(1 - this.#random()) * 1000) / perSecond;
      if (start < next.start) next = { start, end: start + length };
    }
    return next;
  }
}
