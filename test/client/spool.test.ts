import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSegmentName, recordsIn, segmentName } from '../../client/net/segment.ts';
import { Spool } from '../../client/net/spool.ts';
import { decodeFrame, encodeFrame } from '../../shared/frame.ts';
import { samples, utc } from '../../shared/time.ts';
import { DiskFolder } from './disk-folder.ts';
import { FRAME, range } from './publishing.ts';

const PLACE = { recording: 'a/../b ~ 한글', epoch: 7, begun: utc(1_795_000_000_000) };
const RANDOM = { random: () => 0.25 };

let disk: DiskFolder;

beforeEach(async () => {
  disk = await DiskFolder.make();
});

afterEach(() => disk.dispose());

const keep = (spool: Spool, sequence: number, place = PLACE): boolean => {
  const header = {
    flags: 0,
    rendition: 0,
    duration: samples(FRAME),
    sequence,
    epoch: place.epoch,
    timestamp: samples(sequence * FRAME),
  };
  const packet = new Uint8Array(60).fill(sequence, 1);
  packet[0] = 0xfc;
  const frame = { ...header, packet, captured: utc(0) };
  return spool.keep(encodeFrame(header, packet), frame, place);
};

const sequencesOf = (records: readonly Uint8Array<ArrayBuffer>[]): number[] =>
  records.map((record) => decodeFrame(record.subarray(2)).sequence);

const everything = () => true;

describe('a segment', () => {
  it('names whose it is, whatever the recording is called', () => {
    const name = segmentName(PLACE, 42, 0.99);
    expect(name).not.toContain('/');
    expect(readSegmentName(name)).toEqual({ ...PLACE, from: 42 });
  });

  it.each(['', 'note.txt', '7~1~0~abc~.frames', '7~x~0~abc~a.frames', '7~1~0~abc~%E0%A4.frames'])(
    'is no segment: %j',
    (name) => {
      expect(readSegmentName(name)).toBeNull();
    },
  );

  it('is just what the upload takes: a big-endian length before every frame', async () => {
    const spool = new Spool(disk.open(), RANDOM);
    for (const sequence of range(0, 3)) keep(spool, sequence);
    await spool.settle();
    const [name = ''] = await disk.list();
    const bytes = await disk.read(name);
    expect([bytes.length, bytes[0], bytes[1]]).toEqual([3 * 78, 0, 76]);
    expect(Array.from(bytes.subarray(2, 12))).toEqual([1, 0, 0, 8, 0, 0, 0, 0, 0, 7]);
    expect(sequencesOf(recordsIn(bytes))).toEqual([0, 1, 2]);
    // Torn anywhere, it is the whole frames before the tear.
    for (const end of [77, 78, 79, 155, 233])
      expect(recordsIn(bytes.subarray(0, end))).toHaveLength(Math.floor(end / 78));
  });
});

