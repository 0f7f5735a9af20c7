/** Windows of segments as the packager makes them, for the tests of texts about them. */

import type { PlaylistView } from '../../server/packager/hls.ts';
import type { DatedTitle } from '../../server/packager/hls-titles.ts';
import type { Grid, Part, Segment } from '../../server/packager/track.ts';
import { type Samples, samples, samplesToMillis, utc } from '../../shared/time.ts';

/** Parts of 0.32 s, segments of 3.84 s. */
export const GRID: Grid = { part: samples(15_360), segment: samples(184_320) };

/** UTC of the first sample in these tests: 2026-01-02 03:04:05.678. */
export const START = utc(Date.UTC(2026, 0, 2, 3, 4, 5, 678));

const PARTS = GRID.segment / GRID.part;
const BYTES = Buffer.alloc(6000);

/** A rendition that grows part by part, with a window like the packager's. */
export class GrowingWindow {
  readonly #length: number;
  readonly #bytes: (sequence: number) => number;
  #segments: Segment[] = [];
  #sequence: number;
  /** Since START, apart from it so that a day of small steps adds up exactly. */
  #elapsed = 0;
  #discontinuities = 0;
  #discontinuity = false;
  ended = false;

  /** `length` counts complete segments; `bytes` of a part by its segment's number. */
  constructor({ length = 15, sequence = 100, bytes = (_: number): number => 5120 } = {}) {
    this.#length = length;
    this.#sequence = sequence;
    this.#bytes = bytes;
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** Adds one part; `late` moves UTC on, as a slow publisher's clock does. */
  grow({ late = 0 } = {}): void {
    const open = this.#segments.at(-1);
    const growing = open?.complete === false ? open : this.#begin();
    const at = samples(growing.at + growing.parts.length * GRID.part);
    const bytes = BYTES.subarray(0, this.#bytes(growing.sequence));
    const part: Part = { at, duration: GRID.part, bytes };
    const parts = [...growing.parts, part];
    this.#segments = [
      ...this.#segments.slice(0, -1),
      { ...growing, parts, complete: parts.length === PARTS },
    ];
    this.#elapsed += samplesToMillis(GRID.part) + late;
    if (parts.length === PARTS) this.#sequence += 1;
    this.#segments = this.#segments.slice(-(this.#length + (parts.length === PARTS ? 0 : 1)));
  }

  /** Adds whole segments. */
  growBy(segments: number, { late = 0 } = {}): void {
    for (let part = 0; part < segments * PARTS; part += 1) this.grow({ late: late / PARTS });
  }

  /** Ends the stretch where it stands; the next part begins another, `gap` ms later. */
  cut(gap = 0): void {
    this.#close();
    this.#elapsed += gap;
    this.#discontinuity = this.#segments.length > 0;
  }

  /** Ends the rendition. */
  end(): void {
    this.#close();
    this.ended = true;
  }

  #close(): void {
    const open = this.#segments.at(-1);
    if (open?.complete !== false) return;
    this.#segments = [...this.#segments.slice(0, -1), { ...open, complete: true }];
    this.#sequence += 1;
  }

  #begin(): Segment {
    const segment: Segment = {
      sequence: this.#sequence,
      at: samples(this.#sequence * GRID.segment),
      utc: utc(START + this.#elapsed),
      discontinuity: this.#discontinuity,
      discontinuities: this.#discontinuities,
      parts: [],
      complete: false,
      name: String(this.#sequence),
    };
    if (this.#discontinuity) this.#discontinuities += 1;
    this.#discontinuity = false;
    this.#segments = [...this.#segments, segment];
    return segment;
  }
}

/** A title that begins at a track time, dated as if there were but one stretch. */
export const titleAt = (at: Samples, title: string, artist: string | null = null): DatedTitle => ({
  at,
  utc: utc(START + samplesToMillis(samples(at - 100 * GRID.segment))),
  title,
  artist,
  artwork: null,
  url: null,
});

/** The view of a low-latency fMP4 rendition on a window, with `aac64` beside it. */
export const viewOf = (
  window: Pick<GrowingWindow, 'segments' | 'ended'>,
  overrides: Partial<PlaylistView> = {},
): PlaylistView => {
  const { segments, ended } = window;
  const last = segments.at(-1);
  const listed = last?.parts.length === 0 ? segments.at(-2) : last;
  const suffix = overrides.initUri === null ? 'ts' : 'm4s';
  return {
    grid: GRID,
    segments,
    ended,
    initUri: '../media/k3y/aac128/init.mp4',
    lowLatency: true,
    hint:
      last?.complete === false
        ? { name: last.name, index: last.parts.length }
        : { name: String((last?.sequence ?? 99) + 1), index: 0 },
    uriOf: ({ name }, part) =>
      `../media/k3y/aac128/${name}${part === undefined ? '' : `.${part}`}.${suffix}`,
    metadata: [],
    siblings: [
      {
        uri: 'aac64.m3u8',
        lastMsn: listed?.sequence ?? 0,
        lastPart: (listed?.parts.length ?? 1) - 1,
      },
    ],
    ...overrides,
  };
};
