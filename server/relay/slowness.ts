/** Whether a listener takes what it is sent, judged by what it reports itself. */
import type { FrameHeader } from '../../shared/frame.ts';
import { type Millis, samplesToMillis, type Utc } from '../../shared/time.ts';
import { Progress } from './progress.ts';

/** No progress for so long while frames are owed closes the session, ms. */
const PROGRESS_WITHIN = 10_000;
/** So many skips within so long close the session. */
const SKIPS_MOST = 3;
const SKIPS_WITHIN = 30_000;

/** One listener's reports and skips. */
export class Slowness {
  readonly #progress = new Progress();
  #progressed: Utc;
  #skips: Utc[] = [];

  constructor(now: Utc) {
    this.#progressed = now;
  }

  /** Media sent and not reported. */
  get outstanding(): Millis {
    return samplesToMillis(this.#progress.outstanding);
  }

  sent(frame: FrameHeader): void {
    this.#progress.sent(frame);
  }

  /** Enters a report of the newest sequence received. Returns whether it is progress. */
  reported(sequence: number, now: Utc): boolean {
    if (!this.#progress.reported(sequence)) return false;
    this.#progressed = now;
    return true;
  }

  /** What it was sent until now is not held against it. */
  forgive(now: Utc): void {
    this.#progressed = now;
  }

  /** Why the session is over by now; undefined while it is not. */
  verdict(now: Utc): string | undefined {
    if (this.#progress.outstanding === 0) this.#progressed = now;
    if (now - this.#progressed > PROGRESS_WITHIN)
      return `No report of progress for ${PROGRESS_WITHIN} ms.`;
    return undefined;
  }

  /** Enters a skip. Returns why the session is over; undefined while it is not. */
  skipped(now: Utc): string | undefined {
    this.#skips = [...this.#skips.filter((at) => now - at < SKIPS_WITHIN), now];
    if (this.#skips.length < SKIPS_MOST) return undefined;
    return `Skipped ${SKIPS_MOST} times in ${SKIPS_WITHIN} ms.`;
  }
}
