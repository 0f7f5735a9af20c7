/**
 * When frames arrive, under seven kinds of network. All are in order, as TCP delivers: what is lost
 * comes later and holds up what is behind it. Every scenario is a function of its seed alone.
 */
import { seededRandom } from './seeded-random.ts';

/** Arrival of each frame, ms after the capture of frame 0 began; frame i is captured at `20 * i`. */
export type Arrivals = Float64Array;

/** Length of a frame, ms. */
export const FRAME = 20;

/** A network: the seed it is tested with, and its delays at p50, p95, p99 and the most, ms. */
export type Scenario = {
  readonly name: string;
  readonly seed: number;
  readonly percentiles: readonly [number, number, number, number];
  /** Frames that may be concealed, percent over ten minutes. */
  readonly demand: number;
  /** What a fixed buffer of 40 ms conceals in the prototype, percent. */
  readonly fixed: number;
  /** Delay of each frame on its own, before what is ahead of it in the queue. */
  readonly delays: (random: () => number, frames: number) => Float64Array;
};

const between = (random: () => number, low: number, high: number): number =>
  low + (high - low) * random();

/** Chances, per frame, of loss outside and inside a burst, and of a burst to begin and to end. */
type Losses = {
  readonly calm: number;
  readonly burst: number;
  readonly enter: number;
  readonly leave: number;
  /** Chance that a lost frame is lost again, and so waits for a timeout of up to `timeout` ms. */
  readonly again: number;
  readonly timeout: readonly [number, number];
};

/** 50 ms one way; what is lost comes by fast retransmission, about one and a half round trips later. */
const losses =
  ({ calm, burst, enter, leave, again, timeout }: Losses) =>
  (random: () => number, frames: number): Float64Array => {
    let inBurst = false;
    return Float64Array.from({ length: frames }, () => {
      inBurst = inBurst ? random() >= leave : random() < enter;
      let delay = between(random, 50, 52);
      if (random() >= (inBurst ? burst : calm)) return delay;
      delay += between(random, 100, 158);
      return random() < again ? delay + between(random, ...timeout) : delay;
    });
  };

/** Jitter up to 300 ms; in 5 % of the time the network stands still for half a second to one. */
const stalls = (random: () => number, frames: number): Float64Array => {
  const delays = Float64Array.from({ length: frames }, () => between(random, 0, 315));
  for (let at = 0; at < frames; ) {
    at += Math.round(-Math.log(1 - random()) * (13_000 / FRAME));
    const length = between(random, 500, 1000);
    if (at < frames) delays[at] = length;
    at += Math.round(length / FRAME);
  }
  return delays;
};

const lates = (random: () => number, frames: number): Float64Array =>
  Float64Array.from({ length: frames }, () =>
    random() < 0.05 ? between(random, 500, 1020) : between(random, 0, 300),
  );

const freezes = (random: () => number, frames: number): Float64Array => {
  const delays = Float64Array.from({ length: frames }, () => between(random, 6, 10));
  for (let at = 250; at < frames; at += 10_000 / FRAME)
    delays[at + Math.floor(random() * 100)] = between(random, 100, 205);
  return delays;
};

/** The rows of the table in PLAYOUT. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a clean network',
    seed: 1,
    percentiles: [21, 22, 22, 22],
    demand: 0,
    fixed: 0,
    delays: (random, frames) =>
      Float64Array.from({ length: frames }, () => between(random, 20, 22)),
  },
  {
    name: '5 % loss at 50 ms one way',
    seed: 7,
    percentiles: [51, 173, 223, 720],
    demand: 0.5,
    fixed: 2.55,
    delays: losses({ calm: 0.05, burst: 0, enter: 0, leave: 1, again: 0.01, timeout: [200, 530] }),
  },
  {
    name: 'loss in bursts',
    seed: 3,
    percentiles: [51, 232, 424, 629],
    demand: 1,
    fixed: 3.82,
    delays: losses({
      calm: 0.01,
      burst: 0.4,
      enter: 0.006,
      leave: 0.15,
      again: 0.16,
      timeout: [150, 420],
    }),
  },
  {
    name: '300 ms of jitter with stalls',
    seed: 4,
    percentiles: [246, 315, 655, 998],
    demand: 1,
    fixed: 4.36,
    delays: stalls,
  },
  {
    name: '300 ms of jitter with 5 % of packets late',
    seed: 5,
    percentiles: [507, 885, 966, 1020],
    demand: 0.2,
    fixed: 4.76,
    delays: lates,
  },
  {
    name: 'Wi-Fi that freezes',
    seed: 6,
    percentiles: [8, 10, 64, 205],
    demand: 0.2,
    fixed: 1.03,
    delays: freezes,
  },
];

/** Arrivals of `frames` frames, in order; after `calm` frames (default: never) nothing is late. */
export const arrivals = (
  { delays, seed }: Scenario,
  frames: number,
  { calm = frames }: { calm?: number } = {},
): Arrivals => {
  const own = delays(seededRandom(seed), frames);
  const least = own.reduce((low, delay) => Math.min(low, delay), Number.POSITIVE_INFINITY);
  const times = new Float64Array(frames);
  for (let i = 0; i < frames; i += 1) {
    const delay = i < calm ? own[i]! : least;
    times[i] = Math.max(times[i - 1] ?? 0, i * FRAME + delay);
  }
  return times;
};

/** Delays of frames at the given shares of their order, ms: of all, how late after capture. */
export const percentiles = (times: Arrivals, shares: readonly number[]): number[] => {
  const delays = times.map((time, i) => time - i * FRAME).sort();
  return shares.map(
    (share) => delays[Math.min(delays.length - 1, Math.floor(share * delays.length))]!,
  );
};
