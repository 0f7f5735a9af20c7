import { FLAG, type Frame, frameEnd } from '../shared/frame.ts';
import { opusMode } from '../shared/opus.ts';
import { type Admission, JitterBuffer } from './jitter-buffer.ts';
import { type Content, EDGE } from './playout-content.ts';
import { type Decoder, DisposableDecoder } from './playout-decoder.ts';
import { Joint, RAMP } from './playout-joint.ts';

/** Concealment is asked for in pieces of 20 ms, as libopus counts them. */
const PIECE = 960;
/** libopus 1.3.1 gets louder at the sixth piece in CELT modes, so there is none. */
const MOST_PIECES = 5;
const FADE_FROM = 2880;
const FADE_TO = 4800;
/** After a frame flagged DTX, this much without frames is silence: 400 ms. */
const DTX_SILENCE = 19_200;
/** Media decoded and thrown away before the first sample that is heard: 80 ms (RFC 7845, 4.6). */
const PREROLL = 3840;
/** Every Opus length is a multiple of 2.5 ms. */
const GRID = 120;

/** Gain of concealment that long after the last sample received: 1 until 60 ms, 0 from 100 ms. */
export const concealmentGain = (goneFor: number): number => {
  const share = Math.max(0, Math.min(1, (goneFor - FADE_FROM) / (FADE_TO - FADE_FROM)));
  return 0.5 + 0.5 * Math.cos(Math.PI * share);
};

const carriesFec = ({ flags, packet }: Frame): boolean =>
  (flags & FLAG.fec) !== 0 && opusMode(packet[0] ?? 0xff) !== 'celt';

/**
 * Turns frames into content, in order: decodes what is there, bridges what was lost, and when there
 * is nothing conceals until there is something again.
 */
export class Source {
  readonly #buffer = new JitterBuffer();
  readonly #content: Content;
  readonly #decoder: DisposableDecoder;
  readonly #joint = new Joint();
  /** Timestamp after the content's last sample, and what of the next frame lies before it. */
  #position = 0;
  #trim = 0;
  #duration = PIECE;
  #dtx = false;
  #dtxFor = 0;
  /** Samples since the last that was received, and pieces asked of the decoder since. */
  #goneFor = 0;
  #pieces = 0;
  #starving = false;
  /** Samples of the starvation that goes on, and those of them that count as concealed. */
  #starvedFor = 0;
  #countedFor = 0;
  #concealed = 0;
  #recovered = 0;
  #skipped = 0;

  constructor(content: Content, createDecoder: () => Decoder) {
    this.#content = content;
    this.#decoder = new DisposableDecoder(createDecoder);
  }

  /** Oldest frame in hand that was not decoded yet. */
  get first(): Frame | undefined {
    return this.#buffer.first;
  }

  /** Timestamp at which content goes on. */
  get position(): number {
    return this.#position;
  }

  /** Timestamp after the newest media in hand, decoded or not. */
  get newestEnd(): number {
    return this.#buffer.length > 0 ? this.#buffer.newestEnd : this.#position;
  }

  /** True from the first concealment for want of any frame until the next frame is decoded. */
  get starving(): boolean {
    return this.#starving;
  }

