/**
 * The runs of the media clock that a publisher still has frames of, and how far each has got.
 * Nearly always there is one. A second begins when the context stood still or the server no longer
 * knew the epoch; the first is sent to its end before the next one gets an epoch of its own.
 */
import type { FrameHeader } from '../../shared/frame.ts';
import type { Ring } from '../../shared/ring.ts';
import { type Millis, millis, samplesToMillis } from '../../shared/time.ts';
import type { CapturedPacket } from '../../worklets/port.ts';
import { type Range, uncovered, united } from './range.ts';

/** A frame in the replay ring; `epoch` holds its run, because the epoch may not be known yet. */
export type HeldFrame = FrameHeader & Pick<CapturedPacket, 'packet' | 'captured'>;

/** One run of the media clock. */
export type Run = {
  readonly run: number;
  /** Null until the server has given one. */
  readonly epoch: number | null;
  /** Id of the recording it belongs to; null while it is not known, and when there is none. */
  readonly recording: string | null;
  /** Sequence of the next frame captured. */
  readonly next: number;
  /** Newest sequence acknowledged, -1 when none. */
  readonly acked: number;
};

type OpenRun = { -readonly [Field in keyof Run]: Run[Field] } & {
  /** Sequences that have been told as missed. */
  missed: readonly Range[];
};

/** The capture worklet adds 1 for a run it begins itself; ours lie so far apart that none meet. */
const RUN_STRIDE = 1024;
/** More runs than this are not kept: the oldest is given up. */
const MOST_RUNS = 8;

/** Packets under way from a run that was just given up; more than these are not waited for. */
const MOST_STRAGGLERS = 50;

const open = (run: number): OpenRun => ({
  run,
  epoch: null,
  recording: null,
  next: 0,
  acked: -1,
  missed: [],
});

/** Frames that will not go over the socket any more; `run` as it was then. */
export type Missed = Range & { readonly run: Run };

/** Numbers frames, remembers what was acknowledged, and tells what the socket will not carry. */
export class Runs {
  readonly #ring: Ring<HeldFrame>;
  #sending: OpenRun = open(RUN_STRIDE);
  #later: OpenRun[] = [];
  /** Ring index and sequence of the next frame to send. */
  #cursor = 0;
  #sequence = 0;
  #missed: Missed[] = [];
  /** The run given up last by a welcome to another epoch, and what came of it since. */
  #gone: OpenRun | null = null;
  #stragglers: HeldFrame[] = [];
  /** The last epoch the server gave us before the run being sent. */
  #before: { readonly epoch: number; readonly sequence: number } | null = null;

  constructor(ring: Ring<HeldFrame>) {
    this.#ring = ring;
  }

  /** The run whose frames go out now. */
  get sending(): Run {
    return this.#sending;
  }

  /** The run being captured. */
  get newest(): Run {
    return this.#newest;
  }

