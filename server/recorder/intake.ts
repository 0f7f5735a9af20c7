/** Takes frames that come late, over HTTP, into the recording of their broadcast. */
import { captureUtc } from '../../shared/clock.ts';
import type { Frame } from '../../shared/frame.ts';
import { frameEnd } from '../../shared/frame.ts';
import { samplesToMillis, type Utc } from '../../shared/time.ts';
import type { RecordingRecord, Recordings } from '../store/recordings.ts';
import { BadBody, FrameBody } from './frame-body.ts';
import type { Journal } from './journal.ts';

/** The longest body, bytes. */
const MOST_BYTES = 64 * 1024 * 1024;

/** What waits for the disk at most, bytes. */
const MOST_PENDING = 1024 * 1024;

/** How far a clock map may be off and media time ahead (PROTOCOL.md), ms. */
const CLOCK_SLACK = 130_000;

/** Why a body was not taken to its end; `code` is stable. */
export type Refusal = {
  readonly status: 400 | 413;
  readonly code: string;
  readonly sentence: string;
};

/** What became of a body. */
export type Receipt = {
  /** Frames that are in the recording now and were not before. */
  readonly accepted: number;
  readonly repeated: number;
  readonly refused: Refusal | undefined;
};

/** What an intake is made of. */
export type IntakeOptions = {
  readonly record: RecordingRecord;
  readonly recordings: Recordings;
  readonly now: () => Utc;
};

/** One body on its way into a journal. */
export class Intake {
  readonly #journal: Journal;
  readonly #options: IntakeOptions;
  /** What is known of the epochs seen: the latest time a frame may say; null for foreign ones. */
  readonly #epochs = new Map<number, ((frame: Frame) => boolean) | null>();
  /** Rollbacks of the journal before the first frame of this body. */
  readonly #since: number;
  #accepted = 0;
  #repeated = 0;

  constructor(journal: Journal, options: IntakeOptions) {
    this.#journal = journal;
    this.#since = journal.rollbacks;
    this.#options = options;
  }

  /**
   * Takes a body to its end, or to the first frame that is refused; what was good stays. Resolves
   * when that is on disk. Rejects with a `DiskFailure`, or when the body breaks off (what came
   * of it stays, too).
   */
  async take(body: AsyncIterable<Uint8Array>): Promise<Receipt> {
    let refused: Refusal | undefined;
    try {
      refused = await this.#takeFrames(body);
    } finally {
      await this.#journal.flush(this.#since);
    }
    return { accepted: this.#accepted, repeated: this.#repeated, refused };
  }

  async #takeFrames(body: AsyncIterable<Uint8Array>): Promise<Refusal | undefined> {
    const parser = new FrameBody();
    let bytes = 0;
    try {
      for await (const piece of body) {
        bytes += piece.length;
        if (bytes > MOST_BYTES)
          return tooLarge(`A body has at most ${MOST_BYTES} bytes; send the rest in another.`);
        for (const frame of parser.read(piece)) {
          const refusal = this.#enter(frame);
          if (refusal !== undefined) return refusal;
        }
        if (this.#journal.pendingBytes > MOST_PENDING) await this.#journal.flush(this.#since);
      }
      parser.finish();
    } catch (error) {
      if (error instanceof BadBody) return refusal('corrupt-frame', error.message);
      throw error;
    }
    return undefined;
  }

  #enter(frame: Frame): Refusal | undefined {
    const { epoch, sequence } = frame;
    const isPast = this.#epochOf(epoch);
    if (isPast === null)
      return refusal('foreign-frame', `Epoch ${epoch} is not of this broadcast.`);
    if (!isPast(frame))
      return refusal('future-frame', `Sequence ${sequence} of epoch ${epoch} is from the future.`);
    const entry = this.#journal.enter(frame);
    if (entry === 'misfit')
      return refusal(
        'misfit-frame',
        `Sequence ${sequence} of epoch ${epoch} does not fit in time between those around it.`,
      );
    if (entry === 'splintered')
      return refusal('splintered', 'Too many separate pieces; send frames in their order.');
    if (entry === 'repeated') this.#repeated += 1;
    else this.#accepted += 1;
    return undefined;
  }

  #epochOf(epoch: number): ((frame: Frame) => boolean) | null {
    const known = this.#epochs.get(epoch);
    if (known !== undefined) return known;
    const { record, recordings, now } = this.#options;
    const belongs = recordings.hasEpoch(record.id, epoch);
    const clock = recordings.epochs(record.id).find((entry) => entry.epoch === epoch)?.last;
    const saidAt = (frame: Frame): number =>
      clock
        ? captureUtc(clock, frameEnd(frame))
        : record.started + samplesToMillis(frameEnd(frame));
    const judge = belongs ? (frame: Frame) => saidAt(frame) <= now() + CLOCK_SLACK : null;
    this.#epochs.set(epoch, judge);
    return judge;
  }
}

const refusal = (code: string, sentence: string): Refusal => ({ status: 400, code, sentence });

const tooLarge = (sentence: string): Refusal => ({ status: 413, code: 'too-large', sentence });
