/** What a publisher really sends: bits a second of sound over the last few seconds. */
import type { Frame } from '../../shared/frame.ts';
import { SAMPLE_RATE, type Utc } from '../../shared/time.ts';

/** Seconds that a reading covers, and after which one without frames is none. */
const SECONDS = 4;

type Second = { readonly at: number; bytes: number; samples: number };

/** Measures by the sound's own length, so that a burst after an outage does not look like more. */
export class BitrateMeter {
  #seconds: Second[] = [];

  /** Enters a frame that has come. */
  enter({ packet, duration }: Pick<Frame, 'packet' | 'duration'>, now: Utc): void {
    const at = Math.floor(now / 1000);
    let newest = this.#seconds.at(-1);
    if (newest?.at !== at) {
      newest = { at, bytes: 0, samples: 0 };
      this.#seconds = [...this.#recent(at), newest];
    }
    newest.bytes += packet.length;
    newest.samples += duration;
  }

  /** Bit/s, whole; null when nothing has come for four seconds. */
  read(now: Utc): number | null {
    const recent = this.#recent(Math.floor(now / 1000));
    const bytes = recent.reduce((sum, second) => sum + second.bytes, 0);
    const count = recent.reduce((sum, second) => sum + second.samples, 0);
    return count === 0 ? null : Math.round((8 * bytes * SAMPLE_RATE) / count);
  }

  #recent(at: number): Second[] {
    return this.#seconds.filter((second) => second.at > at - SECONDS && second.at <= at);
  }
}
