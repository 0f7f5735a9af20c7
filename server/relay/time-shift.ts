/**
 * A listener's place in the past of a broadcast: frames from the recording, and from the ring where
 * it still has them, at the pace at which they were said or, to catch up with live, at a faster one.
 * What a listener cannot take in time makes it fall further behind and is not lost.
 */
import type { ClockPoint, FrameId, Metadata } from '../../shared/control.ts';
import { type Frame, frameEnd } from '../../shared/frame.ts';
import {
  type Millis,
  millis,
  millisToSamples,
  type Samples,
  samples,
  samplesToMillis,
  type Utc,
  utc,
} from '../../shared/time.ts';
import type { Channel } from './channel.ts';
import type { Place } from './reader.ts';

/** What of the broadcast that is on has left the ring. Its newest second may be missing. */
export interface Archive {
  /** UTC at which its first sample was captured; null while there is nothing. */
  readonly since: Utc | null;
  /**
   * Frames from a place on, or the next that there is, in order: at most `most` samples. Null when
   * they cannot be read now, but soon.
   */
  read(from: FrameId, most: Samples): Promise<readonly Frame[] | null>;
  /** The frame that lies so much media before its newest; its first when there is not so much. */
  before(span: Samples): FrameId | null;
  /** Titles in the order of their places. */
  titles(): readonly Metadata[];
  /** The newest clock map of an epoch; null when its publisher never said. */
  clock(epoch: number): ClockPoint | null;
}

/** Closer to live than this is live, ms. */
const LIVE_WITHIN = 500;
/** Frames leave so much earlier than they are due, so that the listener has something in hand, ms. */
const LEAD = millis(300);
/** Read from the recording at once, and read again when less than half of it is left. */
const READ = samples(2 * 48_000);
/** A hole that nobody waits for, samples: the sound goes on behind it. */
const HOLE_MOST = samples(48_000);
/** Who takes frames later than that gets what follows from then on at their pace, ms. */
const LATE_MOST = 1000;

const isBefore = (one: FrameId, other: FrameId): boolean =>
  one.epoch < other.epoch || (one.epoch === other.epoch && one.sequence < other.sequence);

/** The archive may make its titles anew each time. */
const isSame = (one: Metadata, other: Metadata | undefined): boolean =>
  one.title === other?.title &&
  one.at.epoch === other.at.epoch &&
  one.at.timestamp === other.at.timestamp;

const after = ({ epoch, sequence }: FrameId): FrameId => ({ epoch, sequence: sequence + 1 });

/** Where a listener wants to hear: from a frame, behind one, or so far behind live. */
export type Wish = {
  readonly from?: FrameId | undefined;
  readonly after?: FrameId | undefined;
  readonly behind?: Millis | undefined;
};

/** Where the past of a channel is. */
type Past = { readonly channel: Channel; readonly archive: Archive | null };

/** What is due at a moment. */
export type Due = {
  readonly frames: readonly Frame[];
  /** Titles that begin to hold with these frames. */
  readonly titles: readonly Metadata[];
  /** Clock map of an epoch that these frames begin. */
  readonly clock: ClockPoint | null;
};

/** One listener's shifted reading. */
export class TimeShift {
  readonly #channel: Channel;
  readonly #archive: Archive | null;
  #next: FrameId;
  #ahead: Frame[] = [];
  #reading = false;
  /** The recording has nothing more; what follows can only be in the ring. */
  #exhausted = false;
  /** The last frame that was due, and the moment at which its end is. */
  #last: Frame | undefined;
  #endsAt = utc(0);
  #titled: Metadata | undefined;
  #rate = 1;

  readonly #wish: Wish;

  private constructor({ channel, archive }: Past, from: FrameId, wish: Wish) {
    this.#channel = channel;
    this.#archive = archive;
    this.#next = from;
    this.#wish = wish;
  }

  /** The place that is wished for; undefined when that is the live edge. */
  static to(wish: Wish, past: Past): TimeShift | undefined {
    const from = wish.after ?? wish.from ?? placeBehind(wish.behind ?? millis(0), past);
    return from && new TimeShift(past, from, wish);
  }

  /**
   * Finds the first frame and says where it is. Undefined when there is none of the epoch that was
   * asked for, or not the one behind which to go on.
   */
  async open(): Promise<Place | undefined> {
    const { from, after: heard } = this.#wish;
    await this.#fetch();
    let first = this.#peek();
    if (heard !== undefined) {
      if (first?.epoch !== heard.epoch || first.sequence !== heard.sequence) return undefined;
      this.#next = after(heard);
      first = this.#peek();
    }
    if (first === undefined || (from !== undefined && first.epoch !== from.epoch)) return undefined;
    const { epoch, sequence, timestamp, duration } = first;
    const priming = Math.floor(millisToSamples(LEAD) / duration);
    return {
      start: { epoch, sequence, timestamp },
      live: { epoch, sequence: sequence + priming },
      recovered: heard !== undefined,
    };
  }

