/** The way that gets ready while the present one plays on: one at a time, and not for ever. */
import { Scope } from '../scope.ts';
import type { Way } from './ways.ts';

/** So long the old way plays on while one that was asked for gets ready, or one that may come, ms. */
const [READY_WITHIN, BACK_WITHIN] = [8000, 20_000];

/** What is to be done with a way that is not heard in time. */
export type Coming = {
  /** Whether a person or a need asked for it; else it is only tried. */
  readonly insist: boolean;
  readonly late: (way: Way) => void;
};

/** Holds the way that is to come. */
export class ComingWay {
  #way: Way | null = null;
  #insisted = false;
  #waiting = new Scope();

  get way(): Way | null {
    return this.#way;
  }

  /** Whether there is one that is only tried. */
  get isTried(): boolean {
    return this.#way !== null && !this.#insisted;
  }

  /** Lets a way get ready; the one before is left. */
  begin(way: Way, { insist, late }: Coming): void {
    this.drop();
    this.#way = way;
    this.#insisted = insist;
    this.#waiting.after(insist ? READY_WITHIN : BACK_WITHIN, () => late(way));
  }

  /** It has come, or nobody wants it: it is not left here. */
  release(): void {
    this.#way = null;
    this.#waiting.dispose();
    this.#waiting = new Scope();
  }

  /** Leaves it. Returns what it was. */
  drop(): Way | null {
    const way = this.#way;
    this.release();
    way?.path.leave();
    return way;
  }
}
