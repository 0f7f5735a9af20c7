/** A segmenter with real packaging whose segments are kept. */
import { mediaPart, type PartContent } from '../../../server/packager/fmp4.ts';
import { newTransportContinuity, transportSegment } from '../../../server/packager/mpegts.ts';
import {
  Segmenter,
  type SegmenterOptions,
  type SegmentHead,
  type TransportUnits,
} from '../../../server/packager/segmenter.ts';
import type { AccessUnit, Grid, Part, TimedMetadata } from '../../../server/packager/track.ts';
import { type Samples, samples, samplesToMillis, type Utc, utc } from '../../../shared/time.ts';

export const GRID: Grid = { part: samples(15_360), segment: samples(184_320) };
export const BEGIN = samples(100 * GRID.segment);
export const SILENT = { duration: samples(1024), bytes: Uint8Array.of(0x21, 0x10) };

const unit = (
  at: number,
  { duration = 1024, mark = at }: { duration?: number; mark?: number } = {},
) =>
  ({ at: samples(at), duration: samples(duration), bytes: Uint8Array.of(mark % 251, 9) }) as const;
export const units = (from: number, count: number, duration = 1024): AccessUnit[] =>
  Array.from({ length: count }, (_, index) => unit(from + index * duration, { duration }));
export const title = (at: number, text = 'a'): TimedMetadata => ({
  at: samples(at),
  title: text,
  artist: null,
  artwork: null,
  url: null,
});
export const utcOf = (at: Samples): Utc => utc(5000 + samplesToMillis(at));

type Made = { head: SegmentHead; parts: Part[]; utc: Utc | undefined; ts: Buffer | null };

/** A segmenter whose segments are kept, with what each part was made of. */
export class Bench {
  readonly made: Made[] = [];
  readonly contents: PartContent[] = [];
  readonly transport: TransportUnits[] = [];
  readonly segmenter: Segmenter;
  #open: Made | undefined;

  constructor(options: Partial<SegmenterOptions> = {}) {
    const continuity = newTransportContinuity();
    this.segmenter = new Segmenter({
      grid: GRID,
      package: (content) => {
        this.contents.push(content);
        return mediaPart(content);
      },
      packageTs: (content) => {
        this.transport.push(content);
        return transportSegment({ ...content, continuity });
      },
      nameOf: (sequence) => `name${sequence}`,
      utcOf,
      silent: SILENT,
      to: {
        open: (head) => {
          this.#open = { head, parts: [], utc: undefined, ts: null };
        },
        append: (part) => this.#open?.parts.push(part),
        complete: (made) => {
          if (this.#open && this.#open.parts.length > 0) this.made.push({ ...this.#open, ...made });
          this.#open = undefined;
        },
      },
      ...options,
    });
  }

  begin(at: number = BEGIN): this {
    this.segmenter.begin({ at: samples(at), utc: utcOf(samples(at)) });
    return this;
  }

  push(all: readonly AccessUnit[]): this {
    for (const one of all) this.segmenter.push(one);
    return this;
  }

  get open(): Made | undefined {
    return this.#open;
  }

  get sent(): AccessUnit[] {
    return this.contents.flatMap((content) => content.units);
  }
}