  /** Whether the listener has come to the live edge, or everything is over. */
  get caughtUp(): boolean {
    if (this.#peek() !== undefined) return false;
    return this.#archive === null || this.#exhausted || this.#inRing();
  }

  /** How much faster than it was said what comes next is sent; 1 again for who cannot take it. */
  get rate(): number {
    return this.#rate;
  }

  set rate(rate: number) {
    this.#rate = rate;
  }

  /** Of what is being heard; undefined before the first frame. */
  get epoch(): number | undefined {
    return this.#last?.epoch;
  }

  /** How far what comes next lies behind the newest frame; null across epochs. */
  get behind(): Millis | null {
    const { newest } = this.#channel.ring;
    const next = this.#peek();
    if (newest === undefined || next === undefined || newest.epoch !== next.epoch) return null;
    return samplesToMillis(samples(frameEnd(newest) - next.timestamp));
  }

  /** Takes what is due. Calls after a pause of the caller do not bring a burst. */
  due(now: Utc): Due {
    const frames: Frame[] = [];
    const titles: Metadata[] = [];
    let clock: ClockPoint | null = null;
    if (this.#last === undefined) this.#endsAt = now;
    else if (this.#endsAt + LATE_MOST < now) [this.#endsAt, this.#rate] = [now, 1];
    for (let frame = this.#peek(); frame !== undefined; frame = this.#peek()) {
      const begins = this.#beginOf(frame);
      if (begins > now + LEAD) break;
      if (frame.epoch !== this.#last?.epoch) clock = this.#clockOf(frame.epoch) ?? clock;
      const title = this.#titleAt(frame);
      if (title !== undefined) titles.push(title);
      this.#take(frame, begins);
      frames.push(frame);
    }
    void this.#readAhead();
    return { frames, titles, clock };
  }

  /** When a frame is due: where the one before ended, later by a hole that is short. */
  #beginOf(frame: Frame): Utc {
    const last = this.#last;
    if (last === undefined || last.epoch !== frame.epoch) return this.#endsAt;
    const hole = frame.timestamp - frameEnd(last);
    return hole > HOLE_MOST ? this.#endsAt : utc(this.#endsAt + this.#sent(samples(hole)));
  }

  /** The time that media takes at the rate, ms. */
  #sent(media: Samples): number {
    return samplesToMillis(media) / this.#rate;
  }

  #take(frame: Frame, begins: Utc): void {
    this.#last = frame;
    this.#endsAt = utc(begins + this.#sent(frame.duration));
    this.#next = after(frame);
    if (this.#ahead[0] === frame) this.#ahead.shift();
  }

  /** The frame that comes next: from the ring when it goes on from here, else from the recording. */
  #peek(): Frame | undefined {
    const { ring } = this.#channel;
    const { oldest } = ring;
    const inRing = ring.at(ring.find(this.#next.epoch, this.#next.sequence));
    if (this.#inRing()) {
      this.#ahead.length = 0;
      return inRing;
    }
    while (this.#ahead[0] !== undefined && isBefore(this.#ahead[0], this.#next))
      this.#ahead.shift();
    const [kept] = this.#ahead;
    if (kept !== undefined && (oldest === undefined || isBefore(kept, oldest))) return kept;
    // The recording has a hole up to the ring, or there is none.
    return this.#exhausted || this.#archive === null || kept !== undefined ? inRing : undefined;
  }

  /** Whether the ring goes on from the place that comes next. */
  #inRing(): boolean {
    const { oldest } = this.#channel.ring;
    return oldest !== undefined && !isBefore(this.#next, oldest);
  }

  async #readAhead(): Promise<void> {
    const held = this.#ahead.reduce((sum, { duration }) => sum + duration, 0);
    if (held < READ / 2) await this.#fetch();
  }

  async #fetch(): Promise<void> {
    if (this.#archive === null || this.#reading || this.#inRing()) return;
    this.#reading = true;
    const newest = this.#ahead.at(-1);
    const from = newest === undefined ? this.#next : after(newest);
    // A disk that cannot be read is a recording that goes no further.
    const frames = await this.#archive.read(from, READ).catch(() => []);
    this.#reading = false;
    // Asked for again with what is due next.
    if (frames === null) return;
    this.#ahead.push(...frames);
    this.#exhausted = frames.length === 0;
  }

  /** The newest clock map of an epoch: the channel knows its own before the archive does. */
  #clockOf(epoch: number): ClockPoint | null {
    const { clockPoint } = this.#channel;
    return clockPoint?.epoch === epoch ? clockPoint : (this.#archive?.clock(epoch) ?? null);
  }

  /** The title that holds at a frame, when it is another than before. */
  #titleAt(frame: Frame): Metadata | undefined {
    const holds = this.#archive
      ?.titles()
      .findLast(
        ({ at }) =>
          at.epoch < frame.epoch || (at.epoch === frame.epoch && at.timestamp < frameEnd(frame)),
      );
    if (holds === undefined || isSame(holds, this.#titled)) return undefined;
    this.#titled = holds;
    return holds;
  }
}

const placeBehind = (behind: Millis, { channel, archive }: Past): FrameId | undefined => {
  const { ring } = channel;
  const span = millisToSamples(behind);
  if (behind <= LIVE_WITHIN || ring.newest === undefined) return undefined;
  if (ring.held >= span) return ring.at(ring.behindNewest(span));
  return archive?.before(span) ?? ring.oldest;
};
