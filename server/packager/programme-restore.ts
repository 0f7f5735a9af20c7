/** What a restart left of a programme, and where it goes on. */
import { type Samples, samples } from '../../shared/time.ts';
import { MADE_UP_MOST } from './segmenter.ts';
import type { UtcAnchor } from './utc-anchors.ts';
import type { WindowFolder } from './window-folder.ts';
import type { RestoredWindow } from './window-restore.ts';

/** A programme as it was found; every window in it ends within a minute of the longest. */
export type RestoredProgramme = {
  /** By rendition; at least one. */
  readonly windows: ReadonlyMap<string, RestoredWindow>;
  /** Track time up to which the longest goes. */
  readonly end: Samples;
  readonly dated: UtcAnchor;
  /** Stretches in the channel's life so far. */
  readonly stretches: number;
  /** The epoch that a cut broadcast was in, and the first timestamp that players have not got. */
  readonly next: { readonly epoch: number; readonly timestamp: Samples } | null;
};

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
export const restoreProgramme = (
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
  if (last === undefined) return undefined;
  return {
    windows,
    end,
    dated: { at: last.at, utc: last.utc },
    stretches: last.discontinuities + (last.discontinuity ? 2 : 1),
    next: nextOf(folder, [...windows.values()]),
  };
};
