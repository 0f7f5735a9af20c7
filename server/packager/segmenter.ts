/**
 * Cuts a rendition's access units into parts and segments on the grid. A unit belongs to the part
 * in which it begins; a part is sent on as soon as its last unit is there.
 *
 * Transport streams are made when a segment is complete, always and not on demand: it costs
 * 0.12 ms for 3.84 s of sound, their counters go on from segment to segment, and a player that asks
 * for the first time finds a whole window. The price is memory: 1 MB a minute at 128 kbit/s.
 */
import { type Samples, samples, type Utc } from '../../shared/time.ts';
import type { PartContent } from './fmp4.ts';
import { durationOf } from './hls-bitrates.ts';
import type { AccessUnit, Grid, Part, Segment, TimedMetadata } from './track.ts';

/** Units that are missing for longer are not made up; the segments meanwhile are left out. */
export const MADE_UP_MOST = samples(60 * 48_000);
/** Titles that wait for their part. */
const TITLES_MOST = 100;

/** What is known of a segment when it begins. */
export type SegmentHead = Omit<Segment, 'parts' | 'complete' | 'tsBytes'>;

/** Takes what a segmenter makes: `open`, the parts, `complete`, and so on. */
export interface SegmentTarget {
  /** A segment begins; it replaces one that was opened and has no part. */
  open(head: SegmentHead): void;
  append(part: Part): void;
  /** The open segment has all its parts; one without any is withdrawn. */
  complete(made: { readonly utc: Utc; readonly ts: Buffer | null }): void;
}

/** What a transport stream segment is made of. */
export type TransportUnits = {
  readonly units: readonly AccessUnit[];
  readonly metadata: readonly TimedMetadata[];
};

export type SegmenterOptions = {
  readonly grid: Grid;
  /** Makes the bytes of a part: `mediaPart`. */
  readonly package: (content: PartContent) => Buffer;
  /** Makes the bytes of a transport stream segment; absent for renditions that have none. */
  readonly packageTs?: (content: TransportUnits) => Buffer;
  /** Name of a segment, which nobody can guess together with its path; never given before. */
  readonly nameOf: (sequence: number) => string;
  /** UTC of track time: `continuity.utcOf`. */
  readonly utcOf: (track: Samples) => Utc;
  /** Stands in for units that the encoder lost; a whole number of them makes a part. */
  readonly silent: { readonly duration: Samples; readonly bytes: Uint8Array };
  readonly to: SegmentTarget;
  /** Stretches in the channel's life before this one. */
  readonly stretches?: number;
};

type Growing = {
  readonly head: SegmentHead;
  /** Of its whole parts, for the transport stream. */
  readonly units: AccessUnit[];
  readonly metadata: TimedMetadata[];
  readonly beginsStretch: boolean;
  parts: number;
};

/** Where a stretch begins, and where the one before it ended. */
export type StretchBeginning = {
  readonly at: Samples;
  readonly utc: Utc;
  readonly before: Samples;
};

/** One rendition's segmenter. */
export class Segmenter {
  readonly #options: SegmenterOptions;
  readonly #titles: TimedMetadata[] = [];
  readonly #counts = { repeated: 0, madeUp: 0, titlesDropped: 0 };
  #stretches: number;
  /** The open segment; undefined outside a stretch. */
  #growing: Growing | undefined;
  /** The open part. */
  #units: AccessUnit[] = [];
  #partAt = samples(0);
  /** Where the next unit is to begin. */
  #next = samples(0);
  #first = true;

  constructor(options: SegmenterOptions) {
    this.#options = options;
    this.#stretches = options.stretches ?? 0;
  }

  /** Stretches in the channel's life that have a part; to be kept over restarts. */
  get stretches(): number {
    return this.#stretches;
  }

