/**
 * The pieces a new child would need: all that have not become access units yet, and before them the
 * pre-roll in which encoders and decoder settle.
 */
import { SAMPLE_RATE, type Samples, samples } from '../../shared/time.ts';
import type { Feed } from './messages.ts';

/** Pre-roll, 1 s: 24 AAC units in the slowest encoder, some 100 ms in the decoder. */
const PRE_ROLL = SAMPLE_RATE;

/** The most that is kept, 8 s; when it is reached, the newest 4 s remain. */
const MOST = 8 * SAMPLE_RATE;
const REMAINING = 4 * SAMPLE_RATE;

/** Pieces that the child may have before it says that it took them, in samples: 2 s. */
const MOST_IN_FLIGHT = 2 * SAMPLE_RATE;

/** A silence longer than this is cut, 100 ms, so that the limits hold. */
const LONGEST = 4800;

const endOf = ({ at, duration }: Feed): number => at + duration;

/** A bounded queue with two cursors: what was sent, and what the child took of it. */
export class KeptPieces {
  #pieces: Feed[] = [];
  #sent = 0;
  #taken = 0;
  #kept = 0;
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
   * Adds a piece. Returns the older ones that had to go to make room; they may be missing between
   * what was sent and what is left, so that only a new child can go on.
   */
  push(piece: Feed): Feed[] {
    for (let rest: Feed = piece; ; ) {
      const cut = rest.kind === 'silence' && rest.duration > LONGEST;
      this.#add(cut ? { ...rest, duration: samples(LONGEST) } : rest);
      if (!cut) break;
      rest = {
        ...rest,
        at: samples(rest.at + LONGEST),
        duration: samples(rest.duration - LONGEST),
      };
    }
    const gone: Feed[] = [];
    if (this.#kept <= MOST) return gone;
    while (this.#kept > REMAINING) gone.push(this.#drop());
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
    while (this.#taken > 0 && endOf(this.#pieces[0] as Feed) <= at - PRE_ROLL) this.#drop();
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

  #add(piece: Feed): void {
    this.#pieces.push(piece);
    this.#kept += piece.duration;
    this.#waiting += piece.duration;
  }

  #drop(): Feed {
    const piece = this.#pieces.shift() as Feed;
    const { duration } = piece;
    this.#kept -= duration;
    if (this.#taken > 0) this.#taken -= 1;
    else if (this.#sent > 0) this.#inFlight -= duration;
    else this.#waiting -= duration;
    if (this.#sent > 0) this.#sent -= 1;
    return piece;
  }
}
