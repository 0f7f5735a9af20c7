/**
 * Makes one gapless sound of a channel's frames: frames as they are, silence where there are none,
 * in track time. Holding, filling, dropping and re-anchoring are decided here and nowhere else.
 */
import type { ClockPoint } from '../../shared/control.ts';
import type { Frame } from '../../shared/frame.ts';
import {
  millis,
  type Samples,
  samples,
  samplesToMillis,
  type Utc,
  utc,
} from '../../shared/time.ts';
import { Backlog } from './backlog.ts';
import { LiveEdge, PassingTime } from './live-edge.ts';
import type { Grid, Piece } from './track.ts';
import {
  CLOCK_BEHIND_MOST,
  clockOf,
  KEPT_BY_PUBLISHER,
  type UtcAnchor,
  UtcAnchors,
} from './utc-anchors.ts';
import type { Placed } from './window-folder.ts';

/** No fresh frame for so long, and silence is filled in, ms: three parts of 0.32 s. */
export const HOLD = 960;
/** A late frame no later than this will catch up with a head that waits; a later one will not. */
const BEHIND_MOST = samples(48_000);
/** A longer jump forward is no gap but a new stretch. Publishers may lead by 5 s. */
const GAP_MOST = samples(20 * 48_000);
/** Unit of silence while no publisher says otherwise: 20 ms. */
const SILENCE_UNIT = samples(960);
/** Stretches whose timestamps can still be placed. */
const PLACED = 4;

/** Silence dated so wrongly, ms, that the clock was set or the machine slept. */
const IDLE_OFF_MOST = 10_000;

/** A run of pieces between two discontinuities. */
type Stretch = {
  /** Null: silence of a continuous channel between broadcasts. */
  readonly epoch: number | null;
  /** Track time of timestamp 0. */
  readonly offset: number;
  /** First timestamp. */
  readonly from: Samples;
  readonly begin: Samples;
  /** Silence comes in multiples of this: the duration of the stretch's frames. */
  readonly unit: Samples;
  /** Clock points before this timestamp say nothing about it. */
  readonly clockFrom: number;
  readonly edge: LiveEdge;
};

export type ContinuityOptions = {
  readonly grid: Grid;
  /** Track time from which on nothing was used; the first piece is at the next segment's. */
  readonly begin: Samples;
  /** Takes the pieces in order; must not throw. */
  readonly emit: (piece: Piece) => void;
  /** Silence goes on before, between and after broadcasts. */
  readonly continuous?: boolean;
  /** Dates what players have from before a restart. */
  readonly dated?: UtcAnchor | undefined;
};

/** Counters since the beginning. */
export type ContinuityCounts = {
  /** Frames that came after their track time was taken. */
  readonly late: number;
  /** Frames that never came, by their sequence. */
  readonly lost: number;
  /** Silence put in, padding included, samples. */
  readonly silence: Samples;
  /** Stretches that began within an epoch. */
  readonly reAnchors: number;
};

/** The timeline of one channel. `tick` is to be called every 100 ms, `push` with every frame. */
export class Continuity {
  readonly #grid: Grid;
  readonly #emit: (piece: Piece) => void;
  readonly #continuous: boolean;
  readonly #time = new PassingTime();
  readonly #backlog = new Backlog();
  readonly #utc: UtcAnchors;
  readonly #stretches: Stretch[] = [];
  readonly #counts = { late: 0, lost: 0, silence: 0, reAnchors: 0 };
  /** Undefined before the first and between two broadcasts. */
  #stretch: Stretch | undefined;
  #head: Samples;
  /** When the head last moved. */
  #moved = millis(0);
  #sequence = -1;

  constructor({ grid, begin, emit, continuous = false, dated }: ContinuityOptions) {
    this.#grid = grid;
    this.#head = begin;
    this.#emit = emit;
    this.#continuous = continuous;
    this.#utc = new UtcAnchors(grid, dated);
  }

  /** Track time up to which pieces were emitted. */
  get head(): Samples {
    return this.#head;
  }

