import { describe, expect, it } from 'vitest';
import type { Frame } from '../../shared/frame.ts';
import { type Millis, millis, samples } from '../../shared/time.ts';
import { type Decoder, Playout } from '../../worklets/playout.ts';
import {
  arrivals,
  FRAME,
  percentiles,
  SCENARIOS,
  type Scenario,
} from '../helpers/arrival-scenarios.ts';

/*
 * Ten minutes of each network, then calm. What is under test is when frames are played, so a decoder
 * that yields a tone stands in for libopus; everything else is the real path.
 */
const MINUTES = 10;
const FRAMES = (MINUTES * 60_000) / FRAME;
const CALM = 40_000 / FRAME;
/** A buffer that is too short fails long before. */
const FIXED_FRAMES = FRAMES / 4;
const SETTLED = 10_000;

const TONE = Int16Array.from(
  { length: 960 },
  (_, k) => 8000 * Math.sin((2 * Math.PI * 9 * k) / 960),
);

const toneDecoder = (): Decoder => {
  const pcm = new Int16Array(2 * 5760);
  const fill = (duration: number): number => {
    for (let k = 0; k < duration; k += 1) pcm[2 * k] = pcm[2 * k + 1] = TONE[k % 960]!;
    return duration;
  };
  return {
    pcm,
    decode: () => fill(960),
    decodeFec: (_, duration) => fill(duration),
    conceal: fill,
    reset: () => {},
  };
};

const packet = Uint8Array.of(0xfc, 0xff, 0xfe);

const frame = (sequence: number): Frame => ({
  flags: 0,
  rendition: 0,
  duration: samples(960),
  sequence,
  epoch: 1,
  timestamp: samples(960 * sequence),
  packet,
  bytes: packet,
});

type Outcome = {
  /** Percent of frames after the first 10 s. */
  readonly concealed: number;
  readonly mean: number;
  readonly p95: number;
  /** Until the delay was at the floor for good after the network became calm, s. */
  readonly back: number;
  readonly skipped: number;
};

const run = (scenario: Scenario, { ceiling }: { ceiling?: Millis } = {}): Outcome => {
  const noisy = ceiling === undefined ? FRAMES : FIXED_FRAMES;
  const frames = noisy + (ceiling === undefined ? CALM : 0);
  const times = arrivals(scenario, frames, { calm: noisy });
  const least = times.reduce(
    (low, at, i) => Math.min(low, at - i * FRAME),
    Number.POSITIVE_INFINITY,
  );
  const limits = ceiling === undefined ? {} : { ceiling };
  const playout = new Playout({ createDecoder: toneDecoder, deviceRate: 48_000, ...limits });
  const left = new Float32Array(128);
  const right = new Float32Array(128);
  const delays: number[] = [];
  const noise = noisy * FRAME;
  let [next, before, after, back] = [0, 0, 0, 0];
  for (let quantum = 0; ; quantum += 1) {
    const now = (quantum * 128) / 48;
    if (now >= frames * FRAME) break;
    for (; next < frames && times[next]! <= now; next += 1)
      playout.push(frame(next), { live: true, now: millis(times[next]!) });
    playout.pull(left, right, millis(now));
    if (now < SETTLED) before = playout.concealed;
    if (now < noise) after = playout.concealed;
    const delay = now - playout.position.timestamp / 48 - least;
    if (now >= SETTLED && now < noise && quantum % 8 === 0) delays.push(delay);
    if (now >= noise && delay > 60) back = (now - noise) / 1000;
  }
  delays.sort((a, b) => a - b);
  return {
    concealed: (100 * (after - before) * FRAME) / (noise - SETTLED),
    mean: delays.reduce((sum, delay) => sum + delay, 0) / delays.length,
    p95: delays[Math.floor(0.95 * delays.length)]!,
    back,
    skipped: playout.skipped,
  };
};

describe('arrival scenarios', () => {
  for (const scenario of SCENARIOS)
    it(`${scenario.name} has the percentiles it is known by (seed ${scenario.seed})`, () => {
      const reached = percentiles(arrivals(scenario, FRAMES), [0.5, 0.95, 0.99, 1]);
      for (const [i, wanted] of scenario.percentiles.entries()) {
        const off = Math.abs(reached[i]! - wanted);
        expect(off, `${reached.map(Math.round)} ms`).toBeLessThan(Math.max(4, 0.11 * wanted));
      }
    });
});

describe('playout over ten minutes, then calm', () => {
  for (const scenario of SCENARIOS)
    it(`conceals at most ${scenario.demand} % on ${scenario.name}, and is back within 30 s`, () => {
      const outcome = run(scenario);
      expect(outcome.concealed).toBeLessThanOrEqual(scenario.demand);
      expect(outcome.back).toBeLessThan(30);
      expect(outcome.p95).toBeLessThan(1200);
      expect(outcome.skipped).toBe(0);
      if (scenario.demand > 0) return;
      // Clean: the floor itself.
      expect(outcome.mean).toBeGreaterThan(38);
      expect(outcome.mean).toBeLessThan(42);
      expect(outcome.p95).toBeLessThan(45);
    });
});

describe('a fixed buffer of 40 ms', () => {
  for (const scenario of SCENARIOS.slice(1))
    it(`fails on ${scenario.name}, so that the two can be told apart`, () => {
      const { concealed } = run(scenario, { ceiling: millis(40) });
      expect(concealed).toBeGreaterThan(scenario.demand);
      expect(concealed).toBeGreaterThan(0.8 * scenario.fixed);
    });
});
