/** Reads what a restart left of a rendition's window: nothing torn, nothing with a hole before it. */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Samples, samples } from '../../shared/time.ts';
import { readParts } from './fmp4-read.ts';
import { durationOf } from './hls-bitrates.ts';
import type { AccessUnit, Grid, Part, Segment } from './track.ts';
import { type Indexed, parseLog } from './window-log.ts';

/** The newest segments, whose sizes are checked: what a crash can have cut lies among them. */
const CHECKED = 64;
/** The newest complete segments, whose parts are listed again. */
const WITH_PARTS = 4;

/** A rendition's window as it was found. */
export type RestoredWindow = {
  /** Oldest first, at least one; only the last may be incomplete. */
  readonly listed: readonly Segment[];
  /** Units of the last one's parts, when it is incomplete. */
  readonly units: readonly AccessUnit[];
  /** Names of segments that had left the playlist, and are still there. */
  readonly retired: readonly string[];
  readonly indexed: readonly Indexed[];
  /** Track time up to which there is sound. */
  readonly end: Samples;
  /** The last complete segment as a transport stream. */
  readonly lastTs: Buffer | null;
};

type Read = { readonly segment: Segment; readonly units: readonly AccessUnit[] };

const partsOf = (
  path: string,
  { at }: Indexed,
  grid: Grid,
): { parts: Part[]; units: AccessUnit[] } => {
  const read = readParts(readFileSync(path));
  const parts = read.map(({ bytes }, index) => ({
    at: samples(at + index * grid.part),
    duration: grid.part,
    bytes,
  }));
  return { parts, units: read.flatMap(({ units }) => units) };
};

/** The folder of one rendition. */
class Found {
  readonly #folder: string;
  readonly #grid: Grid;
  readonly #files: ReadonlySet<string>;

  constructor(folder: string, grid: Grid) {
    this.#folder = folder;
    this.#grid = grid;
    this.#files = new Set(readdirSync(folder));
  }

  /** Whether a complete segment is there, as long as it was. */
  has({ name, at, sequence, whole }: Indexed, { checked }: { checked: boolean }): boolean {
    const { part, segment } = this.#grid;
    if (whole === null || at !== sequence * segment) return false;
    if (whole.duration <= 0 || whole.duration > segment || whole.duration % part !== 0)
      return false;
    const sizes = { m4s: whole.bytes, ts: whole.tsBytes };
    return Object.entries(sizes).every(
      ([kind, bytes]) =>
        (kind === 'ts' && bytes === 0) ||
        (this.#files.has(`${name}.${kind}`) &&
          (!checked || statSync(join(this.#folder, `${name}.${kind}`)).size === bytes)),
    );
  }

  /** A segment whose parts may be listed; undefined when there is no whole part. */
  read(indexed: Indexed): Read | undefined {
    const { whole, ...head } = indexed;
    if (!this.#files.has(`${head.name}.m4s`)) return undefined;
    const { parts, units } = partsOf(join(this.#folder, `${head.name}.m4s`), indexed, this.#grid);
    const most = this.#grid.segment / this.#grid.part;
    if (parts.length === 0 || parts.length > most || head.at !== head.sequence * this.#grid.segment)
      return undefined;
    const segment = { ...head, parts, complete: whole !== null, ...transportLength(whole) };
    if (whole !== null && durationOf(segment) !== whole.duration) return undefined;
    return { segment, units };
  }

  ts({ name, whole }: Indexed): Buffer | null {
    return whole === null || whole.tsBytes === 0
      ? null
      : readFileSync(join(this.#folder, `${name}.ts`));
  }

  /**
   * Removes what no playlist will name. Not behind the restart's back: what is written next may have
   * the same name.
   */
  sweep(run: readonly Indexed[]): void {
    const kept = new Set(run.flatMap(({ name }) => [`${name}.m4s`, `${name}.ts`]));
    for (const file of this.#files)
      if (file !== 'index.jsonl' && !kept.has(file)) removeNow(join(this.#folder, file));
  }
}

/** What cannot be removed stays, and takes room until the next start. */
const removeNow = (path: string): void => {
  try {
    rmSync(path, { force: true });
  } catch {}
};

const transportLength = (whole: Indexed['whole']): { readonly tsBytes?: number } =>
  whole === null || whole.tsBytes === 0 ? {} : { tsBytes: whole.tsBytes };

const folded = ({ whole, ...head }: Indexed): Segment => ({
  ...head,
  parts: [],
  complete: true,
  ...transportLength(whole),
  folded: { duration: whole?.duration ?? samples(0), bytes: whole?.bytes ?? 0 },
});

/** The longest run of complete segments, without a hole in their numbers, up to the newest. */
const runOf = (found: Found, complete: readonly Indexed[]): readonly Indexed[] => {
  let first = complete.length;
  while (first > 0) {
    const one = complete[first - 1] as Indexed;
    const next = complete[first];
    if (next !== undefined && one.sequence + 1 !== next.sequence) break;
    if (!found.has(one, { checked: complete.length - first < CHECKED })) {
      if (next !== undefined) break;
      return runOf(found, complete.slice(0, -1));
    }
    first -= 1;
  }
  return complete.slice(first);
};

const restored = (folder: string, grid: Grid): RestoredWindow | undefined => {
  const index = parseLog(readFileSync(join(folder, 'index.jsonl'), 'utf8'));
  const found = new Found(folder, grid);
  const newest = index.at(-1);
  const open = newest?.whole === null ? found.read(newest) : undefined;
  const complete = runOf(
    found,
    index.filter(({ whole }) => whole !== null),
  );
  const last = complete.at(-1);
  const goesOn =
    open !== undefined && (last === undefined || last.sequence + 1 === open.segment.sequence);
  const from = last?.whole?.from ?? 0;
  const listed = complete.filter(({ sequence }) => sequence >= from);
  const segments = [
    ...listed.slice(0, -WITH_PARTS).map(folded),
    ...listed.slice(-WITH_PARTS).map((one) => found.read(one)?.segment ?? folded(one)),
    ...(goesOn ? [open.segment] : []),
  ];
  const edge = segments.at(-1);
  if (edge === undefined) return undefined;
  const indexed = goesOn && newest !== undefined ? [...complete, newest] : complete;
  found.sweep(indexed);
  return {
    listed: segments,
    units: goesOn ? open.units : [],
    retired: complete.filter(({ sequence }) => sequence < from).map(({ name }) => name),
    indexed,
    end: samples(edge.at + durationOf(edge)),
    lastTs: last === undefined ? null : found.ts(last),
  };
};

/** Reads a rendition's window from its folder; undefined where there is nothing to go on from. */
export const restoreWindow = (folder: string, grid: Grid): RestoredWindow | undefined => {
  try {
    return restored(folder, grid);
  } catch {
    // Missing, damaged, or out of reach: the window begins anew.
    return undefined;
  }
};
