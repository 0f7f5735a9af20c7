/**
 * What the API says of the channel, for a player over HLS: nothing else tells it that silence is put
 * in, or, on a continuous channel, that a broadcast has ended and another begun.
 */
import type { ChannelStateName } from '../../shared/control.ts';
import type { Heard } from './listen-path.ts';
import type { Past } from './past.ts';
import type { Player } from './player.ts';

/** A playlist that ends has been heard to its end so long after the end, seconds. */
const ENDED_WITHIN = 5;

/** What is known of the player when the API has answered. */
export type Followed = {
  readonly state: Player;
  /** Latency is null while nothing is heard. */
  readonly heard: Pick<Heard, 'latency'>;
  /** Of the past the API says nothing. */
  readonly past: Pick<Past, 'shifted'>;
};

/** Decides which of the API's answers change what the player says. */
export class ChannelNews {
  readonly #now: () => number;
  #overSince: number | null = null;

  /** `now` is any steady clock, ms. */
  constructor({ now = () => performance.now() }: { readonly now?: () => number } = {}) {
    this.#now = now;
  }

  /** Takes an answer. Returns whether it is news. */
  is(channel: ChannelStateName, { state, heard, past }: Followed): boolean {
    const { latency } = heard;
    const over = channel === 'ended' || channel === 'idle';
    this.#overSince = over ? (this.#overSince ?? this.#now()) : null;
    if (past.shifted) return false;
    const listening = state.is === 'blocked' ? state.under : state;
    const isOver = listening.is === 'ended' || isOffAir(listening);
    switch (channel) {
      case 'filling':
        return true;
      case 'holding':
        return false;
      case 'live':
        return listening.is === 'stalled' || (isOver && latency !== null);
      case 'ended':
      case 'idle':
        if (listening.is === 'stalled' || listening.is === 'buffering') return true;
        return listening.is === 'playing' && this.#isHeardToItsEnd(latency);
    }
  }

  /** What ends by itself would have done so by now; what plays on is a continuous channel's silence. */
  #isHeardToItsEnd(latency: number | null): boolean {
    if (latency === null || this.#overSince === null) return false;
    return this.#now() - this.#overSince > (latency + ENDED_WITHIN) * 1000;
  }
}

const isOffAir = (state: Player): boolean => state.is === 'offline' && state.why === 'off-air';
