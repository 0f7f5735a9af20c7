/** Frames that come faster than they were said, as to a listener who catches up with live. */
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../shared/frame.ts';
import { samples } from '../../shared/time.ts';
import { synthesize } from '../fixtures/synth.ts';
import { decodeAll, encode, offset, onTime, Session } from '../helpers/playout-session.ts';
import { seededRandom } from '../helpers/seeded-random.ts';

const SECOND = 48_000;
const frames = encode(
  synthesize(60 * SECOND, { channels: 2, seed: 33, turns: ['music', 'voice'] }),
);
const reference = decodeAll(frames);

/** Media the listener plays at the rate; before and after it time passes as it was said. */
const [FROM, TO] = [10_000, 40_000];

type Run = { readonly rate: number; readonly deviceRate?: number; readonly late?: () => number };

/** A listener to whom the media between FROM and TO is sent, and told to be sent, at a rate. */
const run = ({ rate, deviceRate = 48_000, late = () => 0 }: Run) => {
  const session = new Session({ deviceRate, target: 60 });
  let told = 1;
  const shorter = (TO - FROM) * (1 - 1 / rate);
  const arrival = (frame: Frame): number => {
    const at = onTime(frame);
    const fast = FROM + (at - FROM) / rate;
    return (at < FROM ? at : at < TO ? fast : at - shorter) + late();
  };
  const sent = frames.map((frame) => ({ frame, at: arrival(frame) })).sort((a, b) => a.at - b.at);
  let end = 0;
  for (let next = 0; session.now < 59_000 - shorter; session.pull()) {
    const { now } = session;
    const due = now < FROM || now >= TO - shorter ? 1 : rate;
    if (due !== told) session.playout.setRate(due, now);
    if (due < told) end = session.quanta.length;
    told = due;
    for (; sent[next]!.at <= now; next += 1) session.push(sent[next]!.frame);
  }
  const { now, position } = session.quanta.at(-1)!;
  return { session, end, delay: now + shorter - position / 48 - 20 };
};

it('a publisher who came anew in the past that is caught up with is heard whole', () => {
  const [seconds, rate] = [20, 1.25];
  const half = (seconds / 2) * 50;
  const parts = frames.slice(0, seconds * 50).map((frame, index) => {
    if (index < half) return frame;
    const [sequence, timestamp] = [index - half, samples((index - half) * 960)];
    return { ...frame, epoch: 2, sequence, timestamp };
  });
  const session = new Session({ target: 60 });
  session.playout.setRate(rate, session.now);
  const end = (seconds * 1000) / rate;
  for (let next = 0; session.now < end; session.pull())
    for (; next < parts.length && (next * 20 + 20) / rate <= session.now; next += 1)
      session.push(parts[next]!);
  const begun = session.quanta.findIndex(({ now }) => now > end / 2);
  const settled = session.quanta.slice(begun).filter(({ now }) => now > end / 2 + 500);
  expect(settled.map(({ phase }) => phase)).toEqual(settled.map(() => 'playing'));
  expect(session.playout.position.epoch).toBe(2);
  expect([session.playout.concealed, session.playout.skipped]).toEqual([0, 0]);
  const [first, last] = [settled[0]!, settled.at(-1)!];
  const reached = (last.position - first.position) / 48 / (last.now - first.now);
  expect(Math.abs(reached / rate - 1)).toBeLessThan(0.01);
});

const jitter = (seed: number): (() => number) => {
  const random = seededRandom(seed);
  return () => 30 * random();
};

describe('a playout that catches up', () => {
  for (const [what, options] of [
    ['at 1.25', { rate: 1.25 }],
    ['at 1.5', { rate: 1.5 }],
    ['at 1.25 on a device at 44.1 kHz', { rate: 1.25, deviceRate: 44_100 }],
    ['at 1.25 with up to 30 ms of jitter', { rate: 1.25, late: jitter(5) }],
  ] as const)
    it(`${what} plays as fast as it is sent, leaves nothing out but by splices, and comes to rest`, () => {
      const { session, end, delay } = run(options);
      const { playout, quanta } = session;
      const begin = Math.round((FROM * session.deviceRate) / 128_000) + 100;
      const [first, last] = [quanta[begin]!, quanta[end - 1]!];
      const reached = (last.position - first.position) / 48 / (last.now - first.now);
      expect(Math.abs(reached / options.rate - 1)).toBeLessThan(0.005);
      expect(playout.concealed).toBe(0);
      expect(playout.skipped).toBe(0);
      expect(playout.phase).toBe('playing');
      expect(Math.abs(delay - playout.target)).toBeLessThan(25);
      expect(playout.target).toBeLessThan(70);
      // What is heard at the end is the very sample that the position names.
      expect(Math.abs(offset(session, quanta.length - 10, reference))).toBeLessThanOrEqual(1);
    });
});
