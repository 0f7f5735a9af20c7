/** A continuity under fake time, and frames for it. */
import { expect } from 'vitest';
import { Continuity } from '../../../server/packager/continuity.ts';
import type { Grid, Piece } from '../../../server/packager/track.ts';
import type { ClockPoint } from '../../../shared/control.ts';
import { decodeFrame, encodeFrame, type Frame } from '../../../shared/frame.ts';
import { samples, utc } from '../../../shared/time.ts';

export const GRID: Grid = { part: samples(15_360), segment: samples(184_320) };
export const BEGIN = samples(7 * GRID.segment);
export const START = 1_800_000_000_000;
/** CELT, mono, one frame: 2.5, 5, 10, 20 ms; 40 ms is two of 20. */
const TOC: Record<number, number> = { 120: 0xe0, 240: 0xe8, 480: 0xf0, 960: 0xf8, 1920: 0xf9 };

export const frameOf = (
  sequence: number,
  { epoch = 1, duration = 960, timestamp = -1 } = {},
): Frame => {
  const at = samples(timestamp < 0 ? sequence * duration : timestamp);
  const packet = Uint8Array.of(TOC[duration] ?? 0, 1, 2, 3, 4);
  const header = { flags: 0, rendition: 0, duration: samples(duration), sequence, epoch };
  return decodeFrame(encodeFrame({ ...header, timestamp: at }, packet));
};

const endOf = (piece: Piece): number =>
  piece.kind === 'frame'
    ? piece.at + piece.frame.duration
    : piece.kind === 'silence'
      ? piece.at + piece.duration
      : piece.at;

/** A continuity on a wall clock that ticks every 100 ms. */
export class Run {
  readonly pieces: Piece[] = [];
  readonly continuity: Continuity;
  now = START;
  clock: ClockPoint | null = null;
  #ticked = START;

  constructor({ continuous = false } = {}) {
    const emit = (piece: Piece): void => {
      this.pieces.push(piece);
    };
    this.continuity = new Continuity({ grid: GRID, begin: BEGIN, emit, continuous });
  }

  /** Lets the wall clock come to `ms` after the start. */
  to(ms: number): this {
    while (this.#ticked + 100 <= START + ms) {
      this.#ticked += 100;
      this.now = this.#ticked;
      this.continuity.tick(utc(this.now));
    }
    this.now = START + ms;
    return this;
  }

  push(...frames: readonly Frame[]): this {
    for (const frame of frames)
      this.continuity.push(frame, { now: utc(this.now), clock: this.clock });
    return this;
  }

  /** Frames `from` to `to` of 20 ms, each on time: 50 ms after its capture ended. */
  speak(from: number, to: number, { epoch = 1, late = 0 } = {}): this {
    for (let sequence = from; sequence < to; sequence += 1)
      this.to(sequence * 20 + 70 + late).push(frameOf(sequence, { epoch }));
    return this;
  }

  end(): this {
    this.continuity.end(utc(this.now));
    return this;
  }

  get sequences(): number[] {
    return this.pieces.flatMap((piece) => (piece.kind === 'frame' ? [piece.frame.sequence] : []));
  }

  get silence(): number[] {
    return this.pieces.flatMap((piece) => (piece.kind === 'silence' ? [piece.duration] : []));
  }

  get stretches(): Extract<Piece, { kind: 'discontinuity' }>[] {
    return this.pieces.filter((piece) => piece.kind === 'discontinuity');
  }
}

export const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);
export const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);

/** What holds of every sequence of pieces. */
export const expectGapless = (pieces: readonly Piece[]): void => {
  expect(pieces[0]?.kind ?? 'discontinuity').toBe('discontinuity');
  let head: number = BEGIN;
  for (const piece of pieces) {
    if (piece.kind === 'discontinuity') {
      expect(head % GRID.part).toBe(0);
      expect(piece.at).toBe(Math.ceil(head / GRID.segment) * GRID.segment);
    } else expect(piece.at).toBe(head);
    if (piece.kind === 'silence') expect(piece.duration % 120).toBe(0);
    if (piece.kind === 'silence') expect(piece.duration).toBeGreaterThan(0);
    head = endOf(piece);
  }
};