  /** Units dropped because they were there already, units made up, titles dropped. */
  get counts(): Readonly<Record<'repeated' | 'madeUp' | 'titlesDropped', number>> {
    return { ...this.#counts };
  }

  /** Begins a stretch at a multiple of a segment; all units of the one before have been pushed. */
  begin({ at, utc }: { readonly at: Samples; readonly utc: Utc }): void {
    if (this.#growing !== undefined) {
      // Segments are numbered by track time and none may be missing in a playlist.
      const { part, segment } = this.#options.grid;
      this.#makeUp(samples(at - segment + part));
      this.end();
    }
    this.#startAt(at, utc);
  }

  /**
   * Ends the stretch that a restart cut, whose last segment is `last`, with `units` in it when it is
   * not complete. What other renditions have more, up to `until` and with its own `beginnings`, is
   * made up.
   */
  endCut(
    last: Segment,
    {
      units,
      until,
      beginnings,
    }: {
      readonly units: readonly AccessUnit[];
      readonly until: Samples;
      readonly beginnings: readonly StretchBeginning[];
    },
  ): void {
    const end = samples(last.at + durationOf(last));
    const { grid, utcOf } = this.#options;
    this.#first = false;
    this.#next = end;
    this.#partAt = end;
    const { parts, complete, ...head } = last;
    const begun = { head, metadata: [], beginsStretch: false };
    if (!complete) this.#growing = { ...begun, units: [...units], parts: parts.length };
    else if (end % grid.segment === 0) this.#open(end, { utc: utcOf(end), beginsStretch: false });
    for (const beginning of beginnings.filter(({ at }) => at >= end)) {
      this.fillTo(beginning.before);
      this.begin(beginning);
    }
    this.fillTo(until);
    this.pause();
  }

  /** Enters the next unit of the stretch; one that overlaps those before by half is a repetition. */
  push(unit: AccessUnit): void {
    if (this.#growing === undefined || unit.at < this.#next - unit.duration / 2) {
      this.#counts.repeated += 1;
      return;
    }
    this.#makeUp(unit.at);
    this.#add(unit);
  }

  /** No unit before `until` will come any more: silence takes the place of those that are missing. */
  fillTo(until: Samples): void {
    if (this.#growing !== undefined) this.#makeUp(until);
  }

  /** Enters a title; one whose part was sent already goes into the open part. */
  title(metadata: TimedMetadata): void {
    this.#titles.push(metadata);
    this.#titles.sort((one, other) => one.at - other.at);
    if (this.#titles.length <= TITLES_MOST) return;
    // The one that is due last.
    this.#titles.pop();
    this.#counts.titlesDropped += 1;
  }

  /** Drops titles from a track time on that are not in a part yet. */
  forgetTitles(from: Samples): void {
    this.#titles.length = this.#titles.filter(({ at }) => at < from).length;
  }

  /** The stretch is over: the last part is made whole, the last segment is complete. */
  end(): void {
    if (this.#growing === undefined) return;
    if (this.#units.length > 0) this.#makeUp(samples(this.#partAt + this.#options.grid.part));
    this.#closeSegment(this.#growing);
    this.#growing = undefined;
  }

  /** Ends the stretch, and says what the next one will begin with. */
  pause(): void {
    this.end();
    const { segment } = this.#options.grid;
    const at = samples(Math.ceil(this.#next / segment) * segment);
    this.#open(at, { utc: this.#options.utcOf(at), beginsStretch: true });
    this.#growing = undefined;
  }

  #startAt(at: Samples, utc: Utc): void {
    this.#next = at;
    this.#partAt = at;
    this.#open(at, { utc, beginsStretch: true });
  }

  #open(at: Samples, { utc, beginsStretch }: { utc: Utc; beginsStretch: boolean }): void {
    const { grid, nameOf, to } = this.#options;
    const sequence = at / grid.segment;
    const head: SegmentHead = {
      sequence,
      at,
      utc,
      discontinuity: beginsStretch && this.#stretches > 0,
      discontinuities: Math.max(0, this.#stretches - 1),
      name: nameOf(sequence),
    };
    this.#growing = { head, units: [], metadata: [], beginsStretch, parts: 0 };
    to.open(head);
  }

  /** Fills with silent units where units are missing; a gap shorter than one is left alone. */
  #makeUp(until: Samples): void {
    const { silent, grid } = this.#options;
    if (until - this.#next > MADE_UP_MOST) this.#skipTo(until);
    const { duration, bytes } = silent;
    while (this.#next + duration <= until) {
      this.#counts.madeUp += 1;
      this.#add({ at: this.#next, duration, bytes });
    }
    if (until >= this.#partAt + grid.part && this.#units.length > 0) this.#closePart();
  }

  /** Gives up what is missing for too long: the stretch goes on in the segment of `until`. */
  #skipTo(until: Samples): void {
    const { grid, utcOf } = this.#options;
    this.end();
    const at = samples(Math.floor(until / grid.segment) * grid.segment);
    this.#startAt(at, utcOf(at));
  }

  #add(unit: AccessUnit): void {
    const { part } = this.#options.grid;
    this.#units.push(unit);
    this.#next = samples(unit.at + unit.duration);
    if (this.#next >= this.#partAt + part) this.#closePart();
  }

  #closePart(): void {
    const { grid, package: bytesOf, to, packageTs, utcOf } = this.#options;
    const growing = this.#growing as Growing;
    const at = this.#partAt;
    const metadata = this.#takeTitles(at);
    const beginsSegment = growing.parts === 0;
    const content = { sequence: at / grid.part, units: this.#units, metadata, beginsSegment };
    if (beginsSegment && growing.beginsStretch) this.#stretches += 1;
    growing.parts += 1;
    if (packageTs !== undefined) {
      growing.units.push(...this.#units);
      growing.metadata.push(...metadata);
    }
    this.#units = [];
    this.#partAt = samples(at + grid.part);
    to.append({ at, duration: grid.part, bytes: bytesOf(content) });
    if (this.#partAt % grid.segment !== 0) return;
    this.#closeSegment(growing);
    this.#open(this.#partAt, { utc: utcOf(this.#partAt), beginsStretch: false });
  }

  #closeSegment({ head, units, metadata, parts }: Growing): void {
    const { packageTs, to, utcOf } = this.#options;
    const ts = packageTs === undefined || parts === 0 ? null : packageTs({ units, metadata });
    // Nobody has a playlist yet with the first segment in it: its date may still become better.
    to.complete({ utc: this.#first ? utcOf(head.at) : head.utc, ts });
    if (parts > 0) this.#first = false;
  }

  #takeTitles(at: Samples): readonly TimedMetadata[] {
    const end = at + this.#options.grid.part;
    const count = this.#titles.filter((title) => title.at < end).length;
    return this.#titles.splice(0, count).map((title) => (title.at < at ? { ...title, at } : title));
  }
}
