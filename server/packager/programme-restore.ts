/** What a restart left of a programme, and where it goes on. */
import { type Samples, samples } from '../../shared/time.ts';
import { durationOf } from './hls-bitrates.ts';
import { MADE_UP_MOST, type StretchBeginning } from './segmenter.ts';
import type { Grid, Segment } from './track.ts';
import type { UtcAnchor } from './utc-anchors.ts';
import { WindowFolder, type WindowsOnDisk } from './window-folder.ts';
import type { RestoredWindow } from './window-restore.ts';

/** A programme as it was found; every window in it ends within a minute of the longest. */
export type RestoredProgramme = {
  /** By rendition; at least one. */
  readonly windows: ReadonlyMap<string, RestoredWindow>;
  /** Track time up to which the longest goes. */
  readonly end: Samples;
  /** Where stretches begin in it. */
  readonly beginnings: readonly StretchBeginning[];
  readonly dated: UtcAnchor;
  /** Stretches in the channel's life so far. */
  readonly stretches: number;
  /** The epoch that a cut broadcast was in, and the first timestamp that players have not got. */
  readonly next: { readonly epoch: number; readonly timestamp: Samples } | null;
};

/** Stretches of the channel's life up to the next one, which is to be after this segment. */
export const stretchesAfter = ({ discontinuities, discontinuity }: Segment): number =>
  discontinuities + (discontinuity ? 2 : 1);

const beginningsIn = ({ listed }: RestoredWindow): StretchBeginning[] =>
  listed.flatMap(({ at, utc, discontinuity }, index) => {
    const before = listed[index - 1];
    if (!discontinuity || before === undefined) return [];
    return [{ at, utc, before: samples(before.at + durationOf(before)) }];
  });

const nextOf = (
  { kept }: WindowFolder,
  windows: readonly RestoredWindow[],
): RestoredProgramme['next'] => {
  if (kept.placed === null) return null;
  const { epoch, offset, next } = kept.placed;
  // What one rendition lacks comes again in all of them: better twice than never.
  const least = Math.min(...windows.map(({ end }) => end));
  return { epoch, timestamp: next ?? samples(Math.max(0, least - offset)) };
};

/** Reads a programme from its folder; undefined when no window is left. */
const restoreProgramme = (
  folder: WindowFolder,
  renditions: readonly string[],
): RestoredProgramme | undefined => {
  const found = new Map<string, RestoredWindow>();
  for (const rendition of renditions) {
    const window = folder.restore(rendition);
    if (window !== undefined) found.set(rendition, window);
  }
  const end = samples(Math.max(0, ...[...found.values()].map((window) => window.end)));
  const windows = new Map([...found].filter(([, window]) => window.end >= end - MADE_UP_MOST));
  const longest = [...windows.values()].find((window) => window.end === end);
  const last = longest?.listed.at(-1);
  if (longest === undefined || last === undefined) return undefined;
  return {
    windows,
    end,
    beginnings: beginningsIn(longest),
    dated: { at: last.at, utc: last.utc },
    stretches: stretchesAfter(last),
    next: nextOf(folder, [...windows.values()]),
  };
};

/** A channel's newest programme, where it can go on as it is; everything else in the folder goes. */
export const newestProgramme = (
  windows: WindowsOnDisk,
  options: {
    readonly grid: Grid;
    readonly renditions: readonly string[];
    readonly secretOf: (name: string) => string;
    /** Whether its end lies before what the channel has reserved. */
    readonly mayGoOn: (end: Samples) => boolean;
  },
): { readonly folder: WindowFolder; readonly restored: RestoredProgramme } | undefined => {
  const { grid, renditions, secretOf, mayGoOn } = options;
  const folder = WindowFolder.newest(
    windows,
    (kept) =>
      kept.secret === secretOf(kept.name) &&
      kept.grid.part === grid.part &&
      kept.grid.segment === grid.segment,
  );
  const restored = folder && restoreProgramme(folder, renditions);
  if (folder !== undefined && restored !== undefined && mayGoOn(restored.end))
    return { folder, restored };
  void folder?.remove();
  return undefined;
};
