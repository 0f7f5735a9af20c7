/** Which frame a sample belongs to that is heard now, so that one can go on there another time. */
import type { FrameId } from '../../shared/control.ts';
import type { FrameHeader } from '../../shared/frame.ts';
import type { Samples } from '../../shared/time.ts';
import type { HeardAt } from './messages.ts';

/** More than a playout can hold of the shortest frames, which are 2.5 ms. */
const KEPT = 1024;
/** Frames asked for before the one that is heard next: the decoder has to settle, 80 ms of 20 ms. */
const PREROLL = 4;

/** The newest frames received. */
export class RecentFrames {
  readonly #frames: FrameHeader[] = [];

  enter({ epoch, sequence, timestamp, duration, rendition, flags }: FrameHeader): void {
    this.#frames.push({ epoch, sequence, timestamp, duration, rendition, flags });
    if (this.#frames.length > KEPT) this.#frames.splice(0, KEPT / 2);
  }

  /** The frame of a sample; null when it is not among them. */
  find({ epoch, timestamp }: { epoch: number; timestamp: Samples }): HeardAt | null {
    const frame = this.#frames.findLast((one) => one.epoch === epoch && one.timestamp <= timestamp);
    return frame === undefined ? null : { epoch, sequence: frame.sequence, timestamp };
  }
}

/** The frame behind which to go on, so that the sample is heard as if there had been no pause. */
export const beforeHeard = ({ epoch, sequence }: HeardAt): FrameId => ({
  epoch,
  sequence: Math.max(0, sequence - PREROLL - 1),
});
