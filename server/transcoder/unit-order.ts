/** Which access unit has to come next, over all stretches: no hole, none twice. */
import { type Samples, samples } from '../../shared/time.ts';
import { UNIT } from './aac-encoder.ts';

type Stretch = { readonly begin: number; end: number };

/** An access unit of AAC-LC that holds nothing but two empty channels (ISO 14496-3, 4.4.2.1). */
export const SILENT_UNIT: Uint8Array = Uint8Array.of(0x20, 0, 0, 0, 0, 0, 0x0e);

/** The units that a channel's pieces have to yield, in order. */
export class UnitOrder {
  readonly #stretches: Stretch[] = [];
  #next = 0;

  /** A stretch begins at `at`, a multiple of 1024. */
  begin(at: Samples): void {
    this.#stretches.push({ begin: at, end: Number.POSITIVE_INFINITY });
    if (this.#stretches.length === 1) this.#next = at;
  }

  /** The stretch that began last ends at `at`; its last unit is filled up with zeros. */
  end(at: Samples): void {
    const last = this.#stretches.at(-1);
    if (last === undefined || last.end !== Number.POSITIVE_INFINITY) return;
    last.end = Math.ceil(at / UNIT) * UNIT;
    this.#settle();
  }

  /** Track time of the unit that comes next; undefined when all have come. */
  get next(): Samples | undefined {
    return this.#stretches.length === 0 ? undefined : samples(this.#next);
  }

  /**
   * Goes on until after the unit at `at`. Returns the units before it that never came, or undefined
   * when nobody waits for a unit there.
   */
  take(at: Samples): Samples[] | undefined {
    if (!this.#awaits(at)) return undefined;
    const missing = this.skip(at);
    this.#step();
    return missing;
  }

  /** Gives up the units before `at`, and returns them. */
  skip(at: Samples): Samples[] {
    const missing: Samples[] = [];
    for (let next = this.next; next !== undefined && next < at; next = this.next) {
      missing.push(next);
      this.#step();
    }
    return missing;
  }

  #awaits(at: number): boolean {
    return (
      at % UNIT === 0 &&
      at >= this.#next &&
      this.#stretches.some(({ begin, end }) => at >= begin && at < end)
    );
  }

  #step(): void {
    this.#next += UNIT;
    this.#settle();
  }

  /** From the end of a stretch on to the beginning of the next. */
  #settle(): void {
    for (;;) {
      const [first, second] = this.#stretches;
      if (first === undefined || this.#next < first.end) return;
      this.#stretches.shift();
      if (second !== undefined) this.#next = second.begin;
    }
  }
}
