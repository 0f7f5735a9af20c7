import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../../helpers/seeded-random.ts';
import {
  DiskWindow,
  PARTS,
  partBytes,
  restore,
  segmentBytes,
  sequencesOf,
  temporaryFolder,
} from './disk-window.ts';

let root: string;
let folder: string;
let remove: () => Promise<void>;
beforeEach(() => {
  ({ path: root, remove } = temporaryFolder());
  folder = join(root, 'aac128');
});
afterEach(() => remove());

const files = (): number[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.m4s'))
    .map((name) => Number.parseInt(name, 10))
    .sort((one, other) => one - other);
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);
const listedOnDisk = (): number[] => sequencesOf(restore(folder)?.listed ?? []);

/** As fast as the disk takes it, which a broadcast always is. */
const filled = async (disk: DiskWindow, from: number, to: number): Promise<void> => {
  for (let sequence = from; sequence < to; sequence += 20) {
    disk.fill(sequence, Math.min(to, sequence + 20));
    await disk.store.flush();
  }
};

describe('a window on disk', () => {
  it('of half an hour has a handful of segments in memory, and all others to be read', async () => {
    const disk = new DiskWindow(folder, { seconds: 1800 });
    await filled(disk, 0, 600);
    const { store, window } = disk;
    expect(store.size).toBeLessThanOrEqual(6);
    expect(window.segments).toHaveLength(469);
    expect(window.segments.filter(({ parts }) => parts.length > 0)).toHaveLength(4);
    for (const sequence of [131, 300, 599]) {
      expect(await store.media(String(sequence))).toEqual(segmentBytes(sequence));
      expect((await store.ts(String(sequence)))?.toString()).toBe(`ts ${sequence}`);
    }
    expect(await store.part('599', 3)).toEqual(partBytes(599, 3));
    expect(await store.media('600')).toBeUndefined();
    expect(disk.said).toEqual([]);
  });

  it('has what is not written yet at once', () => {
    const disk = new DiskWindow(folder);
    disk.fill(0, 2);
    disk.grow(2, 5);
    expect(disk.store.media('1')).toEqual(segmentBytes(1));
    expect(disk.store.ts('1')).toEqual(Buffer.from('ts 1'));
    expect(disk.store.part('2', 4)).toEqual(partBytes(2, 4));
  });

  it('deletes what is evicted', async () => {
    const disk = new DiskWindow(folder);
    await filled(disk, 0, 100);
    // A minute is listed, and what players may still ask for is kept for as long again.
    expect(files().length).toBeLessThanOrEqual(16 + 20);
    expect(files().at(-1)).toBe(99);
    expect(await disk.store.media('10')).toBeUndefined();
  });

  it('reads a file once for all who ask at the same time', async () => {
    const disk = new DiskWindow(folder, { seconds: 600 });
    await filled(disk, 0, 40);
    const answers = await Promise.all(Array.from({ length: 300 }, () => disk.store.media('3')));
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toEqual(segmentBytes(3));
  });
});

