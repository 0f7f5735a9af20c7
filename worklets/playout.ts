/**
 * The way of a frame to the loudspeaker (PLAYOUT): jitter buffer, decoder and concealment (Source),
 * time-stretch, resampler; and the Control that watches the delay at the end of it.
 */
import type { Frame } from '../shared/frame.ts';
import {
  type Millis,
  millis,
  SAMPLE_RATE,
  SAMPLES_PER_MILLI,
  type Samples,
  samples,
} from '../shared/time.ts';
import { Content } from './playout-content.ts';
import { Control } from './playout-control.ts';
import type { Decoder } from './playout-decoder.ts';
import { Source } from './playout-source.ts';
import { Timeline } from './playout-timeline.ts';
import { Resampler } from './resampler.ts';
import { TimeStretch } from './time-stretch.ts';
import { FADE } from './time-stretch-search.ts';

export type { Decoder } from './playout-decoder.ts';

const BLOCK = 128;
/** Input for one block at the lowest device rate, 8 kHz, and the widest filter. */
const CAPACITY = 2048;

/** What a playout is made with. */
export type PlayoutOptions = {
  readonly createDecoder: () => Decoder;
  /** Hz, 8000 to 192000. */
  readonly deviceRate: number;
  /** Delay to begin with, ms. */
  readonly target?: Millis;
  /** Limits of the target, ms. */
  readonly floor?: Millis;
  readonly ceiling?: Millis;
};

/** A sample of the media: which epoch, and how far into it. */
export type Position = { readonly epoch: number; readonly timestamp: Samples };

/** Plays one channel to one device. Times are readings of the device's own clock. */
export class Playout {
  readonly #content = new Content();
  readonly #stretch = new TimeStretch(this.#content);
  readonly #source: Source;
  readonly #control: Control;
  readonly #resampler: Resampler;
  readonly #nominal: number;
  /** Which content each sample given to the resampler was. */
  readonly #fed = new Timeline();
  readonly #block = [new Float32Array(BLOCK), new Float32Array(BLOCK)] as const;
  readonly #outputs: Float32Array[] = [this.#block[0], this.#block[1]];
  readonly #position = { epoch: -1, timestamp: samples(0) };
  #written = 0;
  #followed = 0;
  #primed = false;
  #primedSince = Number.NaN;
  #paused = false;
  /** Sample at which to begin, whatever else says; -1: none. */
  #from = -1;
  #newest = -1;
  #received = 0;
  #late = 0;

  constructor({ createDecoder, deviceRate, target = millis(100), ...limits }: PlayoutOptions) {
    this.#source = new Source(this.#content, createDecoder);
    this.#control = new Control({ initial: target, ...limits });
    this.#nominal = SAMPLE_RATE / deviceRate;
    this.#resampler = new Resampler({ channels: 2, capacity: CAPACITY, step: this.#nominal });
  }

