/** Microphone to ear through somebody else's player: what its tap recorded, against what was sent. */
import { readTaps, type TappedPage, type TapSide } from './audio-taps.ts';
import { findBursts } from './burst-detector.ts';
import { IDENTITIES } from './measuring-signal.ts';
import { quantile } from './player-page.ts';
import { RealPublisher } from './real-publisher.ts';
import type { TestService } from './service.ts';

/** A publisher that knows when what it sends was captured. */
export type TimedPublisher = {
  readonly publisher: RealPublisher;
  /** UTC at which the latest burst of an identity, said before `heard`, was captured; ms. */
  readonly saidBefore: (identity: number, heard: number) => number;
};

const CYCLE = IDENTITIES * 1000;

/** When a burst was captured that was heard, for a signal whose first sample was at `zero`. */
export const saidSince =
  (zero: number): TimedPublisher['saidBefore'] =>
  (identity, heard) => {
    const first = zero + identity * 1000;
    return first + Math.floor((heard - first) / CYCLE) * CYCLE;
  };

/** Starts a publisher of the measuring signal; its first frame is captured as this resolves. */
export const startTimedPublisher = async (service: TestService): Promise<TimedPublisher> => {
  const publisher = await RealPublisher.start(service);
  const zero = Date.now() - publisher.sent * 20;
  return { publisher, saidBefore: saidSince(zero) };
};

/** What was heard of the bursts. */
export type Hearing = {
  /** s; good for less than 16 s. */
  readonly delays: readonly number[];
  readonly p50: number;
  readonly p95: number;
  /** Bursts that did not come in their turn. */
  readonly disorder: number;
};

/** Reads a page's tap and measures from `settle` seconds after its first sound. */
export const hear = async (
  page: TappedPage,
  saidBefore: TimedPublisher['saidBefore'],
  { settle = 4, side = 'playback' }: { settle?: number; side?: TapSide } = {},
): Promise<Hearing> => {
  const recording = (await readTaps(page, side)).at(-1);
  if (recording === undefined) throw new Error('No tap recorded anything.');
  const begun = recording.firstSound() ?? Number.POSITIVE_INFINITY;
  const bursts = findBursts(recording.pcm, recording.rate)
    .map(({ identity, time }) => ({ identity, at: recording.wallAt(time) }))
    .filter(({ at }) => at >= begun + settle * 1000);
  const delays = bursts.map(({ identity, at }) => (at - saidBefore(identity, at)) / 1000);
  const disorder = bursts.filter(({ identity }, index) => {
    const before = bursts[index - 1];
    return before !== undefined && identity !== (before.identity + 1) % IDENTITIES;
  }).length;
  return { delays, p50: quantile(delays, 0.5), p95: quantile(delays, 0.95), disorder };
};
