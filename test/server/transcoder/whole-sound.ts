/** Twelve seconds of known sound, and the claim that a transcoder made all of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Piece } from '../../../server/packager/track.ts';
import { findBursts } from '../../helpers/burst-detector.ts';
import { measuringSignal } from '../../helpers/measuring-signal.ts';
import {
  BEGIN,
  type Bench,
  covering,
  decodeAac,
  decodeOpus,
  framesFrom,
  publish,
  stretch,
} from './sound.ts';

export const timesOf = (units: readonly { readonly at: number }[]): number[] =>
  units.map(({ at }) => at);

/** Waits until a claim holds, at most `most` ms; returns for how long, ms. */
export const until = async (holds: () => boolean, most: number): Promise<number> => {
  const started = performance.now();
  while (!holds() && performance.now() - started < most) await sleep(5);
  return performance.now() - started;
};

export const SECONDS = 12;
export const frames = publish(measuringSignal(SECONDS));
export const pieces: readonly Piece[] = [stretch(BEGIN), ...framesFrom(BEGIN, frames)];
/** Times of the units of all that. */
export const expected = covering([BEGIN, BEGIN + SECONDS * 48_000]);

/** Every burst of the signal is where the untouched frames have it, so nothing shifted. */
export const expectWholeSound = (bench: Bench): void => {
  expect(timesOf(bench.of('aac128'))).toEqual(expected);
  expect(timesOf(bench.of('aac64'))).toEqual(expected);
  const reference = findBursts(decodeOpus(frames.map(({ packet }) => packet)), 48_000);
  const heard = findBursts(decodeAac(bench.of('aac128'))[0], 48_000);
  expect(heard.map(({ identity }) => identity)).toEqual(reference.map(({ identity }) => identity));
  for (const [index, { time, likeness }] of heard.entries()) {
    expect(Math.abs(time - reference[index]!.time)).toBeLessThan(1 / 48);
    if (index > 0) expect(likeness).toBeGreaterThan(0.95);
  }
};
