import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import type { Block } from '../../../server/recorder/blocks.ts';
import { Journal } from '../../../server/recorder/journal.ts';
import { packetsOf } from '../../../server/recorder/ogg-stream.ts';
import type { Frame } from '../../../shared/frame.ts';
import { samples } from '../../../shared/time.ts';
import { frameOf, realPackets } from '../../helpers/opus-frames.ts';

const { log } = fastify({ logger: false });
const PACKETS = realPackets(200);

const frames = (from: number, to: number, epoch = 0): Frame[] =>
  Array.from({ length: to - from }, (_, index) => {
    const sequence = from + index;
    return frameOf(PACKETS[sequence % PACKETS.length] as Buffer, { sequence, epoch });
  });

const newPath = async (): Promise<string> =>
  join(await mkdtemp(join(tmpdir(), 'skywave-journal-')), 'one.journal');

const write = async (path: string, list: readonly Frame[]): Promise<Journal> => {
  const journal = Journal.begin(path, { log });
  for (const frame of list) journal.enter(frame);
  await journal.flush();
  await journal.close();
  return journal;
};

/** Every frame of the journal as `epoch:sequence`, its packet compared with what was published. */
const held = async (path: string, blocks: readonly Block[]): Promise<string[]> => {
  const file = await readFile(path);
  return blocks.flatMap((block) =>
    packetsOf(file.subarray(block.offset, block.offset + block.bytes), block).map((packet, at) => {
      const sequence = block.sequence + at;
      expect(Buffer.compare(packet, PACKETS[sequence % PACKETS.length] as Buffer)).toBe(0);
      return `${block.epoch}:${sequence}`;
    }),
  );
};
const names = (list: readonly Frame[]): string[] =>
  list.map(({ epoch, sequence }) => `${epoch}:${sequence}`);

