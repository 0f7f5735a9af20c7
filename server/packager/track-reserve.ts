/** Track time that a channel has not used yet, remembered well before it is used. */
import { type Samples, samples } from '../../shared/time.ts';
import type { Grid } from './track.ts';

/** Segments of track time reserved ahead, so that no name is used twice after a crash. */
const RESERVED = 10;
/** Track time reserved beyond the end of a window can be no more than so many segments. */
const RESERVED_MOST = RESERVED + 4;

/** What outlives a restart of one channel's packager. */
export type PackagerMemory = {
  /** Track time and stretches that are free to be used. */
  readonly track: Samples;
  readonly stretches: number;
  readonly secret: string | null;
  readonly keepTrack: (track: Samples, stretches: number) => void;
  readonly keepSecret: (secret: string) => void;
};

/** Where a channel's next programme may begin. */
export class TrackReserve {
  readonly #grid: Grid;
  readonly #memory: PackagerMemory;
  #track: Samples;
  #stretches: number;
  #reserved: Samples;

  constructor(grid: Grid, memory: PackagerMemory) {
    this.#grid = grid;
    this.#memory = memory;
    this.#track = memory.track;
    this.#reserved = memory.track;
    this.#stretches = memory.stretches;
  }

  /** The first track time that is free. */
  get track(): Samples {
    return this.#track;
  }

  get stretches(): number {
    return this.#stretches;
  }

  /** Number of the first segment that is free. */
  get sequence(): number {
    return Math.ceil(this.#track / this.#grid.segment);
  }

  /**
   * Whether more was reserved than can be missing after a window's end: the disk failed, and names
   * after that end were used.
   */
  isBeyond(end: Samples): boolean {
    return (this.#track - end) / this.#grid.segment > RESERVED_MOST;
  }

  /** Notes how far a programme has come. */
  advance({ head, stretches }: { readonly head: Samples; readonly stretches: number }): void {
    const { segment } = this.#grid;
    const free = samples(Math.ceil(head / segment + 1) * segment);
    this.#track = free;
    const grew = stretches !== this.#stretches;
    this.#stretches = stretches;
    if (free + segment * 2 < this.#reserved && !grew) return;
    this.#reserved = samples(free + RESERVED * segment);
    this.#memory.keepTrack(this.#reserved, this.#stretches);
  }
}