describe('a spool', () => {
  it('owes only what was asked of it, and is empty when that is up and the rest confirmed', async () => {
    const spool = new Spool(disk.open(), { ...RANDOM, segmentBytes: 780 });
    for (const sequence of range(10, 40)) expect(keep(spool, sequence)).toBe(true);
    expect(spool.next(everything)).toBeUndefined();
    expect(spool.owe(7, { from: 5, to: 25 })).toBe(15);
    expect(spool.owe(8, { from: 0, to: 99 })).toBe(0);
    expect(spool.parts).toEqual([
      { recording: PLACE.recording, begun: PLACE.begun, duration: 300, left: false },
    ]);
    const sent: number[] = [];
    for (let next = spool.next(everything); next !== undefined; next = spool.next(everything)) {
      sent.push(...sequencesOf(await spool.records(next)));
      spool.uploaded(next);
    }
    expect(sent).toEqual(range(10, 25));
    spool.confirm(7, 29);
    await spool.settle();
    expect(await disk.list()).toHaveLength(1);
    spool.confirm(7, 39);
    await spool.settle();
    expect(await disk.list()).toEqual([]);
  });

  it('owes what it was asked for while the rest went up, and needs no word from the socket', async () => {
    const spool = new Spool(disk.open(), RANDOM);
    for (const sequence of range(10, 40)) keep(spool, sequence);
    spool.owe(7, { from: 10, to: 25 });
    const first = spool.next(everything);
    if (first === undefined) throw new Error('Nothing is owed.');
    const sent = sequencesOf(await spool.records(first));
    spool.owe(7, { from: 25, to: 40 });
    spool.uploaded(first);
    const second = spool.next(everything);
    if (second === undefined) throw new Error('The rest is forgotten.');
    sent.push(...sequencesOf(await spool.records(second)));
    expect(sent).toEqual(range(10, 40));
    expect(await disk.list()).toHaveLength(1);
    spool.uploaded(second);
    await spool.settle();
    expect(await disk.list()).toEqual([]);
  });

  it('finds on a later visit what is whole, and leaves other files alone', async () => {
    const before = new Spool(disk.open(), RANDOM);
    for (const sequence of range(0, 50)) keep(before, sequence);
    await before.settle();
    const [name = ''] = await disk.list();
    const bytes = await disk.read(name);
    await writeFile(join(disk.path, name), bytes.subarray(0, bytes.length - 5));
    await writeFile(join(disk.path, segmentName(PLACE, 50, 0.5)), new Uint8Array(1));
    await writeFile(join(disk.path, 'note.txt'), 'not ours');

    const spool = new Spool(disk.open(), RANDOM);
    await spool.opened;
    expect(spool.parts).toEqual([
      { recording: PLACE.recording, begun: PLACE.begun, duration: 980, left: true },
    ]);
    // A session in the same epoch confirms and owes its own frames only.
    spool.confirm(7, 1000);
    expect(spool.owe(7, { from: 0, to: 50 })).toBe(0);
    expect(spool.parts).toHaveLength(1);
    spool.discard(PLACE.recording);
    await spool.settle();
    expect(await disk.list()).toEqual(['note.txt']);
    expect(spool.trouble).toBeNull();
  });

  it('leaves a file alone that cannot be read, says so, and works with all others', async () => {
    const before = new Spool(disk.open(), { ...RANDOM, segmentBytes: 780 });
    for (const sequence of range(0, 30)) keep(before, sequence);
    await before.settle();
    const names = await disk.list();
    expect(names).toHaveLength(3);
    const repair = await disk.spoil(names[1] ?? '');

    const spool = new Spool(disk.open(), RANDOM);
    await spool.opened;
    expect(spool.trouble).toBe('unreadable');
    expect(spool.parts).toMatchObject([{ recording: PLACE.recording, duration: 400, left: true }]);
    expect(keep(spool, 0, { ...PLACE, recording: 'new', epoch: 8 })).toBe(true);
    await spool.settle();
    expect(await disk.list()).toHaveLength(4);
    await repair();
    const later = new Spool(disk.open(), RANDOM);
    await later.opened;
    expect(later.trouble).toBeNull();
    expect(later.parts).toMatchObject([{ duration: 600 }, { recording: 'new' }]);
  });

  it('takes no more than half of what the browser would give', async () => {
    disk.space = 2 * 78 * 20;
    const spool = new Spool(disk.open(), RANDOM);
    await spool.opened;
    const kept = range(0, 100).filter((sequence) => keep(spool, sequence));
    expect(kept).toEqual(range(0, 20));
    expect(spool.trouble).toBe('full');
    expect(spool.owe(7, { from: 0, to: 100 })).toBe(20);
    await spool.settle();
    expect(spool.dropped).toBe(0);
  });

  it('says what of the owed the disk did not take', async () => {
    const spool = new Spool(disk.open(), RANDOM);
    await spool.opened;
    for (const sequence of range(0, 10)) keep(spool, sequence);
    await spool.settle();
    disk.space = 0;
    for (const sequence of range(10, 30)) keep(spool, sequence);
    expect(spool.owe(7, { from: 5, to: 30 })).toBe(25);
    await spool.settle();
    expect([spool.trouble, spool.dropped]).toEqual(['full', 20]);
    expect(spool.parts).toMatchObject([{ duration: 100 }]);
    expect(keep(spool, 30)).toBe(false);
  });
});
