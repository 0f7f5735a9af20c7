/** Tells when a replay has caught up: frames that come faster than time passes are no live ones. */
import type { FrameHeader } from '../../shared/frame.ts';
import { samples, samplesToMillis, type Utc } from '../../shared/time.ts';

/** Frames are looked at over this long, ms: beyond any bundling of frames into one write. */
const WINDOW = 400;
/** Media per time above which they are still catching up. */
const CATCHING_UP = 1.5;

/** Follows the arrivals after something that ends in a burst: a hold, a skip. */
export class Burst {
  #expected = false;
  #first: { readonly at: Utc; readonly epoch: number; readonly timestamp: number } | null = null;

  /** A burst may come now. */
  expect(): void {
    this.#expected = true;
    this.#first = null;
  }

  /** Enters a frame and says whether it belongs to a burst. */
  holds(frame: FrameHeader, at: Utc): boolean {
    if (!this.#expected) return false;
    if (this.#first === null || this.#first.epoch !== frame.epoch) this.#begin(frame, at);
    else if (at - this.#first.at >= WINDOW) {
      const media = samplesToMillis(samples(frame.timestamp - this.#first.timestamp));
      if (media > CATCHING_UP * (at - this.#first.at)) this.#begin(frame, at);
      else this.#expected = false;
    }
    return this.#expected;
  }

  #begin({ epoch, timestamp }: FrameHeader, at: Utc): void {
    this.#first = { at, epoch, timestamp };
  }
}
