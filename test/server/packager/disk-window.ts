/** A rendition's window on a real disk, filled by hand. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiskStore } from '../../../server/packager/disk-store.ts';
import { FileReads } from '../../../server/packager/file-reads.ts';
import { mediaPart } from '../../../server/packager/fmp4.ts';
import type { Grid, Segment } from '../../../server/packager/track.ts';
import { Window } from '../../../server/packager/window.ts';
import { type RestoredWindow, restoreWindow } from '../../../server/packager/window-restore.ts';
import { samples, utc } from '../../../shared/time.ts';

export const GRID: Grid = { part: samples(15_360), segment: samples(184_320) };
export const PARTS = GRID.segment / GRID.part;

const stores = new Set<DiskStore>();

/** An empty folder; `remove` closes what still writes there. */
export const temporaryFolder = (): { path: string; remove: () => Promise<void> } => {
  const path = mkdtempSync(join(tmpdir(), 'skywave-window-'));
  const remove = async (): Promise<void> => {
    await Promise.all([...stores].map((store) => store.close()));
    stores.clear();
    await rm(path, { recursive: true, force: true });
  };
  return { path, remove };
};

/** The bytes of a part: real fMP4 whose one unit names it. */
export const partBytes = (sequence: number, index: number): Buffer => {
  const at = samples(sequence * GRID.segment + index * GRID.part);
  const bytes = Buffer.from(`unit ${sequence}/${index}`);
  const units = [{ at, duration: GRID.part, bytes }];
  return mediaPart({ sequence: at / GRID.part, units, beginsSegment: index === 0 });
};

export const segmentBytes = (sequence: number, parts = PARTS): Buffer =>
  Buffer.concat(Array.from({ length: parts }, (_, index) => partBytes(sequence, index)));

/** A window, its store, and what the store said of the disk. */
export class DiskWindow {
  readonly window: Window;
  readonly store: DiskStore;
  readonly said: ('fails' | 'well')[] = [];

  constructor(
    folder: string,
    { seconds = 60, restored }: { seconds?: number; restored?: RestoredWindow | undefined } = {},
  ) {
    this.store = new DiskStore(folder, {
      reads: new FileReads(),
      failing: (error) => this.said.push(error === null ? 'well' : 'fails'),
      ...(restored && { listed: restored.listed, indexed: restored.indexed }),
    });
    stores.add(this.store);
    const duration = samples(seconds * 48_000);
    this.window = new Window({ grid: GRID, duration, store: this.store, ...restored });
  }

  grow(sequence: number, parts = PARTS): void {
    this.window.open({
      sequence,
      at: samples(sequence * GRID.segment),
      utc: utc(sequence * 3840),
      discontinuity: false,
      discontinuities: 0,
      name: String(sequence),
    });
    for (let index = 0; index < parts; index += 1)
      this.window.append({
        at: samples(sequence * GRID.segment + index * GRID.part),
        duration: GRID.part,
        bytes: partBytes(sequence, index),
      });
  }

  complete(sequence: number): void {
    this.window.complete({ utc: utc(sequence * 3840), ts: Buffer.from(`ts ${sequence}`) });
  }

  fill(from: number, to: number): void {
    for (let sequence = from; sequence < to; sequence += 1) {
      this.grow(sequence);
      this.complete(sequence);
    }
  }

  get sequences(): number[] {
    return sequencesOf(this.window.segments);
  }
}

export const sequencesOf = (segments: readonly Segment[]): number[] =>
  segments.map(({ sequence }) => sequence);

export const restore = (folder: string): RestoredWindow | undefined => restoreWindow(folder, GRID);
