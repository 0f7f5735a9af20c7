/**
 * UTC of track time. It advances with the samples, exactly, as long as it is within 20 ms of what the
 * newest clock point says; beyond that it follows where a segment begins, by a thousandth of a segment
 * at most (3.84 ms). So dates of successive segments agree with their durations, never go backwards
 * within a stretch, and yet follow a crystal that is off by up to 1000 ppm for days.
 */
import { captureUtc } from '../../shared/clock.ts';
import type { ClockPoint } from '../../shared/control.ts';
import type { Frame } from '../../shared/frame.ts';
import {
  type Millis,
  millis,
  type Samples,
  samples,
  samplesToMillis,
  type Utc,
  utc,
} from '../../shared/time.ts';
import type { Grid } from './track.ts';

/** A track time and the UTC at which it was captured. */
export type UtcAnchor = { readonly at: Samples; readonly utc: Utc };

/** Anchors kept: one a segment, 8 minutes of 3.84 s. */
const KEPT = 128;
const FOLLOWS = 1e-3;
/**
 * How far dates may be from what is said to be true, ms. Clock points jitter by 10, and Shaka 5.2
 * may leave out a whole segment where a date comes a few ms later than the durations before it say.
 */
const OFF_MOST = 20;
/** A stretch whose dates would overlap the one before by less begins where that one ends, ms. */
const OVERLAP_MOST = 1000;

/** How a clock point may differ from the arrival of what it dates, ms. */
const CLOCK_AHEAD_MOST = 1000;
export const CLOCK_BEHIND_MOST = 5000;
/** A new epoch may begin with what the publisher kept during an outage: 120 s at most, ms. */
export const KEPT_BY_PUBLISHER = 125_000;

const extend = (anchor: UtcAnchor, at: Samples): Utc =>
  utc(anchor.utc + samplesToMillis(samples(at - anchor.at)));

const clamp = (value: number, most: number): number => Math.max(-most, Math.min(most, value));

/** The anchors of a channel's last stretches. */
export class UtcAnchors {
  readonly #segment: Samples;
  readonly #follows: Millis;
  readonly #anchors: UtcAnchor[] = [];
  #aim: UtcAnchor | undefined;
  /** The newest stretch began with a guess that the first clock point may still replace. */
  #guessed = false;

  /** `before` dates what there was before a restart. */
  constructor({ segment }: Grid, before?: UtcAnchor) {
    if (before !== undefined) this.#anchors.push(before);
    this.#segment = segment;
    this.#follows = millis(samplesToMillis(segment) * FOLLOWS);
  }

  /**
   * Begins a stretch after the one that ended at `end`; `clock`: by a clock point, not a guess.
   * Returns its first anchor.
   */
  begin(anchor: UtcAnchor, { end, clock }: { end: Samples; clock: boolean }): UtcAnchor {
    const first = this.#anchors.length === 0;
    this.#guessed = first && !clock;
    const before = first ? anchor.utc : this.of(end);
    const overlap = before - anchor.utc;
    const begun = overlap > 0 && overlap <= OVERLAP_MOST ? { at: anchor.at, utc: before } : anchor;
    this.#add(begun);
    this.#aim = anchor;
    return begun;
  }

  /**
   * Tells what is true now. Only during the very first segment, which nobody has seen, a clock
   * point replaces what was guessed from arrival.
   */
  aim(anchor: UtcAnchor, { clock }: { clock: boolean }): void {
    this.#aim = anchor;
    if (!clock || !this.#guessed) return;
    const begun = this.#anchors[0];
    this.#guessed = false;
    if (begun !== undefined && this.#anchors.length === 1 && anchor.at < begun.at + this.#segment)
      this.#anchors[0] = { at: begun.at, utc: extend(anchor, begun.at) };
  }

  /** Track time has come to `head`: anchors of segments that began are fixed. */
  advance(head: Samples): void {
    let newest = this.#anchors.at(-1);
    while (newest !== undefined && head - newest.at >= this.#segment) {
      const at = samples(newest.at + this.#segment);
      const kept = extend(newest, at);
      const wanted = this.#aim === undefined ? kept : extend(this.#aim, at);
      const off = wanted - kept;
      const step = clamp(off - clamp(off, OFF_MOST), this.#follows);
      newest = { at, utc: utc(kept + step) };
      this.#add(newest);
    }
  }

  /** UTC of capture of a track time; 0 before any stretch. */
  of(at: Samples): Utc {
    const anchor = this.#anchors.findLast((one) => one.at <= at) ?? this.#anchors[0];
    return anchor === undefined ? utc(0) : extend(anchor, at);
  }

  #add(anchor: UtcAnchor): void {
    const newest = this.#anchors.at(-1);
    if (newest?.at === anchor.at) this.#anchors.pop();
    this.#anchors.push(anchor);
    if (this.#anchors.length > KEPT) this.#anchors.shift();
  }
}

/** UTC of capture by a clock point, unless it is of another epoch, outdated or absurd. */
export const clockOf = (
  frame: Frame,
  clock: ClockPoint | null,
  limits: { readonly clockFrom: number; readonly arrived: Utc; readonly behindMost: number },
): Utc | undefined => {
  const { clockFrom, arrived, behindMost } = limits;
  if (clock === null || clock.epoch !== frame.epoch || clock.timestamp < clockFrom)
    return undefined;
  const captured = captureUtc(clock, frame.timestamp);
  const ahead = captured - arrived;
  return ahead <= CLOCK_AHEAD_MOST && ahead >= -behindMost ? captured : undefined;
};