describe('a journal', () => {
  it('counts a frame only when it is on disk, and is the same when it is read again', async () => {
    const path = await newPath();
    const journal = Journal.begin(path, { log });
    for (const frame of frames(0, 120)) expect(journal.enter(frame)).toBe('entered');
    expect(journal.blocks()).toEqual([]);
    await journal.flush();
    expect(await held(path, journal.blocks())).toEqual(names(frames(0, 120)));
    for (const frame of frames(120, 130)) journal.enter(frame);
    expect(await held(path, journal.blocks())).toEqual(names(frames(0, 120)));
    await journal.flush();
    await journal.close();
    const again = await Journal.read(path, { log });
    expect(again.blocks()).toEqual(journal.blocks());
    expect(again.next(0)).toBe(130);
  });

  it('ignores what it has, puts what is late where it belongs, refuses what does not fit', async () => {
    const path = await newPath();
    const journal = await write(path, [...frames(0, 50), ...frames(80, 130), ...frames(0, 9, 1)]);
    expect(journal.enter(frames(10, 11)[0] as Frame)).toBe('repeated');
    const packet = PACKETS[60] as Buffer;
    expect(journal.enter(frameOf(packet, { sequence: 60, timestamp: 59 * 960 }))).toBe('misfit');
    expect(journal.enter(frameOf(packet, { sequence: 60, timestamp: 61 * 960 }))).toBe('misfit');
    for (const frame of frames(50, 80)) expect(journal.enter(frame)).toBe('entered');
    await journal.flush();
    await journal.close();
    const whole = names([...frames(0, 130), ...frames(0, 9, 1)]);
    expect(await held(path, journal.blocks())).toEqual(whole);
    const again = await Journal.read(path, { log });
    expect(again.blocks()).toEqual(journal.blocks());
  });

  it('has an index of 720 blocks an hour, and none of them holds what a packet is made of', async () => {
    const minute = frames(0, 3000);
    const journal = await write(await newPath(), minute);
    const blocks = journal.blocks();
    expect(blocks).toHaveLength(12);
    for (const block of blocks)
      for (const value of Object.values(block)) expect(typeof value).toMatch(/number|boolean/);
  });

  it('gives frames from any place on, so many as were asked for, over holes and epochs', async () => {
    const list = [...frames(0, 333), ...frames(340, 700), ...frames(5, 90, 1)];
    const journal = await write(await newPath(), list);
    const from = async (epoch: number, sequence: number, count: number): Promise<string[]> =>
      names(await journal.frames({ epoch, sequence }, samples(count * 960)));
    expect(await from(0, 17, 100)).toEqual(names(frames(17, 117)));
    expect(await from(0, 240, 20)).toEqual(names(frames(240, 260)));
    expect(await from(0, 332, 10)).toEqual(names([...frames(332, 333), ...frames(340, 349)]));
    expect(await from(0, 336, 2)).toEqual(names(frames(340, 342)));
    expect(await from(0, 699, 4)).toEqual(names([...frames(699, 700), ...frames(5, 8, 1)]));
    expect(await from(1, 89, 50)).toEqual(names(frames(89, 90, 1)));
    expect(await from(1, 90, 50)).toEqual([]);
    // Only half of the last frame was asked for.
    expect(names(await journal.frames({ epoch: 0, sequence: 1 }, samples(1440)))).toHaveLength(2);
  });

  it('goes on behind a torn record, which is cut off', async () => {
    const path = await newPath();
    await write(path, frames(0, 100));
    await truncate(path, (await stat(path)).size - 7);
    const journal = await Journal.read(path, { log });
    expect(journal.next(0)).toBe(99);
    for (const frame of frames(99, 140)) journal.enter(frame);
    await journal.flush();
    await journal.close();
    expect(await held(path, (await Journal.read(path, { log })).blocks())).toEqual(
      names(frames(0, 140)),
    );
    expect(await readdir(join(path, '..'))).toEqual(['one.journal']);
  });

  it('finds its way behind damage in the middle, and overwrites nothing it cannot read', async () => {
    const path = await newPath();
    await write(path, frames(0, 100));
    const bytes = await readFile(path);
    const middle = Math.floor(bytes.length / 2);
    bytes.fill(0xa5, middle, middle + 10);
    await writeFile(path, bytes);
    await appendFile(path, Buffer.alloc(5000, 7));
    const journal = await Journal.read(path, { log });
    const kept = await held(path, journal.blocks());
    expect(kept.length).toBeGreaterThanOrEqual(98);
    expect(kept.length).toBeLessThan(100);
    expect(await readFile(path)).toHaveLength(bytes.length + 5000);
    // What was damaged comes again, and goes behind the rest.
    for (const frame of frames(0, 110)) journal.enter(frame);
    await journal.flush();
    await journal.close();
    const after = await Journal.read(path, { log });
    expect(await held(path, after.blocks())).toEqual(names(frames(0, 110)));
    expect((await readFile(path)).subarray(0, bytes.length)).toEqual(bytes);
    const aside = (await readdir(join(path, '..'))).find((name) => name.includes('aside')) ?? '';
    expect(await readFile(join(path, '..', aside))).toEqual(Buffer.alloc(5000, 7));
  });

  it('never begins in a file that is there already', async () => {
    const path = await newPath();
    await writeFile(path, 'somebody else’s');
    const journal = Journal.begin(path, { log });
    journal.enter(frames(0, 1)[0] as Frame);
    await expect(journal.flush()).rejects.toMatchObject({ code: 'EEXIST' });
    expect(journal.next(0)).toBeUndefined();
    expect(await readFile(path, 'utf8')).toBe('somebody else’s');
  });

  it('forgets what could not be written, and takes it again', async () => {
    const path = await newPath();
    const folder = join(path, '..', 'not-yet');
    const journal = Journal.begin(join(folder, 'one.journal'), { log });
    for (const frame of frames(0, 60)) journal.enter(frame);
    await expect(journal.flush()).rejects.toMatchObject({ code: 'ENOENT' });
    await mkdir(folder);
    for (const frame of frames(40, 60)) expect(journal.enter(frame)).toBe('entered');
    await journal.flush();
    await journal.close();
    expect(await held(journal.path, journal.blocks())).toEqual(names(frames(40, 60)));
    expect((await Journal.read(journal.path, { log })).blocks()).toEqual(journal.blocks());
  });

  it('tells whoever shares it that their frames are forgotten, although another’s write failed', async () => {
    const path = await newPath();
    const folder = join(path, '..', 'not-yet');
    const journal = Journal.begin(join(folder, 'one.journal'), { log });
    const since = journal.rollbacks;
    for (const frame of frames(0, 10)) journal.enter(frame);
    // Somebody else's frames and flush.
    for (const frame of frames(20, 30)) journal.enter(frame);
    await expect(journal.flush()).rejects.toMatchObject({ code: 'ENOENT' });
    await mkdir(folder);
    await expect(journal.flush(since)).rejects.toMatchObject({ code: 'LOST' });
    for (const frame of frames(0, 10)) expect(journal.enter(frame)).toBe('entered');
    await journal.flush(journal.rollbacks);
    expect(await held(journal.path, journal.blocks())).toEqual(names(frames(0, 10)));
    await journal.close();
  });
});
