/** How much of what was sent a listener has said to have received. */
import type { FrameHeader } from '../../shared/frame.ts';
import { type Samples, samples } from '../../shared/time.ts';

/** A run of consecutive frames that were sent; `to` is the sequence after the last. */
type Run = { readonly epoch: number; from: number; to: number; readonly duration: number };

const RUNS = 64;

/**
 * Frames sent and not yet reported, as runs of consecutive sequences, so that what was skipped
 * does not count. Each skip or epoch begins a run; the oldest of more than 64 is forgotten.
 */
export class Progress {
  readonly #runs: Run[] = [];

  /** Enters a frame that is being sent. */
  sent(frame: FrameHeader): void {
    const last = this.#runs.at(-1);
    if (last !== undefined && last.epoch === frame.epoch && last.to === frame.sequence) {
      last.to += 1;
      return;
    }
    const { epoch, sequence, duration } = frame;
    this.#runs.push({ epoch, from: sequence, to: sequence + 1, duration });
    if (this.#runs.length > RUNS) this.#runs.shift();
  }

  /**
   * Enters a report of the newest sequence received. Returns whether it is progress: a sequence
   * that was reported before, or never sent, is not.
   */
  reported(sequence: number): boolean {
    const at = this.#runs.findLastIndex((run) => sequence >= run.from && sequence < run.to);
    const run = this.#runs[at];
    if (run === undefined) return false;
    run.from = sequence + 1;
    this.#runs.splice(0, at);
    return true;
  }

  /** Media sent and not reported, samples. */
  get outstanding(): Samples {
    return samples(this.#runs.reduce((sum, run) => sum + (run.to - run.from) * run.duration, 0));
  }
}