  /** Frames for which something else was played, in units of the last frame's length. */
  get concealed(): number {
    const starved = Math.max(0, this.#countedFor - this.#content.ahead);
    return this.#concealed + Math.ceil(starved / this.#duration);
  }

  /** Frames restored from the redundancy in the one after them. */
  get recovered(): number {
    return this.#recovered;
  }

  /** Frames dropped unplayed. */
  get skipped(): number {
    return this.#skipped + this.#buffer.overflowed;
  }

  get replaced(): number {
    return this.#decoder.replaced;
  }

  /** Takes a frame; where that drops the oldest, goes on at the oldest left. */
  insert(frame: Frame): Admission {
    const before = this.#buffer.overflowed;
    const admission = this.#buffer.insert(frame);
    if (this.#buffer.overflowed > before)
      this.skipTo(this.#buffer.first?.timestamp ?? 0, { counted: false });
    return admission;
  }

  /** Adds what comes next from frames in hand; false when there is none. */
  advance(): boolean {
    const frame = this.#buffer.first;
    if (frame === undefined) return false;
    if (this.#starving) this.#resume(frame);
    const missing = frame.timestamp - this.#position;
    if (missing <= 0) this.#play(frame);
    else if (frame.sequence > (this.#buffer.next ?? 0)) this.#bridge(frame, missing);
    else this.#still(Math.min(missing, PIECE));
    return true;
  }

  /** Adds something to be heard while there is no frame in hand; `counted` unless none is due. */
  starve(counted: boolean): void {
    if (this.#dtx && this.#dtxFor < DTX_SILENCE) {
      this.#dtxFor += GRID;
      this.#still(GRID);
      return;
    }
    this.#starving = true;
    this.#starvedFor += PIECE;
    if (counted) this.#countedFor += PIECE;
    this.#conceal(PIECE, 0);
  }

  /** Adds silence in which no media passes. */
  idle(count: number): void {
    this.#content.silence(count, this.#position, 0);
  }

  /** Goes on at `timestamp`, or at the next frame after it; frames before it are dropped. */
  skipTo(timestamp: number, { counted }: { counted: boolean }): void {
    this.#cut();
    this.#decoder.reset();
    while (this.#buffer.length > 1 && frameEnd(this.#buffer.first!) <= timestamp) {
      const { packet, duration, timestamp: begin } = this.#buffer.shift()!;
      if (counted) this.#skipped += 1;
      if (timestamp - begin <= PREROLL) this.#decoder.decode(packet, duration);
    }
    const { first } = this.#buffer;
    if (first === undefined) return;
    while (this.#buffer.next! < first.sequence) this.#buffer.pass();
    this.#position = Math.max(first.timestamp, Math.min(timestamp, frameEnd(first) - 1));
    this.#trim = this.#position - first.timestamp;
    if (!this.#content.quiet) this.#content.silence(EDGE, this.#position, 0);
  }

  /** Forgets all frames; the next to come, whichever it is, will be first. */
  clear({ counted }: { counted: boolean }): void {
    if (counted) this.#skipped += this.#buffer.length;
    this.#buffer.clear();
    this.#cut();
  }

  /** Content ends where it has been played to, and what comes after begins from silence. */
  #cut(): void {
    if (this.#starving) this.#settle();
    this.#content.truncate(0);
    this.#dtx = false;
    this.#trim = 0;
    this.#goneFor = FADE_TO;
    this.#pieces = MOST_PIECES;
    this.#joint.rampFrom(0, RAMP);
  }

  /** Ends a starvation: what of it was not played yet does not count. */
  #settle(): void {
    const rest = this.#content.ahead;
    this.#concealed = this.concealed;
    this.#countedFor = 0;
    this.#starvedFor -= rest;
    this.#goneFor -= rest;
    this.#starving = false;
  }

  /**
   * A frame came after all: the rest of the concealment goes, over 5 ms. Media that is missing before
   * the frame was waited for already, as far as the wait went.
   */
  #resume(frame: Frame): void {
    const audible = this.#pieces <= MOST_PIECES && !this.#content.quiet;
    this.#settle();
    const missing = frame.timestamp - this.#position;
    if (missing > 0) this.#position += Math.min(missing, this.#starvedFor);
    this.#starvedFor = 0;
    this.#joint.fadeFrom(this.#content);
    this.#joint.rampFrom(audible ? concealmentGain(this.#goneFor) : 0, RAMP);
  }

  #play(frame: Frame): void {
    this.#buffer.shift();
    this.#duration = frame.duration;
    this.#dtx = (frame.flags & FLAG.dtx) !== 0;
    this.#dtxFor = 0;
    if (this.#decoder.decode(frame.packet, frame.duration)) {
      this.#append(frame.timestamp, frame.duration);
      return;
    }
    this.#trim = 0;
    this.#concealed += 1;
    const missing = frameEnd(frame) - Math.max(this.#position, frame.timestamp);
    if (missing > 0) this.#conceal(missing, 1);
  }

  /** Bridges up to 20 ms of a gap in the sequence. */
  #bridge(frame: Frame, missing: number): void {
    const { duration } = frame;
    const fec = carriesFec(frame);
    const before = this.#buffer.next ?? frame.sequence;
    if (fec && missing === duration) {
      this.#buffer.pass();
      if (this.#decoder.decodeFec(frame.packet, duration)) {
        this.#recovered += 1;
        this.#append(this.#position, duration);
      } else {
        this.#concealed += 1;
        this.#conceal(duration, 1);
      }
      return;
    }
    const length = Math.min(PIECE, fec && missing > duration ? missing - duration : missing);
    for (let covered = 0; covered < length; covered += duration)
      if (this.#buffer.next! < frame.sequence) this.#buffer.pass();
    this.#concealed += this.#buffer.next! - before;
    this.#conceal(length, 1);
  }

  /** Silence that belongs to the media: a pause in speech, or a hole in the capture. */
  #still(count: number): void {
    this.#content.silence(count, this.#position, 1);
    this.#goneFor = FADE_TO;
    this.#pieces = MOST_PIECES;
    this.#position += count;
    this.#joint.rampFrom(0, this.#dtx ? EDGE : RAMP);
  }

  /** Concealment by the decoder as long as it is any good, faded out, then silence. */
  #conceal(count: number, slope: 0 | 1): void {
    const asked = Math.ceil(count / GRID) * GRID;
    this.#pieces += 1;
    if (this.#pieces <= MOST_PIECES && this.#decoder.conceal(asked)) {
      const at = this.#content.reserve(count);
      this.#content.write(at, this.#decoder.pcm, 0, count);
      for (let k = 0; k < count; k += 1)
        this.#content.scale(at + k, concealmentGain(this.#goneFor + k));
      this.#content.commit(count, this.#position, slope);
      if (this.#goneFor + count >= FADE_TO) this.#content.hush();
    } else {
      this.#pieces = MOST_PIECES;
      this.#content.silence(count, this.#position, slope);
    }
    this.#goneFor += count;
    this.#position += slope * count;
    this.#joint.rampFrom(this.#content.quiet ? 0 : concealmentGain(this.#goneFor), RAMP);
  }

  #append(timestamp: number, duration: number): void {
    const count = duration - this.#trim;
    const at = this.#content.reserve(count);
    this.#content.write(at, this.#decoder.pcm, this.#trim, count);
    this.#joint.apply(this.#content, at, count);
    this.#content.commit(count, timestamp + this.#trim, 1);
    this.#position = timestamp + duration;
    this.#trim = 0;
    this.#goneFor = 0;
    this.#pieces = 0;
  }
}
