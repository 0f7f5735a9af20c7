/** Compares the measuring signal at a microphone with the same at a loudspeaker. */
import { type Millis, millis, type Utc, utc } from '../../shared/time.ts';
import { type Burst, findBursts } from './burst-detector.ts';
import { checkFrames, type FrameSighting, type Verdict } from './frame-check.ts';
import { IDENTITIES } from './measuring-signal.ts';
import type { TapRecording } from './tap-recording.ts';

/** How long one piece of the signal was on its way. */
export type Delay = {
  /** When it was heard, on the wall clock. */
  readonly at: Utc;
  readonly delay: Millis;
};

/** A frame that was whole at the microphone and not at the loudspeaker. */
export type Discontinuity = {
  readonly verdict: Exclude<Verdict, 'present'>;
  readonly second: number;
  readonly slot: number;
  /** When it was heard, or should have been, on the wall clock. */
  readonly at: Utc;
  /** The same, ms after the first sound at the loudspeaker. */
  readonly after: Millis;
  /**
   * Delay after the damage less delay before it, ms: about 0 for a frame made up in its place, more
   * where playout waited, less where it cut, as time-stretch does; NaN at the end of the recording.
   */
  readonly shift: Millis;
};

/** Median, 99th percentile and extremes; NaN where nothing was measured. */
export type Spread = {
  readonly count: number;
  readonly p50: Millis;
  readonly p99: Millis;
  readonly least: Millis;
  readonly most: Millis;
};

export type DelayReport = {
  /** One delay a second, good to microseconds but for the mapping to the wall clock. */
  readonly bursts: readonly Delay[];
  /** One delay for each frame that arrived whole between whole neighbours, good to 0.5 ms. */
  readonly frames: readonly Delay[];
  readonly discontinuities: readonly Discontinuity[];
  /** Frames that were compared. */
  readonly compared: number;
  /** Frames that were damaged at the microphone already, for which the path is not to blame. */
  readonly spoilt: number;
};

/** Spread of measured delays. */
export const spreadOf = (delays: readonly Delay[]): Spread => {
  const sorted = delays.map(({ delay }) => delay).sort((a, b) => a - b);
  const at = (share: number): Millis =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? millis(Number.NaN);
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), least: at(0), most: at(1) };
};

type Hearing = {
  readonly recording: TapRecording;
  readonly bursts: readonly Burst[];
  readonly frames: readonly FrameSighting[];
};

const hear = (recording: TapRecording): Hearing => {
  const bursts = findBursts(recording.pcm, recording.rate);
  return { recording, bursts, frames: checkFrames(recording.pcm, recording.rate, bursts) };
};

/** A clock reading may be a millisecond off on both sides. */
const CLOCK_SLACK = 3;

/** The signal repeats after 16 s; what seems older than half of that was not recorded when said. */
const LONGEST_WAY = 8000;

/** Each burst heard is the latest of its identity that had been said by then. */
const compareBursts = (said: Hearing, heard: Hearing): Delay[] =>
  heard.bursts.flatMap(({ identity, time }) => {
    const at = heard.recording.wallAt(time);
    const sources = said.bursts
      .filter((burst) => burst.identity === identity)
      .map((burst) => said.recording.wallAt(burst.time))
      .filter((wall) => wall <= at + CLOCK_SLACK && wall > at - LONGEST_WAY);
    const source = sources.at(-1);
    return source === undefined ? [] : [{ at, delay: millis(at - source) }];
  });

const keyOf = (second: number, slot: number): number => second * 50 + slot;

/** By how many seconds the two countings of the signal differ. */
const shiftBetween = (said: Hearing, heard: Hearing): number => {
  const first = heard.frames[0];
  if (first === undefined) return 0;
  const at = heard.recording.wallAt(first.time) + CLOCK_SLACK;
  const source = said.frames.findLast(
    ({ second, slot, time }) =>
      slot === first.slot &&
      (second - first.second) % IDENTITIES === 0 &&
      said.recording.wallAt(time) <= at,
  );
  return source === undefined ? 0 : source.second - first.second;
};

/**
 * Measures the way from one tap to another on the same machine: delay of each burst and each whole
 * frame, and every frame that the path lost, made up or doubled. Ways longer than 8 s are not
 * found, since the signal repeats.
 */
export const measureDelay = (capture: TapRecording, playback: TapRecording): DelayReport => {
  const said = hear(capture);
  const heard = hear(playback);
  const shift = shiftBetween(said, heard);
  const sources = new Map(said.frames.map((frame) => [keyOf(frame.second, frame.slot), frame]));
  const begin = playback.firstSound() ?? utc(Number.NaN);
  const isWhole = (index: number): boolean => heard.frames[index]?.verdict === 'present';
  const compared = heard.frames.flatMap((frame, index) => {
    const source = sources.get(keyOf(frame.second + shift, frame.slot));
    if (source === undefined) return [];
    const at = playback.wallAt(frame.time);
    // Beside a hole a tone's flank is not its own, and neither is the time it tells.
    const isSure =
      source.verdict === 'present' && isWhole(index - 1) && isWhole(index) && isWhole(index + 1);
    const delay = isSure ? millis(at - capture.wallAt(source.time)) : undefined;
    return [{ frame, source, at, delay }];
  });
  const discontinuities = compared.flatMap(({ frame, source, at }, index): Discontinuity[] => {
    const { verdict, second, slot } = frame;
    if (source.verdict !== 'present' || verdict === 'present') return [];
    const isKnown = ({ delay }: { delay: Millis | undefined }): boolean => delay !== undefined;
    const before = compared.slice(0, index).findLast(isKnown)?.delay ?? Number.NaN;
    const later = compared.slice(index).find(isKnown)?.delay ?? Number.NaN;
    return [
      { verdict, second, slot, at, after: millis(at - begin), shift: millis(later - before) },
    ];
  });
  return {
    bursts: compareBursts(said, heard),
    frames: compared.flatMap(({ at, delay }) => (delay === undefined ? [] : [{ at, delay }])),
    discontinuities,
    compared: compared.length,
    spoilt: compared.filter(({ source }) => source.verdict !== 'present').length,
  };
};

/** The report in two lines, for the log of a test. */
export const describeDelay = (report: DelayReport): string => {
  const line = (name: string, { count, p50, p99, least, most }: Spread): string =>
    `${name}: ${count}, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ` +
    `from ${least.toFixed(1)} to ${most.toFixed(1)} ms`;
  return [
    line('bursts', spreadOf(report.bursts)),
    `${line('frames', spreadOf(report.frames))}; damaged ${report.discontinuities.length} ` +
      `of ${report.compared}, at the microphone already ${report.spoilt}`,
  ].join('\n');
};
