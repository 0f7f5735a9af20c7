import { expect, it } from 'vitest';
import { OldProgrammes } from '../../../server/packager/old-programmes.ts';
import type { Programme } from '../../../server/packager/programme.ts';
import type { Timers } from '../../../server/packager/reload.ts';
import { samples } from '../../../shared/time.ts';

const GRID = { part: samples(15_360), segment: samples(184_320) };

/** Programmes of which only the end is looked at, and timers that are let run by hand. */
const keeper = (seconds: number) => {
  const due: { at: number; act: () => void }[] = [];
  const gone: string[] = [];
  const timers: Pick<Timers, 'after'> = {
    after: (span, act) => {
      due.push({ at: span, act });
      return () => {};
    },
  };
  const old = new OldProgrammes({ window: samples(seconds * 48_000), grid: GRID, timers });
  const add = (secret: string): void => {
    const programme = {
      secret,
      close: async () => {},
      folder: { remove: async () => void gone.push(secret) },
    };
    old.add(programme as unknown as Programme);
  };
  return { old, due, gone, add };
};

it.each([
  [60, 120_000],
  [3600, 3_611_520],
])('a window of %i s can be played for %i ms after the next has begun', async (window, span) => {
  const { old, due, gone, add } = keeper(window);
  add('one');
  expect(due.map(({ at }) => at)).toEqual([span]);
  expect(old.get('one')).toBeDefined();
  due[0]?.act();
  await Promise.resolve();
  expect([old.get('one'), gone]).toEqual([undefined, ['one']]);
});

it('there are twenty at most, and each goes once', async () => {
  const { old, due, gone, add } = keeper(60);
  for (let index = 0; index < 23; index += 1) add(`${index}`);
  expect(old.all.map(({ secret }) => secret)).toEqual(
    Array.from({ length: 20 }, (_, index) => `${index + 3}`),
  );
  for (const { act } of due) act();
  await Promise.resolve();
  expect(gone).toEqual(Array.from({ length: 23 }, (_, index) => `${index}`));
});