describe('after a restart', () => {
  it('the same is listed, the newest with their parts, and the growing one as far as it got', async () => {
    const disk = new DiskWindow(folder);
    await filled(disk, 0, 40);
    disk.grow(40, 5);
    await disk.store.flush();
    const restored = restore(folder);
    expect(sequencesOf(restored?.listed ?? [])).toEqual(disk.sequences);
    const again = new DiskWindow(folder, { restored });
    const lengths = again.window.segments.slice(-5).map(({ parts }) => parts.length);
    expect(lengths).toEqual([12, 12, 12, 12, 5]);
    expect(again.store.part('40', 4)).toEqual(partBytes(40, 4));
    expect(restored?.units.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(
      range(0, 5).map((index) => `unit 40/${index}`),
    );
    again.complete(40);
    again.fill(41, 45);
    await again.store.flush();
    expect(await again.store.media('40')).toEqual(segmentBytes(40, 5));
    // A short segment among them: it takes one more to make a minute.
    expect(again.sequences).toEqual(range(28, 45));
    expect(listedOnDisk()).toEqual(range(28, 45));
  });

  it('nothing that had left the playlist comes back, but can still be had', async () => {
    const disk = new DiskWindow(folder);
    await filled(disk, 0, 60);
    const restored = restore(folder);
    expect(restored?.listed[0]?.sequence).toBe(disk.sequences[0]);
    expect(restored?.retired).toContain(String((disk.sequences[0] ?? 0) - 1));
    const again = new DiskWindow(folder, { restored });
    expect(await again.store.media('43')).toEqual(segmentBytes(43));
    await filled(again, 60, 120);
    expect(files()[0]).toBeGreaterThan(80);
  });

  it('what is torn is left out: the newest file, a part of it, a line', async () => {
    const disk = new DiskWindow(folder);
    await filled(disk, 0, 30);
    disk.grow(30, 6);
    await disk.store.flush();
    truncateSync(join(folder, '30.m4s'), segmentBytes(30, 3).length + 20);
    appendFileSync(join(folder, 'index.jsonl'), '{"sequence":31,"at":57139');
    expect(restore(folder)?.listed.at(-1)).toMatchObject({ sequence: 30, complete: false });
    expect(restore(folder)?.listed.at(-1)?.parts).toHaveLength(3);

    truncateSync(join(folder, '30.m4s'), 10);
    expect(listedOnDisk().at(-1)).toBe(29);
    truncateSync(join(folder, '29.m4s'), 300);
    expect(listedOnDisk().at(-1)).toBe(28);
    rmSync(join(folder, '28.ts'));
    expect(listedOnDisk().at(-1)).toBe(27);
  });

  it('what is left out is gone before its name is written anew', async () => {
    const disk = new DiskWindow(folder);
    await filled(disk, 0, 30);
    disk.grow(30, 6);
    await disk.store.flush();
    truncateSync(join(folder, '30.m4s'), 10);
    const again = new DiskWindow(folder, { restored: restore(folder) });
    expect(files().at(-1)).toBe(29);
    again.fill(30, 31);
    await again.store.flush();
    expect(files().at(-1)).toBe(30);
    expect(listedOnDisk().at(-1)).toBe(30);
  });

  it('a hole ends the window, and damage the whole of it', async () => {
    const disk = new DiskWindow(folder);
    await filled(disk, 0, 30);
    rmSync(join(folder, '22.m4s'));
    expect(listedOnDisk()).toEqual(range(23, 30));
    for (const text of ['', 'null\n[]\n{}\n', '\0'.repeat(5000), '{"sequence":-1}\n"../../x"\n']) {
      writeFileSync(join(folder, 'index.jsonl'), text);
      expect(restore(folder)).toBeUndefined();
    }
    expect(restore(join(root, 'nowhere'))).toBeUndefined();
  });

  it('whenever it is killed: no number twice, none missing, every byte as it was', async () => {
    const seed = 5005;
    console.log(`seed ${seed}`);
    const random = seededRandom(seed);
    let disk = new DiskWindow(folder);
    let from = 0;
    let next = 0;
    const lengths = new Map<number, number>();
    for (let kills = 0; kills < 25; kills += 1) {
      const until = next + 1 + Math.floor(random() * 25);
      for (; next < until; next += 1) {
        disk.fill(next, next + 1);
        if (random() < 0.7) await disk.store.flush();
      }
      disk.grow(next, 1 + Math.floor(random() * (PARTS - 1)));
      // What was on its way to the disk gets there, or not: the writes stop somewhere.
      for (let turns = Math.floor(random() * 20); turns > 0; turns -= 1)
        await new Promise((resolve) => setImmediate(resolve));
      await disk.store.close();

      const restored = restore(folder);
      const sequences = sequencesOf(restored?.listed ?? []);
      if (restored !== undefined) {
        expect(sequences).toEqual(range(sequences[0] ?? 0, (sequences.at(-1) ?? 0) + 1));
        expect(sequences[0]).toBeGreaterThanOrEqual(from);
      }
      from = sequences[0] ?? from;
      disk = new DiskWindow(folder, { restored });
      const newest = restored?.listed.at(-1);
      if (newest?.complete === false) {
        lengths.set(newest.sequence, newest.parts.length);
        disk.complete(newest.sequence);
      }
      next = (newest?.sequence ?? next) + 1;
      await disk.store.flush();
      for (const { name, sequence } of disk.window.segments)
        expect(await disk.store.media(name)).toEqual(segmentBytes(sequence, lengths.get(sequence)));
    }
  });
});

describe('a disk that fails', () => {
  it('is told of once; the broadcast goes on from memory, and all is written when it is well', async () => {
    writeFileSync(folder, 'in the way');
    const disk = new DiskWindow(folder);
    await filled(disk, 0, 30);
    expect(disk.said).toEqual(['fails']);
    expect(disk.sequences).toEqual(range(14, 30));
    expect(await disk.store.media('14')).toEqual(segmentBytes(14));
    rmSync(folder);
    await filled(disk, 30, 32);
    expect(disk.said).toEqual(['fails', 'well']);
    expect(listedOnDisk()).toEqual(range(16, 32));
  });

  it('takes a long window down to what memory may hold', async () => {
    writeFileSync(folder, 'in the way');
    const disk = new DiskWindow(folder, { seconds: 3600 });
    await filled(disk, 0, 200);
    expect(disk.store.size).toBeLessThanOrEqual(48);
    expect(disk.sequences).toEqual(range(152, 200));
    for (const sequence of disk.sequences)
      expect(await disk.store.media(String(sequence))).toEqual(segmentBytes(sequence));
  });

  it('leaves no window behind that is older than what players saw', async () => {
    const disk = new DiskWindow(folder);
    await filled(disk, 0, 30);
    // A folder where a file should be: EISDIR, for this segment only.
    mkdirSync(join(folder, '31.m4s'));
    await filled(disk, 30, 40);
    expect(disk.said).toEqual(['fails']);
    expect(restore(folder)).toBeUndefined();
    rmSync(join(folder, '31.m4s'), { recursive: true });
    await filled(disk, 40, 41);
    expect(listedOnDisk()).toEqual(range(25, 41));
  });
});