  /** Where the newest stretch's epoch lies, and which timestamp of it comes next; null: nowhere. */
  get placed(): Placed | null {
    const { epoch, offset } = this.#stretch ?? { epoch: null, offset: 0 };
    return epoch === null ? null : { epoch, offset, next: samples(this.#head - offset) };
  }

  get counts(): ContinuityCounts {
    return { ...this.#counts, silence: samples(this.#counts.silence) };
  }

  /** Takes a frame; `clock` is the channel's newest clock point, of whatever epoch. */
  push(frame: Frame, { now, clock }: { now: Utc; clock: ClockPoint | null }): void {
    this.#time.pass(now);
    let stretch = this.#stretch;
    if (stretch?.epoch !== frame.epoch) {
      stretch = this.#begin(frame, { now, clock, clockFrom: Number.NEGATIVE_INFINITY });
      this.#sequence = frame.sequence - 1;
    }
    this.#counts.lost += Math.max(0, frame.sequence - this.#sequence - 1);
    this.#sequence = Math.max(this.#sequence, frame.sequence);
    const lag = this.#head - frame.timestamp - stretch.offset;
    if (lag > 0 && !this.#staysBehind(samples(lag), frame, stretch)) {
      this.#counts.late += 1;
      return;
    }
    if (lag > 0 || -lag > GAP_MOST) {
      this.#counts.reAnchors += 1;
      stretch = this.#begin(frame, { now, clock, clockFrom: frame.timestamp });
    }
    this.#take(frame, stretch);
    this.#date(frame, stretch, { now, clock });
  }

  /** Lets time pass: after the hold, silence up to the live edge. */
  tick(now: Utc): void {
    this.#time.pass(now);
    if (this.#stretch === undefined && !this.#continuous) return;
    if (this.#stretch === undefined || this.#stretch.epoch === null) this.#idle(now);
    else if (this.#time.waited >= HOLD) this.#fill(this.#stretch);
  }

  /** The broadcast ended: its last part becomes whole. */
  end(now: Utc): void {
    this.#time.pass(now);
    if (this.#stretch === undefined || this.#stretch.epoch === null) return;
    this.#pad();
    const { offset, edge } = this.#stretch;
    this.#stretch = this.#continuous ? this.#silent(this.#head, edge, offset) : undefined;
  }

  /**
   * Where a timestamp of one of the last stretches lies; null when its epoch has no place. What was
   * said of an epoch before its first frame lies at its beginning.
   */
  trackTimeOf(epoch: number, timestamp: Samples): Samples | null {
    const index = this.#stretches.findLastIndex(
      (one) => one.epoch === epoch && one.from <= timestamp,
    );
    const stretch = this.#stretches[index];
    if (stretch === undefined)
      return this.#stretches.find((one) => one.epoch === epoch)?.begin ?? null;
    const next = this.#stretches[index + 1]?.begin ?? Number.POSITIVE_INFINITY;
    return samples(Math.min(timestamp + stretch.offset, next));
  }

  /** UTC of capture of a track time, the same whenever it is asked for (see UtcAnchors). */
  utcOf(track: Samples): Utc {
    return this.#utc.of(track);
  }

  /** Emits the next frame of a stretch, after silence up to its beginning. */
  #take(frame: Frame, stretch: Stretch): void {
    const at = samples(frame.timestamp + stretch.offset);
    this.#silence(at);
    this.#move(samples(at + frame.duration));
    this.#emit({ kind: 'frame', at, frame });
    stretch.edge.enter(this.#head, this.#time.elapsed);
    this.#backlog.clear();
    this.#time.heard();
  }

  /**
   * Judges a frame whose track time is taken. One that is a little late makes the head wait, so that
   * the frames after it overtake it, but for a second only. Returns whether a new anchor is needed.
   */
  #staysBehind(lag: Samples, frame: Frame, { edge, offset }: Stretch): boolean {
    const { elapsed } = this.#time;
    if (lag > BEHIND_MOST) return this.#backlog.staysBehind(lag, elapsed);
    this.#backlog.clear();
    edge.enter(samples(frame.timestamp + offset + frame.duration), elapsed);
    if (elapsed - this.#moved <= samplesToMillis(BEHIND_MOST)) this.#time.heard();
    return false;
  }

  /** Begins a stretch with a frame. */
  #begin(
    frame: Frame,
    { now, clock, clockFrom }: { now: Utc; clock: ClockPoint | null; clockFrom: number },
  ): Stretch {
    const arrived = utc(now - samplesToMillis(frame.duration));
    const dated = clockOf(frame, clock, { clockFrom, arrived, behindMost: KEPT_BY_PUBLISHER });
    const at = this.#next();
    const { epoch, timestamp, duration } = frame;
    const edge = new LiveEdge(samples(at + duration), this.#time.elapsed);
    const offset = at - timestamp;
    const stretch = { epoch, offset, from: timestamp, begin: at, unit: duration, clockFrom, edge };
    this.#stretch = this.#enter(stretch);
    this.#open({ at, utc: dated ?? arrived }, { clock: dated !== undefined });
    return this.#stretch;
  }

  /** Silence of a continuous channel without a broadcast: it follows the wall clock. */
  #idle(now: Utc): void {
    const off = this.#stretch && now - this.utcOf(this.#stretch.edge.at(this.#time.elapsed));
    if (off === undefined || Math.abs(off) > IDLE_OFF_MOST) {
      const at = this.#next();
      this.#stretch = this.#silent(at, new LiveEdge(at, this.#time.elapsed), 0);
      this.#open({ at, utc: now }, { clock: false });
    }
    if (this.#stretch === undefined) return;
    this.#utc.aim({ at: this.#stretch.edge.at(this.#time.elapsed), utc: now }, { clock: false });
    this.#fill(this.#stretch);
  }

  #silent(begin: Samples, edge: LiveEdge, offset: number): Stretch {
    const from = samples(begin - offset);
    const clockFrom = Number.POSITIVE_INFINITY;
    return this.#enter({ epoch: null, offset, from, begin, unit: SILENCE_UNIT, clockFrom, edge });
  }

  #enter(stretch: Stretch): Stretch {
    this.#backlog.clear();
    this.#stretches.push(stretch);
    if (this.#stretches.length > PLACED) this.#stretches.shift();
    return stretch;
  }

  /** Where the next stretch begins; the one before is padded. */
  #next(): Samples {
    if (this.#stretch !== undefined) this.#pad();
    return roundUp(this.#head, this.#grid.segment);
  }

  #open(anchor: UtcAnchor, { clock }: { clock: boolean }): void {
    const begun = this.#utc.begin(anchor, { end: this.#head, clock });
    this.#head = begun.at;
    this.#moved = this.#time.elapsed;
    this.#time.heard();
    this.#emit({ kind: 'discontinuity', at: begun.at, utc: begun.utc });
  }

  /** Tells the dates what is true now: the clock point if it is sane, else the time of arrival. */
  #date(
    frame: Frame,
    { edge, offset, clockFrom }: Stretch,
    { now, clock }: { now: Utc; clock: ClockPoint | null },
  ): void {
    const newest = edge.at(this.#time.elapsed);
    const at = samples(frame.timestamp + offset);
    const arrived = utc(now - samplesToMillis(samples(newest - at)));
    const dated = clockOf(frame, clock, { clockFrom, arrived, behindMost: CLOCK_BEHIND_MOST });
    this.#utc.aim({ at, utc: dated ?? arrived }, { clock: dated !== undefined });
  }

  #fill({ edge, unit }: Stretch): void {
    const edgeNow = edge.at(this.#time.elapsed);
    this.#silence(samples(edgeNow - (edgeNow % unit)));
  }

  #pad(): void {
    this.#silence(roundUp(this.#head, this.#grid.part));
  }

  #silence(until: Samples): void {
    const at = this.#head;
    const duration = samples(until - at);
    if (duration <= 0) return;
    this.#counts.silence += duration;
    this.#move(until);
    this.#emit({ kind: 'silence', at, duration });
  }

  #move(head: Samples): void {
    this.#head = head;
    this.#moved = this.#time.elapsed;
    this.#utc.advance(head);
  }
}

const roundUp = (at: Samples, unit: Samples): Samples => samples(Math.ceil(at / unit) * unit);
