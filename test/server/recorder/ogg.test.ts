import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { Journal } from '../../../server/recorder/journal.ts';
import { OggView, PRE_SKIP } from '../../../server/recorder/ogg.ts';
import { readOgg } from '../../../server/recorder/ogg-stream.ts';
import { type EpochNotes, type Timeline, timelineOf } from '../../../server/recorder/timeline.ts';
import { FLAG, type Frame } from '../../../shared/frame.ts';
import { millis, samples, utc } from '../../../shared/time.ts';
import { readOggFile } from '../../helpers/ogg-reader.ts';
import { frameOf, realPackets } from '../../helpers/opus-frames.ts';
import { programPath } from '../../helpers/program-path.ts';

const { log } = fastify({ logger: false });
const MONO = realPackets(300);
const STEREO = realPackets(300, { channels: 2, seed: 2 });

type Made = {
  readonly journal: Journal;
  readonly view: OggView;
  readonly timeline: Timeline;
  readonly file: Buffer;
};

const slice = async ({ journal, view }: Made, from: number, to: number): Promise<Buffer> => {
  const pieces: Buffer[] = [];
  for await (const piece of readOgg(view, { path: journal.path, from, to })) pieces.push(piece);
  return Buffer.concat(pieces);
};

const make = async (
  frames: readonly Frame[],
  {
    notes = new Map<number, EpochNotes>(),
    final = true,
    names = ['One', 'Zwei – 둘'],
  }: { notes?: Map<number, EpochNotes>; final?: boolean; names?: string[] } = {},
): Promise<Made> => {
  const folder = await mkdtemp(join(tmpdir(), 'skywave-ogg-'));
  const journal = Journal.begin(join(folder, 'one.journal'), { log });
  for (const frame of frames) expect(journal.enter(frame)).toBe('entered');
  await journal.flush();
  await journal.close();
  const timeline = timelineOf(journal.blocks(), notes);
  const view = new OggView(timeline, {
    serial: 77,
    comments: {
      title: 'Live',
      date: '2026-11-22T12:00:00.000Z',
      chapters: names.map((name, at) => ({ name, at: samples(at * 48_000) })),
    },
    final,
  });
  const made = { journal, view, timeline, file: Buffer.alloc(0) };
  const file = await slice(made, 0, view.bytes);
  await writeFile(join(folder, 'one.opus'), file);
  return { ...made, file };
};

const run = (packets: readonly Buffer[], from: number, to: number, epoch = 0): Frame[] =>
  Array.from({ length: to - from }, (_, at) =>
    frameOf(packets[(from + at) % packets.length] as Buffer, { sequence: from + at, epoch }),
  );

const pathOf = ({ journal }: Made): string => join(journal.path, '..', 'one.opus');

/** Samples that a decoder makes of the file, by two decoders that know nothing of each other. */
const decoded = (made: Made, decoder: 'opus' | 'libopus'): number => {
  const pcm = execFileSync(
    'ffmpeg',
    ['-v', 'error', '-c:a', decoder, '-i', pathOf(made), '-f', 's16le', '-ac', '1', '-'],
    { maxBuffer: 1 << 28 },
  );
  return pcm.length / 2;
};

const holeNotes = (distance: number): Map<number, EpochNotes> => {
  const point = (epoch: number, at: number, timestamp: number) => ({
    epoch,
    timestamp: samples(timestamp),
    utc: utc(1_700_000_000_000 + at),
    uncertainty: millis(1),
  });
  const end = 100 * 20;
  return new Map([
    [0, { first: point(0, 0, 0), last: point(0, end, 96_000), until: null }],
    [1, { first: point(1, end + distance, 0), last: null, until: null }],
  ]);
};

