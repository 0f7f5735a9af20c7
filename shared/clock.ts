/** Clocks: the server's UTC seen from a client, and UTC seen from the media clock. */
import type { ClockPoint } from './control.ts';
import {
  type Millis,
  millis,
  type Samples,
  samples,
  samplesToMillis,
  type Utc,
  utc,
} from './time.ts';

const KEPT = 8;

/**
 * The server's clock as a client learns it from pings: of the last eight exchanges the one with
 * the smallest round trip counts (the clock filter of NTP, RFC 5905 section 10).
 */
export class ServerClock {
  readonly #exchanges: { offset: number; roundTrip: number }[] = [];

  /**
   * Enters one exchange: sent and answered on the client's clock, received and replied on the
   * server's.
   */
  enter(sent: Utc, received: Utc, replied: Utc, answered: Utc): void {
    const roundTrip = answered - sent - (replied - received);
    // A clock that was set in between says nothing.
    if (roundTrip < 0) return;
    this.#exchanges.push({ offset: (received - sent + (replied - answered)) / 2, roundTrip });
    if (this.#exchanges.length > KEPT) this.#exchanges.shift();
  }

  /** Forgets every exchange: the clock they were measured on is no longer the same. */
  forget(): void {
    this.#exchanges.length = 0;
  }

  get known(): boolean {
    return this.#exchanges.length > 0;
  }

  /** Half the smallest round trip: the offset cannot be further off; Infinity before any pong. */
  get uncertainty(): Millis {
    return millis((this.#best()?.roundTrip ?? Number.POSITIVE_INFINITY) / 2);
  }

  /** The server's UTC at a moment of the client's clock; that very moment before any pong. */
  toServer(moment: Utc): Utc {
    return utc(moment + (this.#best()?.offset ?? 0));
  }

  #best(): { offset: number; roundTrip: number } | undefined {
    let best = this.#exchanges[0];
    for (const exchange of this.#exchanges)
      if (best === undefined || exchange.roundTrip < best.roundTrip) best = exchange;
    return best;
  }
}

/** UTC of capture of a sample, by the newest point known of its epoch. */
export const captureUtc = (point: ClockPoint, timestamp: Samples): Utc =>
  utc(point.utc + samplesToMillis(samples(timestamp - point.timestamp)));
