import { describe, expect, it } from 'vitest';
import { type Arrival, Arrivals } from '../../../server/packager/arrivals.ts';
import { utc } from '../../../shared/time.ts';
import { frameOf } from './continuity-run.ts';

/** Arrivals of which a step is made every fourth frame, under a clock of one's own. */
const gathered = ({ unknown = false } = {}) => {
  const taken: string[] = [];
  const arrivals = new Arrivals({
    take: ({ frame, now }) => taken.push(`${frame?.sequence ?? 'tick'} at ${now}`),
    stepOf: ({ sequence }) => (unknown ? null : Math.floor((sequence + 1) / 4)),
  });
  const enter = (sequence: number | null, now: number): void => {
    const frame = sequence === null ? null : frameOf(sequence);
    const arrival: Arrival = { frame, now: utc(now), clock: null };
    arrivals.enter(arrival);
  };
  return { taken, arrivals, enter };
};

describe('arrivals', () => {
  it('are taken in their order with the frame of which something can be made', () => {
    const { taken, enter } = gathered();
    enter(0, 0);
    expect(taken).toEqual(['0 at 0']);
    for (const sequence of [1, 2]) enter(sequence, sequence * 20);
    enter(null, 50);
    expect(taken).toHaveLength(1);
    enter(3, 60);
    expect(taken.slice(1)).toEqual(['1 at 20', '2 at 40', 'tick at 50', '3 at 60']);
  });

  it('are taken with the frame after one that would have made something and never came', () => {
    const { taken, enter } = gathered();
    for (const sequence of [0, 1, 2, 4]) enter(sequence, sequence * 20);
    expect(taken.at(-1)).toBe('4 at 80');
  });

  it('are taken at once where nobody knows, and where nothing waits and only time passes', () => {
    const unknown = gathered({ unknown: true });
    for (const sequence of [0, 1]) unknown.enter(sequence, sequence * 20);
    expect(unknown.taken).toEqual(['0 at 0', '1 at 20']);
    const idle = gathered();
    for (const now of [0, 100]) idle.enter(null, now);
    expect(idle.taken).toEqual(['tick at 0', 'tick at 100']);
  });

  it.each([
    { what: 'after 0.4 s', now: 420 },
    { what: 'when the clock is set back', now: -1000 },
  ])('do not wait for what does not come: $what', ({ now }) => {
    const { taken, enter } = gathered();
    for (const sequence of [0, 1]) enter(sequence, sequence * 20);
    for (const at of [100, 200, 300, 400]) enter(null, at);
    expect(taken).toHaveLength(1);
    enter(null, now);
    expect(taken).toHaveLength(7);
  });

  it('are all taken when somebody has to know', () => {
    const { taken, arrivals, enter } = gathered();
    for (const sequence of [0, 1, 2]) enter(sequence, sequence * 20);
    arrivals.flush();
    arrivals.flush();
    expect(taken).toHaveLength(3);
  });
});