describe('the Ogg view of a journal', () => {
  it('holds the very packets that were published, with exact positions, in one stream', async () => {
    const made = await make(run(MONO, 0, 260));
    const { pages, packets } = readOggFile(made.file);
    expect(packets.slice(2)).toEqual(MONO.slice(0, 260));
    expect(packets[0]?.[9]).toBe(1);
    expect(pages.map(({ number }) => number)).toEqual(pages.map((_, index) => index));
    expect(new Set(pages.map(({ serial }) => serial))).toEqual(new Set([77]));
    expect(pages.at(-1)).toMatchObject({ granule: BigInt(260 * 960), type: 4 });
    expect(pages[0]?.type).toBe(2);
    for (const decoder of ['opus', 'libopus'] as const)
      expect(decoded(made, decoder)).toBe(260 * 960 - PRE_SKIP);
  });

  it('is stereo when any of it is, and has no end while the broadcast is on', async () => {
    const made = await make([...run(MONO, 0, 50), ...run(STEREO, 50, 100)], { final: false });
    const { pages, packets } = readOggFile(made.file);
    expect(packets[0]?.[9]).toBe(2);
    expect(pages.at(-1)?.type).toBe(0);
  });

  it('keeps holes in time, asks for their concealment, and counts them apart', async () => {
    const lost = [...run(MONO, 0, 50), ...run(MONO, 67, 130)];
    const made = await make(lost);
    expect(made.timeline.duration).toBe(130 * 960);
    expect(made.timeline.gaps).toBe(17 * 960);
    expect(made.timeline.missing).toEqual([{ epoch: 0, from: 50, to: 66 }]);
    for (const decoder of ['opus', 'libopus'] as const)
      expect(decoded(made, decoder)).toBe(130 * 960 - PRE_SKIP);
  });

  it('goes on in the same stream with a new epoch, at its place in time', async () => {
    const frames = [...run(STEREO, 0, 100), ...run(STEREO, 0, 40, 1)];
    const apart = await make(frames, { notes: holeNotes(90_000) });
    expect(apart.timeline.duration).toBe(140 * 960 + 90 * 48_000);
    expect(apart.timeline.gaps).toBe(90 * 48_000);
    expect(apart.timeline.missing).toEqual([]);
    for (const decoder of ['opus', 'libopus'] as const)
      expect(decoded(apart, decoder)).toBe(140 * 960 + 90 * 48_000 - PRE_SKIP);
    const close = await make(frames);
    expect(close.timeline.duration).toBe(140 * 960);
    // Clocks that say the new epoch began before the old one ended do not make it overlap.
    const early = await make(frames, { notes: holeNotes(-500) });
    expect(early.timeline.duration).toBe(140 * 960);
  });

  it('does not miss what silence left out, nor what was never captured', async () => {
    const [last] = run(MONO, 49, 50);
    const quiet = frameOf(last?.packet ?? new Uint8Array(), { sequence: 49, flags: FLAG.dtx });
    const after = run(MONO, 60, 80).map(({ packet, sequence }) =>
      frameOf(packet, { sequence, timestamp: (sequence + (sequence < 70 ? 0 : 25)) * 960 }),
    );
    const { timeline } = await make([...run(MONO, 0, 49), quiet, ...after]);
    expect(timeline.missing).toEqual([]);
    expect(timeline.gaps).toBe(25 * 960);
    expect(timeline.duration).toBe(105 * 960);
  });

  it('knows what lacks at the beginning of an epoch, at its end, and as a whole', () => {
    const until = (last: number): EpochNotes => ({ first: null, last: null, until: last });
    const notes = new Map([
      [0, until(12)],
      [1, until(3)],
    ]);
    const block = {
      ...{ epoch: 0, sequence: 5, timestamp: samples(4800), duration: samples(960), count: 5 },
      ...{ offset: 0, bytes: 0, payload: 0, pages: 1, lacing: 1, toc: 0xf8, dtx: false },
    };
    expect(timelineOf([block], notes).missing).toEqual([
      { epoch: 0, from: 0, to: 4 },
      { epoch: 0, from: 10, to: 12 },
      { epoch: 1, from: 0, to: 3 },
    ]);
  });

  it('gives any range of bytes as a slice of the whole', async () => {
    const frames = [...run(STEREO, 0, 90), ...run(STEREO, 140, 180), ...run(MONO, 0, 30, 1)];
    const names = Array.from({ length: 900 }, (_, at) => `${at} ${'x'.repeat(400)}`);
    const made = await make(frames, { names });
    expect(made.file.length).toBe(made.view.bytes);
    const at = fc.integer({ min: 0, max: made.view.bytes });
    await fc.assert(
      fc.asyncProperty(at, at, async (one, other) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        const bytes = await slice(made, from, to);
        expect(bytes.equals(made.file.subarray(from, to))).toBe(true);
      }),
      { seed: 20_261_122, numRuns: 80 },
    );
  });

  it('begins a page early where so many lacing values do not fit', async () => {
    // 510 kbit/s: six values a packet, 42 packets a page; and padding to the last byte of a value.
    const sizes = [1275, 1274, 1020, 255, 254, 3];
    const packets = Array.from({ length: 600 }, (_, at) => {
      const packet = Buffer.alloc(at < 400 ? 1275 : (sizes[at % sizes.length] as number), at);
      packet[0] = MONO[0]?.[0] ?? 0;
      return packet;
    });
    const { file, view, journal } = await make(run(packets, 0, 600), { names: [] });
    expect(file.length).toBe(view.bytes);
    const { pages, packets: read } = readOggFile(file);
    expect(read.slice(2)).toEqual(packets);
    expect(pages.map(({ number }) => number)).toEqual(pages.map((_, index) => index));
    expect(pages[2]?.granule).toBe(BigInt(42 * 960));
    expect(pages.at(-1)).toMatchObject({ granule: BigInt(600 * 960), type: 4 });
    const blocks = journal.blocks();
    expect(blocks.reduce((sum, block) => sum + block.pages, 0)).toBe(pages.length - 2);
  });

  it.skipIf(programPath('opusinfo') === undefined)('is without fault to opusinfo', async () => {
    const frames = [...run(STEREO, 0, 100), ...run(MONO, 0, 20, 1), ...run(MONO, 33, 40, 1)];
    const long = Array.from({ length: 300 }, (_, at) => `Title ${at} ${'y'.repeat(450)}`);
    for (const names of [['One', 'Two'], long]) {
      const made = await make(frames, { notes: holeNotes(61_000), names });
      const { stdout, stderr, status } = spawnSync('opusinfo', [pathOf(made)], {
        encoding: 'utf8',
        maxBuffer: 1 << 26,
      });
      expect(`${stdout}${stderr}`).not.toMatch(/warning|error|hole|corrupt|invalid/i);
      expect(status).toBe(0);
      expect(stdout).toContain('CHAPTER001=00:00:01.000');
      expect(stdout).toContain('Logical stream 1 ended');
    }
  });
});
