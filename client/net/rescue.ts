/**
 * Decides what of an uplink's frames has to be written to the spool, and what the spool then has to
 * bring to the server, because the socket will not: the replay no longer held it, the broadcast had
 * ended before the host was back, or the session ends without a server.
 */
import { encodeFrame } from '../../shared/frame.ts';
import type { Ring } from '../../shared/ring.ts';
import type { Millis, Utc } from '../../shared/time.ts';
import type { HeldFrame, Run, Runs } from './runs.ts';
import type { Place } from './segment.ts';
import type { Spool } from './spool.ts';

/** Frames of one uplink between its replay ring and the spool. */
export class Rescue {
  readonly #ring: Ring<HeldFrame>;
  readonly #runs: Runs;
  readonly #spool: Spool;
  readonly #after: Millis;
  readonly #begun = new Map<string, Utc>();
  /** Index in the ring up to which nothing is left to write. */
  #cursor = 0;
  #lost = 0;
  #spooled = 0;

  /** From so much unacknowledged media on it is written: `after`, ms. */
  constructor(
    ring: Ring<HeldFrame>,
    runs: Runs,
    { spool, after }: { readonly spool: Spool; readonly after: Millis },
  ) {
    this.#ring = ring;
    this.#runs = runs;
    this.#spool = spool;
    this.#after = after;
  }

  /**
   * Frames since the beginning: those that nobody will ever get, and those that reach the server by
   * upload only.
   */
  get counts(): { readonly lost: number; readonly spooled: number } {
    this.#settle();
    const { dropped } = this.#spool;
    return { lost: this.#lost + dropped, spooled: this.#spooled - dropped };
  }

  /** A recording that frames are made for from now on, and when its broadcast began here. */
  belongs(recording: string | null, begun: Utc): void {
    if (recording !== null && !this.#begun.has(recording)) this.#begun.set(recording, begun);
  }

  /** A packet was captured: writes what the server should have acknowledged long ago. */
  look(): void {
    this.#settle();
    if (this.#runs.unacknowledged >= this.#after) this.keepAll();
  }

  /** Writes whatever the server has not acknowledged of the run being sent. */
  keepAll(): void {
    const { sending } = this.#runs;
    const { run, acked } = sending;
    if (this.#placeOf(sending) === null) return;
    let index = Math.max(this.#cursor, this.#ring.find(run, acked + 1));
    for (let frame = this.#ring.at(index); frame?.epoch === run; frame = this.#ring.at(index)) {
      if (!this.#keep(frame, sending)) break;
      index += 1;
    }
    this.#cursor = index;
  }

  /** The server has said what it has of a run, or read the socket to its end. */
  confirmed({ epoch, acked }: Run): void {
    if (epoch !== null && acked >= 0) this.#spool.confirm(epoch, acked);
  }

  /** No socket will come any more: everything held goes up from the spool. */
  async end(): Promise<void> {
    this.keepAll();
    this.#runs.giveUp();
    this.#settle();
    await this.#spool.settle();
  }

  #settle(): void {
    const late = this.#runs.takeStragglers();
    for (const frame of late?.frames ?? []) {
      const run = late?.run as Run;
      this.#keep(frame, run);
      this.#owe(run, frame.sequence, frame.sequence + 1);
    }
    for (const { run, from, to } of this.#runs.takeMissed()) this.#owe(run, from, to);
  }

  #owe({ epoch }: Run, from: number, to: number): void {
    const here = epoch === null ? 0 : this.#spool.owe(epoch, { from, to });
    this.#spooled += here;
    this.#lost += to - from - here;
  }

  #keep(frame: HeldFrame, run: Run): boolean {
    const place = this.#placeOf(run);
    if (place === null) return false;
    const bytes = encodeFrame({ ...frame, epoch: place.epoch }, frame.packet);
    return this.#spool.keep(bytes, frame, place);
  }

  #placeOf({ epoch, recording }: Run): Place | null {
    const begun = recording === null ? undefined : this.#begun.get(recording);
    if (epoch === null || recording === null || begun === undefined) return null;
    return { epoch, recording, begun };
  }
}
