import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { makeAacCopy } from '../../../server/recorder/aac-copy.ts';
import { Journal } from '../../../server/recorder/journal.ts';
import { PRE_SKIP } from '../../../server/recorder/ogg.ts';
import { timelineOf } from '../../../server/recorder/timeline.ts';
import { ChildTranscoder } from '../../../server/transcoder/transcoder.ts';
import { samples } from '../../../shared/time.ts';
import { findBursts } from '../../helpers/burst-detector.ts';
import { frameOf } from '../../helpers/opus-frames.ts';
import { measuringPackets } from '../../helpers/real-publisher.ts';

const { log } = fastify({ logger: false });

const heard = (path: string): Float32Array => {
  const pcm = execFileSync(
    'ffmpeg',
    ['-v', 'error', '-i', path, '-f', 'f32le', '-ac', '1', '-ar', '48000', '-'],
    { maxBuffer: 1 << 28 },
  );
  return new Float32Array(pcm.buffer, pcm.byteOffset, pcm.length / 4);
};

describe('the AAC copy of a recording', () => {
  it('sounds at the same sample as the original, holes included, with its chapters', async () => {
    const packets = measuringPackets();
    const folder = await mkdtemp(join(tmpdir(), 'skywave-copy-'));
    const journal = Journal.begin(join(folder, 'one.journal'), { log });
    // 10 s of sound, 3 s lost, then 6 s more.
    for (let sequence = 0; sequence < 950; sequence += 1)
      if (sequence < 500 || sequence >= 650)
        journal.enter(frameOf(packets[sequence % packets.length] as Buffer, { sequence }));
    await journal.flush();
    await journal.close();
    const timeline = timelineOf(journal.blocks(), new Map());
    const target = join(folder, 'one.m4a');
    const shares: number[] = [];
    const begun = performance.now();
    const made = await makeAacCopy({
      timeline,
      target,
      source: journal.path,
      title: 'Titel – 제목',
      created: Date.UTC(2026, 10, 22),
      chapters: [
        { at: samples(0), name: 'One' },
        { at: samples(480_000), name: '둘'.repeat(200) },
      ],
      createTranscoder: (sink) =>
        new ChildTranscoder(sink, {
          log,
          now: () => performance.now(),
          lacksAac: () => {},
          ladder: [{ name: 'aac128', bitrate: 128_000 }],
        }),
      progress: (share) => shares.push(share),
      signal: new AbortController().signal,
    });
    console.log(`19 s of sound were copied in ${Math.round(performance.now() - begun)} ms`);
    expect(made).toBe(true);
    expect((await readdir(folder)).sort()).toEqual(['one.journal', 'one.m4a']);
    expect(shares.at(-1)).toBeGreaterThan(0.8);
    const probe = JSON.parse(
      execFileSync(
        'ffprobe',
        ['-v', 'error', '-of', 'json', '-show_format', '-show_chapters', '-show_streams', target],
        { encoding: 'utf8' },
      ),
    );
    expect(probe.streams).toMatchObject([
      { codec_name: 'aac', channels: 2, duration: '18.993500' },
    ]);
    expect(probe.format.tags.title).toBe('Titel – 제목');
    expect(probe.chapters).toMatchObject([
      { start_time: '0.000000', end_time: '10.000000', tags: { title: 'One' } },
      { start_time: '10.000000', end_time: '18.993500', tags: { title: '둘'.repeat(85) } },
    ]);
    const pcm = heard(target);
    const length = 950 * 960 - PRE_SKIP;
    // Not every player ends in the middle of an access unit, as the edit list asks.
    expect(pcm.length).toBeGreaterThanOrEqual(length);
    expect(pcm.length).toBeLessThan(length + 1024);
    const bursts = findBursts(pcm, 48_000).map(({ time }) => time);
    const said = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 16, 17, 18];
    expect(bursts.map((time) => Math.abs(Math.round(time / 1000)))).toEqual(said);
    const off = bursts.slice(1).map((time) => Math.abs(time - 1000 * Math.round(time / 1000)));
    expect(Math.max(...off)).toBeLessThan(0.1);
  });
});
