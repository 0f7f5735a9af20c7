/** What a channel's programmes are called, and the secret part of their addresses. */
import { createHmac } from 'node:crypto';
import { samples } from '../../shared/time.ts';
import type { Grid } from './track.ts';

/** Stands between the name of what is broadcast and how many programmes of it there were before. */
const AGAIN = '~';

/** Of a continuous channel's programme. */
export const CONTINUOUS = 'continuous';

/** With these lengths addresses are as they were when there were no others. */
const FIRST_GRID: Grid = { part: samples(15_360), segment: samples(184_320) };

/** The broadcast, or CONTINUOUS, that a programme is of. */
export const subjectOf = (name: string): string => name.split(AGAIN, 1)[0] ?? name;

/** Names the next programme: what has ended is never gone on with at its addresses. */
export const nextName = (subject: string, before: string | undefined): string => {
  if (before === undefined || subjectOf(before) !== subject) return subject;
  const times = Number(before.split(AGAIN)[1] ?? 1);
  return `${subject}${AGAIN}${times + 1}`;
};

/**
 * The secret of a programme. Segments are numbered by their length, so that with another length the
 * same number would soon be another sound.
 */
export const secretOf = (name: string, { key, grid }: { key: string; grid: Grid }): string => {
  const { part, segment } = grid;
  const isFirst = part === FIRST_GRID.part && segment === FIRST_GRID.segment;
  const text = isFirst ? name : `${name} ${part}/${segment}`;
  return createHmac('sha256', key).update(text).digest('base64url').slice(0, 22);
};
