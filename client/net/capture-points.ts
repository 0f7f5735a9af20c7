/** When what is heard was captured: the clock points of the epochs that play and are about to. */
import { captureUtc } from '../../shared/clock.ts';
import type { ClockPoint } from '../../shared/control.ts';
import type { Samples, Utc } from '../../shared/time.ts';

/** Of the epoch that plays and of the one that begins. */
const EPOCHS_KEPT = 2;

/** The newest clock point of each of the last epochs. */
export class CapturePoints {
  readonly #points = new Map<number, ClockPoint>();

  learn({ epoch, timestamp, utc, uncertainty }: ClockPoint): void {
    this.#points.set(epoch, { epoch, timestamp, utc, uncertainty });
    for (const oldest of this.#points.keys()) {
      if (this.#points.size <= EPOCHS_KEPT) break;
      this.#points.delete(oldest);
    }
  }

  /** The server's UTC at which a sample was captured; null while its epoch's clock is not known. */
  captureOf(epoch: number, timestamp: Samples): Utc | null {
    const point = this.#points.get(epoch);
    return point === undefined ? null : captureUtc(point, timestamp);
  }
}