  /** `priming` until there is enough to begin with; `starved` while there is nothing to decode. */
  get phase(): 'priming' | 'playing' | 'starved' {
    if (!this.#primed) return 'priming';
    return this.#source.starving ? 'starved' : 'playing';
  }

  /** What the first sample of the last pull was; the same object every time. Epoch -1: nothing yet. */
  get position(): Position {
    return this.#position;
  }

  /** Media in hand beyond that sample. */
  get buffered(): Millis {
    const beyond = this.#source.newestEnd - this.#position.timestamp;
    return millis(Math.max(0, beyond / SAMPLES_PER_MILLI));
  }

  /** Delay aimed at. */
  get target(): Millis {
    return this.#control.target;
  }

  /** Frames concealed since the beginning. */
  get concealed(): number {
    return this.#source.concealed;
  }

  /** Frames restored by FEC. */
  get recovered(): number {
    return this.#source.recovered;
  }

  /** Frames dropped unplayed: overflow, too much delay, or a flush. */
  get skipped(): number {
    return this.#source.skipped;
  }

  /** Frames taken in. */
  get received(): number {
    return this.#received;
  }

  /** Frames that came when their place had been played, or of an epoch that is over. */
  get late(): number {
    return this.#late;
  }

  /** Decoders replaced because they trapped or refused. */
  get replaced(): number {
    return this.#source.replaced;
  }

  /** Splices of the time-stretch. */
  get splices(): number {
    return this.#stretch.splices;
  }

  /** Newest sequence received in the epoch; -1 when none. */
  get newest(): number {
    return this.#newest;
  }

  /** Takes a parsed frame, in hand at `now`; not `live` when that says nothing of the network. */
  push(frame: Frame, { live, now }: { live: boolean; now: Millis }): void {
    if (frame.epoch !== this.#position.epoch && !this.#begin(frame, now)) return;
    const admission = this.#source.insert(frame);
    if (admission === 'duplicate') return;
    this.#paused = false;
    if (live) this.#control.arrived(now, frame.timestamp);
    if (admission === 'late') {
      this.#late += 1;
      return;
    }
    this.#received += 1;
    this.#newest = Math.max(this.#newest, frame.sequence);
    if (Number.isNaN(this.#primedSince)) this.#primedSince = now;
  }

  /** The channel holds, fills or has ended: silence is nobody's fault until frames come again. */
  pause(): void {
    this.#paused = true;
    this.#control.pause();
  }

  /**
   * From the next frame on media comes so much faster than it was said, and is played as fast without
   * a change of pitch; 1 is as it was said.
   */
  setRate(rate: number, now: Millis): void {
    this.#control.setRate(rate, now);
  }

  /** The server skipped: what is in hand goes, and play goes on with what comes. */
  flush(): void {
    this.#source.clear({ counted: true });
    this.#primed = false;
    this.#primedSince = Number.NaN;
  }

  /** Like `flush`, and whatever epoch comes next is the one; `from`: at that sample of it. */
  rejoin(from?: Samples): void {
    this.flush();
    this.#position.epoch = -1;
    this.#from = from ?? -1;
  }

  /** Fills both channels with what is heard from `now` on, at the device's rate. */
  pull(left: Float32Array, right: Float32Array, now: Millis): void {
    const position = samples(this.#content.positionAt(this.#fed.at(this.#resampler.position)));
    this.#position.timestamp = samples(Math.round(position));
    this.#control.update(now, position, this.phase === 'playing');
    if (this.#primed) this.#keepUp(now);
    else this.#position.timestamp = this.#prime(now);
    this.#resampler.step = this.#nominal * this.#control.ratio;
    // Before it is primed nothing is used up, however fast it comes.
    this.#stretch.pace = this.#primed ? this.#control.pace : 0;
    this.#outputs[0] = left;
    this.#outputs[1] = right;
    for (let done = 0; done < left.length; ) {
      const count = Math.min(BLOCK, left.length - done);
      this.#feed(this.#resampler.needed(count));
      done += this.#resampler.read(this.#outputs, done, count);
    }
  }

  /** A frame of another epoch: false when that is over, else everything begins anew. */
  #begin(frame: Frame, now: Millis): boolean {
    const { epoch } = this.#position;
    // Serial arithmetic on 16 bits, as for RTP sequence numbers (RFC 1982).
    if (epoch >= 0 && ((frame.epoch - epoch) & 0xffff) > 0x7fff) {
      this.#late += 1;
      return false;
    }
    // Also after a rejoin, when there is no epoch any more but still a measure of the old one.
    if (this.#received > 0) this.#control.restart(now);
    this.#source.clear({ counted: false });
    this.#position.epoch = frame.epoch;
    this.#newest = -1;
    this.#primed = false;
    this.#primedSince = Number.NaN;
    return true;
  }

  /**
   * Begins as soon as there is the target's delay in hand: on what is known of the network, or before
   * any live frame on the media in hand, or else on the time that has passed. Returns where.
   */
  #prime(now: Millis): Samples {
    const { first } = this.#source;
    if (first === undefined) return this.#position.timestamp;
    const aim = this.#control.aim(now);
    const reserve = this.#control.target * SAMPLES_PER_MILLI + first.duration;
    const last = this.#source.newestEnd - first.duration;
    const begin = Math.max(this.#from, first.timestamp);
    const plenty = this.#source.newestEnd - begin >= reserve;
    const waited = Number.isNaN(aim) && now - this.#primedSince >= this.#control.target;
    if (!(plenty || waited || aim >= begin)) return samples(begin);
    const from = Number.isNaN(aim) ? this.#source.newestEnd - reserve : Math.min(aim, last);
    const chosen = this.#from >= 0 ? begin : Math.max(Math.round(from), begin);
    this.#source.skipTo(chosen, { counted: false });
    this.#primed = true;
    this.#from = -1;
    return samples(this.#source.position);
  }

  /** Skips what is hopelessly behind once what to play instead is in hand, and ends a starvation. */
  #keepUp(now: Millis): void {
    const { first } = this.#source;
    if (first === undefined) return;
    if (this.#control.hopeless) {
      const aim = Math.round(this.#control.aim(now));
      if (aim > first.timestamp && aim <= this.#source.newestEnd - first.duration)
        this.#source.skipTo(aim, { counted: true });
    }
    if (this.#source.starving) this.#source.advance();
  }

  #feed(count: number): void {
    for (let left = count; left > 0; ) {
      while (this.#content.ahead < this.#stretch.wanted && this.#source.advance());
      if (this.#content.ahead === 0) this.#produce(left);
      const [blockLeft, blockRight] = this.#block;
      const length = this.#stretch.read(blockLeft, blockRight, Math.min(left, BLOCK));
      this.#follow(length);
      this.#resampler.write(this.#block, 0, length);
      left -= length;
    }
  }

  #produce(count: number): void {
    if (!this.#primed) this.#source.idle(count);
    else if (!this.#source.advance()) {
      this.#stretch.pace = 0;
      this.#source.starve(!this.#paused);
    }
  }

  /** Notes which content the next `length` samples into the resampler are. */
  #follow(length: number): void {
    const start = this.#content.index - length;
    const { jumped } = this.#stretch;
    if (jumped !== 0) {
      this.#fed.mark(this.#written, start - jumped, 1 + jumped / FADE);
      this.#fed.mark(this.#written + FADE, start + FADE);
    } else if (start !== this.#followed) this.#fed.mark(this.#written, start);
    this.#followed = start + length;
    this.#written += length;
  }
}
