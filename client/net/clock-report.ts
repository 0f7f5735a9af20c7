/** Tells the server at which of its UTC a sample was captured (shared/PROTOCOL.md, Publishing). */
import type { ServerClock } from '../../shared/clock.ts';
import type { PublisherMessage } from '../../shared/control.ts';
import { frameEnd } from '../../shared/frame.ts';
import { millis, samples, samplesToMillis } from '../../shared/time.ts';
import type { HeldFrame, Runs } from './runs.ts';

/** The browser's UTC counts whole milliseconds. */
const CLOCK_STEP = 1;
/** More than this besides what the last point said, ms, is lost time and not the drift of a device. */
const STEP = 20;
/** A longer backlog than this, ms, is not sent before its age can be told. */
const LONG_BACKLOG = 2000;

/** Points of the media clock, of the run being sent. */
export class ClockReport {
  readonly #runs: Runs;
  readonly #connection: { readonly clock: ServerClock; send(message: PublisherMessage): void };
  readonly #isOpen: () => boolean;
  /** One is owed and could not be made yet. */
  due = false;
  #told: HeldFrame | undefined;

  /** `isOpen` says whether the session takes control messages now. */
  constructor(
    runs: Runs,
    connection: { readonly clock: ServerClock; send(message: PublisherMessage): void },
    isOpen: () => boolean,
  ) {
    this.#runs = runs;
    this.#connection = connection;
    this.#isOpen = isOpen;
  }

  /** Whether so much waits that its age must be known before any of it is sent. */
  get comesFirst(): boolean {
    return !this.#connection.clock.known && this.#runs.backlog > LONG_BACKLOG;
  }

  /** Sends a point when one is owed, or the last one no longer holds. */
  look(): void {
    if (this.due || this.#stepped()) this.send();
  }

  /** One point: the end of the newest packet. It stays due while the session cannot take it. */
  send(): void {
    const { clock } = this.#connection;
    const frame = this.#runs.newestOfSending;
    const { epoch } = this.#runs.sending;
    this.due = true;
    if (!this.#isOpen() || epoch === null || !clock.known || !frame) return;
    this.due = false;
    this.#told = frame;
    this.#connection.send({
      type: 'clock',
      epoch,
      timestamp: frameEnd(frame),
      utc: clock.toServer(frame.captured),
      uncertainty: millis(clock.uncertainty + CLOCK_STEP),
    });
  }
  /**
   * Whether the context has lost time since the last point: everybody's idea of the delay is wrong
   * by that until the next.
   */
  #stepped(): boolean {
    const [told, frame] = [this.#told, this.#runs.newestOfSending];
    if (frame === undefined || frame.epoch !== told?.epoch) return false;
    const passed = samplesToMillis(samples(frameEnd(frame) - frameEnd(told)));
    return Math.abs(frame.captured - told.captured - passed) > STEP;
  }
}
