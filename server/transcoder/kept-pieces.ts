/**
 * The pieces a new child would need: all that have not become access units yet, and before them the
 * pre-roll in which encoders and decoder settle.
 */
import { SAMPLE_RATE, type Samples, samples } from '../../shared/time.ts';
import type { Feed } from './messages.ts';

/** Pre-roll, 1 s: 24 AAC units in the slowest encoder, some 100 ms in the decoder. */
const PRE_ROLL = SAMPLE_RATE;

/** So much may always be kept, 8 s; who then has to give something up keeps the newest 4 s. */
const MOST = 8 * SAMPLE_RATE;
const REMAINING = 4 * SAMPLE_RATE;

/** Above that, a piece that has waited for so long, ms, while ever more came, shows that no child keeps up. */
const PATIENCE = 7000;

/** After an outage a publisher sends at once what it kept, 120 s: that is late, but not too much. */
const MOST_AT_ONCE = 130 * SAMPLE_RATE;

/** Pieces that the child may have before it says that it took them, in samples: 2 s. */
const MOST_IN_FLIGHT = 2 * SAMPLE_RATE;

/** A silence longer than this is cut, 100 ms, so that the limits hold. */
const LONGEST = 4800;

const endOf = ({ at, duration }: Feed): number => at + duration;

/** A bounded queue with two cursors: what was sent, and what the child took of it. */
export class KeptPieces {
  #pieces: Feed[] = [];
  /** When each of them came, ms. */
  #came: number[] = [];
  #done = Number.NEGATIVE_INFINITY;
  #sent = 0;
  #taken = 0;
  #kept = 0;
  /** The most that was kept since it was within bounds last. */
  #peak = 0;
  #inFlight = 0;
  #waiting = 0;
  #held = false;

  /** Sound that the child has not taken yet, sent or not. */
  get behind(): Samples {
    return samples(this.#inFlight + this.#waiting);
  }

  /** Track time of the first piece; undefined when none is kept. */
  get begin(): Samples | undefined {
    return this.#pieces[0]?.at;
  }

  /**
   * Adds a piece at a moment, ms. Returns the older ones that had to go to make room; they may be
   * missing between what was sent and what is left, so that only a new child can go on.
   */
  push(piece: Feed, now: number): Feed[] {
    for (let rest: Feed = piece; ; ) {
      const cut = rest.kind === 'silence' && rest.duration > LONGEST;
      this.#add(cut ? { ...rest, duration: samples(LONGEST) } : rest, now);
      if (!cut) break;
      rest = {
        ...rest,
        at: samples(rest.at + LONGEST),
        duration: samples(rest.duration - LONGEST),
      };
    }
    if (!this.#isTooMuch(now)) return [];
    let count = 0;
    for (let left = this.#kept; left > REMAINING; count += 1)
      left -= (this.#pieces[count] as Feed).duration;
    const gone = this.#drop(count);
    this.#peak = 0;
    this.rewind();
    return gone;
  }

  /** Whether pieces had to wait because too much is under way. */
  get held(): boolean {
    return this.#held;
  }

  /** Pieces to be sent now. */
  next(): Feed[] {
    const from = this.#sent;
    for (; this.#sent < this.#pieces.length && this.#inFlight < MOST_IN_FLIGHT; this.#sent += 1) {
      const { duration } = this.#pieces[this.#sent] as Feed;
      this.#inFlight += duration;
      this.#waiting -= duration;
    }
    this.#held = this.#sent < this.#pieces.length;
    return this.#pieces.slice(from, this.#sent);
  }

  /** The child took everything before `until`. */
  taken(until: Samples): void {
    for (; this.#taken < this.#sent; this.#taken += 1) {
      const piece = this.#pieces[this.#taken] as Feed;
      if (endOf(piece) > until) return;
      this.#inFlight -= piece.duration;
    }
  }

  /** Everything before `at` is done: only its pre-roll remains. */
  done(at: Samples): void {
    this.#done = at;
    let count = 0;
    while (count < this.#taken && endOf(this.#pieces[count] as Feed) <= at - PRE_ROLL) count += 1;
    this.#drop(count);
  }

  /** For a new child: all of it is to be sent again. */
  rewind(): void {
    this.#sent = 0;
    this.#taken = 0;
    this.#inFlight = 0;
    this.#waiting = this.#kept;
  }

  /** One of the packets kills every child: replaces them all by silence, and returns how many. */
  hush(): number {
    let hushed = 0;
    this.#pieces = this.#pieces.map((piece) => {
      if (piece.kind !== 'frame') return piece;
      hushed += 1;
      return { kind: 'silence', at: piece.at, duration: piece.duration };
    });
    return hushed;
  }

  #isTooMuch(now: number): boolean {
    const grows = this.#kept > this.#peak;
    this.#peak = this.#kept <= MOST ? 0 : Math.max(this.#peak, this.#kept);
    if (this.#kept <= MOST || !grows) return false;
    const waiting = this.#pieces.findIndex((piece) => endOf(piece) > this.#done);
    return this.#kept > MOST_AT_ONCE || now - (this.#came[waiting] ?? now) >= PATIENCE;
  }

  #add(piece: Feed, now: number): void {
    this.#pieces.push(piece);
    this.#came.push(now);
    this.#kept += piece.duration;
    this.#waiting += piece.duration;
  }

  #drop(count: number): Feed[] {
    this.#came.splice(0, count);
    const gone = this.#pieces.splice(0, count);
    for (const [index, { duration }] of gone.entries()) {
      this.#kept -= duration;
      if (index < this.#taken) continue;
      if (index < this.#sent) this.#inFlight -= duration;
      else this.#waiting -= duration;
    }
    this.#taken = Math.max(0, this.#taken - count);
    this.#sent = Math.max(0, this.#sent - count);
    return gone;
  }
}