  /** Next frame to send, perhaps already of a later run; undefined when all are sent. */
  get due(): HeldFrame | undefined {
    if (this.#cursor < this.#ring.tail) this.#reach(this.#sequence);
    return this.#ring.at(this.#cursor);
  }

  /** Newest frame of the run being sent. */
  get newestOfSending(): HeldFrame | undefined {
    const { run } = this.#sending;
    const frame = this.#ring.at(this.#ring.find(run + 1, 0) - 1);
    return frame?.epoch === run ? frame : undefined;
  }

  /** Media held from the cursor on, ms. */
  get backlog(): Millis {
    return this.#mediaFrom(Math.max(this.#cursor, this.#ring.tail));
  }

  /** Media held that the server has not acknowledged, ms. */
  get unacknowledged(): Millis {
    return this.#mediaFrom(this.#ring.find(this.#sending.run, this.#sending.acked + 1));
  }

  /** Keeps a packet under its sequence; returns false for one of a run that is over. */
  push(captured: CapturedPacket): boolean {
    const { run } = captured;
    if (run < this.#newest.run) {
      if (run === this.#gone?.run && this.#stragglers.length < MOST_STRAGGLERS)
        this.#stragglers.push(this.#numbered(captured, this.#gone));
      return false;
    }
    if (run > this.#newest.run) {
      this.#later.push(open(run));
      if (this.#later.length >= MOST_RUNS) this.#abandon();
    }
    this.#ring.push(this.#numbered(captured, this.#newest));
    return true;
  }

  /** What the socket will not carry, since this was asked last. */
  takeMissed(): Missed[] {
    return this.#missed.splice(0);
  }

  /** Packets that came of the run last given up after it was, and that run. */
  takeStragglers(): { readonly run: Run; readonly frames: HeldFrame[] } | null {
    if (this.#gone === null || this.#stragglers.length === 0) return null;
    return { run: this.#gone, frames: this.#stragglers.splice(0) };
  }

  /** The cursor goes past a frame that was sent. */
  advance(frame: HeldFrame): void {
    this.#cursor += 1;
    this.#sequence = frame.sequence + 1;
  }

  acknowledge(sequence: number): void {
    this.#sending.acked = Math.max(this.#sending.acked, Math.min(sequence, this.#sending.next - 1));
  }

  /** What the next hello asks for. A run of which nothing is left to send is passed over. */
  resumption(): { resume?: { epoch: number; sequence: number }; fresh?: true } {
    while (this.#later.length > 0 && this.#sending.epoch !== null) {
      const { run, acked } = this.#sending;
      if (this.#ring.at(this.#ring.find(run, acked + 1))?.epoch === run) break;
      this.#abandon();
    }
    const { epoch, acked } = this.#sending;
    if (epoch !== null) return { resume: { epoch, sequence: acked } };
    return this.#before === null ? {} : { resume: this.#before, fresh: true };
  }

  /**
   * Takes what the server gave: the run goes on, or begins, at `next`. When the server knows
   * neither this epoch nor a later run waits for one, the socket will carry nothing of what is held
   * and the answer is `anew`: the caller has to start capture with the newest run.
   */
  welcome(epoch: number, next: number, recording: string | null): 'on' | 'anew' {
    const known = this.#sending.epoch;
    let answer: 'on' | 'anew' = 'on';
    if (known !== null && known !== epoch) {
      if (this.#later.length === 0) {
        this.#later.push(open((Math.floor(this.#sending.run / RUN_STRIDE) + 1) * RUN_STRIDE));
        answer = 'anew';
      }
      this.#gone = this.#sending;
      this.#abandon();
    }
    this.#sending.epoch = epoch;
    this.#sending.recording = recording;
    // The server has everything below `next`, whether or not its last ack reached us.
    this.acknowledge(next - 1);
    this.#reach(next);
    return answer;
  }

  /** The run is sent and was read to its end: the next one's turn. Returns the run as it ended. */
  finish(): Run {
    const finished = this.#sending;
    finished.acked = finished.next - 1;
    this.#abandon();
    return finished;
  }

  /** The socket is not coming back: what was not acknowledged is missed. */
  giveUp(): void {
    while (this.#later.length > 0) this.#abandon();
    this.#miss(this.#sending.acked + 1, this.#sending.next);
  }

  /** Lets go of the run being sent; what of it was not acknowledged is missed. */
  #abandon(): void {
    const [later, ...rest] = this.#later;
    if (later === undefined) return;
    const { epoch, acked, next } = this.#sending;
    this.#miss(acked + 1, next);
    if (epoch !== null) this.#before = { epoch, sequence: acked };
    this.#sending = later;
    this.#later = rest;
    this.#reach(0);
  }

  /** Puts the cursor on a sequence of the run being sent, or the next after it that is still held. */
  #reach(sequence: number): void {
    this.#cursor = this.#ring.find(this.#sending.run, sequence);
    const frame = this.#ring.at(this.#cursor);
    const found = frame?.epoch === this.#sending.run ? frame.sequence : this.#sending.next;
    this.#sequence = Math.max(sequence, found);
    this.#miss(sequence, found);
  }

  #miss(from: number, to: number): void {
    if (to <= from) return;
    const { missed } = this.#sending;
    for (const range of uncovered({ from, to }, missed))
      this.#missed.push({ run: { ...this.#sending }, ...range });
    this.#sending.missed = united(missed, { from, to });
  }

  #numbered(captured: CapturedPacket, run: OpenRun): HeldFrame {
    const { flags, duration, timestamp, packet, captured: at } = captured;
    const sequence = run.next;
    run.next += 1;
    return {
      flags,
      rendition: 0,
      duration,
      sequence,
      epoch: run.run,
      timestamp,
      packet,
      captured: at,
    };
  }

  #mediaFrom(index: number): Millis {
    const duration = this.#ring.newest?.duration;
    return millis(
      duration === undefined ? 0 : (this.#ring.head - index) * samplesToMillis(duration),
    );
  }

  get #newest(): OpenRun {
    return this.#later.at(-1) ?? this.#sending;
  }
}
