/**
 * Uplink pressure: decides from what waits in the socket how fast the encoder may run and whether
 * the socket gets another frame (shared/PROTOCOL.md, Uplink pressure).
 */
import type { Rendition } from '../../shared/catalog.ts';
import { HEADER_BYTES } from '../../shared/frame.ts';
import { SAMPLE_RATE, type Utc } from '../../shared/time.ts';

const STEPS = [128_000, 96_000, 64_000, 48_000, 32_000];

/** Seconds of media waiting in the socket: from here on the encoder goes a step down. */
const PRESSED = 0.3;
/** Below this the uplink is calm. */
const CALM = 0.1;
/** From here on frames stay in the ring. */
const FULL = 1;

/** The socket is judged by the least that waited in this time, ms: a burst is no pressure. */
const WINDOW = 500;
/** Between two steps down, ms: the last one has to take effect first. */
const STEP_DOWN_EVERY = 1000;
/** Calm before a step up, ms. */
const STEP_UP_AFTER = 10_000;

/** A WebSocket frame's own header from client to server with a payload of more than 125 bytes. */
const FRAMING_BYTES = 8;

/** Judges one socket after another; the bitrate it came to outlives them. */
export class UplinkPressure {
  readonly #bitrates: readonly number[];
  readonly #overhead: number;
  #step = 0;
  #least = Number.POSITIVE_INFINITY;
  #windowBegan: number | null = null;
  #steppedDown = Number.NEGATIVE_INFINITY;
  #calmSince: number | null = null;

  constructor({ bitrate, frame }: Pick<Rendition, 'bitrate' | 'frame'>) {
    this.#bitrates = [bitrate, ...STEPS.filter((step) => step < bitrate)];
    this.#overhead = (SAMPLE_RATE / frame) * (HEADER_BYTES + FRAMING_BYTES);
  }

  /** What the encoder should run at now, bit/s. */
  get bitrate(): number {
    return this.#bitrates[this.#step] ?? 0;
  }

  /** Whether the socket takes one more frame when so many bytes wait in it. */
  admits(buffered: number): boolean {
    return this.#seconds(buffered) < FULL;
  }

  /** Whether hardly anything of what is live waits, so that the line has room for more. */
  calm(buffered: number): boolean {
    return this.#seconds(buffered) < CALM;
  }

  /**
   * Enters how many bytes waited just before the next were sent. Returns true when the bitrate
   * changed.
   */
  observe(buffered: number, now: Utc): boolean {
    this.#windowBegan ??= now;
    this.#least = Math.min(this.#least, this.#seconds(buffered));
    if (now - this.#windowBegan < WINDOW) return false;
    const least = this.#least;
    this.#least = Number.POSITIVE_INFINITY;
    this.#windowBegan = now;
    return this.#judge(least, now);
  }

  /** A new socket begins with nothing in it. */
  reset(): void {
    this.#least = Number.POSITIVE_INFINITY;
    this.#windowBegan = null;
    this.#calmSince = null;
  }

  #judge(waiting: number, now: Utc): boolean {
    if (waiting >= CALM) this.#calmSince = null;
    else this.#calmSince ??= now;
    if (
      waiting > PRESSED &&
      this.#step < this.#bitrates.length - 1 &&
      now - this.#steppedDown >= STEP_DOWN_EVERY
    ) {
      this.#step += 1;
      this.#steppedDown = now;
      return true;
    }
    if (this.#step === 0 || this.#calmSince === null || now - this.#calmSince < STEP_UP_AFTER)
      return false;
    this.#step -= 1;
    this.#calmSince = now;
    return true;
  }

  #seconds(bytes: number): number {
    return bytes / (this.bitrate / 8 + this.#overhead);
  }
}
