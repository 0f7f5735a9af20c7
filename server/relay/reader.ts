/** Where a listener reads: a cursor in the ring of one rendition, and the way to another's. */
import type { FrameId } from '../../shared/control.ts';
import { type Frame, frameEnd } from '../../shared/frame.ts';
import type { Ring } from '../../shared/ring.ts';
import {
  type Millis,
  millis,
  millisToSamples,
  type Samples,
  samplesToMillis,
} from '../../shared/time.ts';
import type { Channel } from './channel.ts';

/** A derived rendition so far behind the publisher's own has lost its maker, samples. */
const STALE = 48_000;

/** Media sent at once so that a listener can start: a little more than the usual first target, ms. */
export const PRIMING = millis(300);

/** Where a listener at the live edge begins: behind the last frame it had, or so far back. */
export type LiveWish = {
  readonly resume?: FrameId | undefined;
  readonly behind?: Millis | undefined;
};

/** Where it does begin; frames up to `live` are priming or replay. Both are null off the air. */
export type Place = {
  readonly start: (FrameId & { readonly timestamp: Samples }) | null;
  readonly live: FrameId | null;
  readonly recovered: boolean;
};

const idOf = ({ epoch, sequence }: Frame): FrameId => ({ epoch, sequence });

/** A cursor that goes over from ring to ring at the very frame that follows the last one read. */
export class Reader {
  readonly #channel: Channel;
  #ring: Ring<Frame>;
  #cursor: number;
  #last: FrameId | undefined;
  /** Id of the rendition asked for; the publisher's own is read until there are frames of it. */
  wanted = 0;

  constructor(channel: Channel) {
    this.#channel = channel;
    this.#ring = channel.ring;
    this.#cursor = channel.ring.head;
  }

  get ring(): Ring<Frame> {
    return this.#ring;
  }

  /** Index of the next frame to read; may have left the ring. */
  get cursor(): number {
    return this.#cursor;
  }

  /** Media between the cursor and the live edge. */
  get waiting(): Millis {
    return samplesToMillis(this.#ring.mediaFrom(this.#cursor));
  }

  /** Index of the oldest frame at most `span` behind the live edge. */
  behindLive(span: Millis): number {
    return this.#ring.behindNewest(millisToSamples(span));
  }

  /** Goes to an index of the ring being read; returns between which frames nothing is read. */
  skipTo(index: number): { readonly from: FrameId; readonly to: FrameId } | undefined {
    const from = this.#ring.at(Math.max(this.#cursor, this.#ring.tail));
    const to = this.#ring.at(index);
    this.#cursor = index;
    return from && to && { from: idOf(from), to: idOf(to) };
  }

  /** Goes to an index of the publisher's own ring, be it back in time. */
  restart(index: number): void {
    this.#last = undefined;
    this.#ring = this.#channel.ring;
    this.#cursor = index;
  }

  /** Goes close to live, or to where the ring still goes on from the last frame that was heard. */
  goLive({ resume, behind = PRIMING }: LiveWish): Place {
    const { ring, onAir } = this.#channel;
    const newest = onAir ? ring.newest : undefined;
    if (newest === undefined) {
      this.restart(ring.head);
      return { start: null, live: null, recovered: false };
    }
    const resumed = resume && this.#indexAfter(resume);
    this.restart(resumed ?? this.behindLive(behind));
    const first = ring.at(this.#cursor);
    const live = idOf(newest);
    const start =
      first === undefined
        ? { epoch: live.epoch, sequence: live.sequence + 1, timestamp: frameEnd(newest) }
        : { ...idOf(first), timestamp: first.timestamp };
    return { start, live, recovered: resumed !== undefined };
  }

  #indexAfter({ epoch, sequence }: FrameId): number | undefined {
    const { ring } = this.#channel;
    const index = ring.find(epoch, sequence);
    const frame = ring.at(index);
    return frame?.epoch === epoch && frame.sequence === sequence ? index + 1 : undefined;
  }

  /** The frames up to an index (excluded); the cursor stands there afterwards. */
  *read(to: number): Generator<Frame> {
    for (let index = this.#cursor; index < to; index += 1) {
      const frame = this.#ring.at(index);
      if (frame !== undefined) yield frame;
      this.#last = frame ?? this.#last;
    }
    this.#cursor = to;
  }

  /** Goes over to the rendition asked for, or back to the publisher's own when it is no more made. */
  changeOver(): void {
    const { ring: own } = this.#channel;
    const other = this.#channel.ringOf(this.wanted) ?? own;
    const target = this.#isAlive(other) ? other : own;
    if (target !== this.#ring) this.#follow(target);
    this.#passKnown();
  }

  /** Whether a ring is near the publisher's own: else its maker has gone, or has only begun. */
  #isAlive(ring: Ring<Frame>): boolean {
    const live = this.#channel.ring.newest;
    const { newest } = ring;
    if (newest === undefined || live === undefined || newest.epoch !== live.epoch) return false;
    return live.timestamp - newest.timestamp <= STALE;
  }

  /** Reads on in a ring behind the last frame read, which may be a frame that is yet to be made. */
  #follow(ring: Ring<Frame>): void {
    const last = this.#last;
    if (last === undefined) return;
    const { oldest } = ring;
    const lacksNext = oldest?.epoch === last.epoch && oldest.sequence > last.sequence + 1;
    if (lacksNext && ring !== this.#channel.ring) return;
    this.#ring = ring;
    this.#cursor = ring.find(last.epoch, last.sequence + 1);
  }

  /** What is made of frames that were read from another ring already is passed over. */
  #passKnown(): void {
    const last = this.#last;
    for (let frame = this.#ring.at(this.#cursor); frame !== undefined; ) {
      if (last === undefined || frame.epoch !== last.epoch || frame.sequence > last.sequence)
        return;
      this.#cursor += 1;
      frame = this.#ring.at(this.#cursor);
    }
  }
}
