/** What a session has told the page of itself last; none of it decides what happens next. */
import { type Millis, millis, type Utc, utc } from '../../shared/time.ts';
import type { UplinkEvent } from '../net/messages.ts';
import type { Tally, UplinkReading } from './uplink-report.ts';

/** How the host was back last: `at` by the wall clock. */
export type Returned = Extract<UplinkEvent, { type: 'on-air' }> & { readonly at: Utc };

/** Readings of one session. */
export class UplinkNews {
  tally: Tally | null = null;
  uplink: UplinkReading | null = null;
  /** Null until there was an outage. */
  returned: Returned | null = null;
  readonly #now: () => number;
  #heardAt: number;

  /** `now` reads a clock that is never set, ms. */
  constructor(now: () => number) {
    this.#now = now;
    this.#heardAt = now();
  }

  /** How long the server has said that no sound comes, ms. */
  get unheardFor(): Millis {
    return millis(this.tally?.live === false ? this.#now() - this.#heardAt : 0);
  }

  /** Takes over what an event says. */
  take(event: UplinkEvent): void {
    if (event.type === 'uplink') this.uplink = event;
    else if (event.type === 'tally') this.tally = event;
    else if (event.type === 'on-air' && event.outage > 0)
      this.returned = { ...event, at: utc(Date.now()) };
    if (event.type === 'on-air' || (event.type === 'tally' && event.live))
      this.#heardAt = this.#now();
  }
}
