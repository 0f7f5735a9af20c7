/**
 * Players that are programs, on every variant the service hands out, several at once. VLC's exit
 * code says nothing, and a decoder may hide what it lost, so what counts is the sound they wrote.
 */
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  describePlayed,
  disorderOf,
  type Played,
  type Program,
  playWith,
  UNREMARKABLE,
} from '../helpers/player-programs.ts';
import { RealPublisher } from '../helpers/real-publisher.ts';
import { startService, type TestService } from '../helpers/service.ts';

const PATHS = ['hls/index.m3u8', 'hls/opus.m3u8', 'hls/ts.m3u8', 'dash/manifest.mpd'] as const;
const ALL: readonly Program[] = ['ffmpeg', 'mpv', 'gstreamer', 'vlc'];
const CASES = PATHS.flatMap((path) => ALL.map((program) => ({ program, path })));

/** Older than where a player three segments behind begins. */
const HEAD_START = 14_000;
/** Sound asked for, s: what is there at first, and some seconds that are not yet. */
const SECONDS = 18;
const WITHIN = 12;
const AT_ONCE = 8;

let service: TestService;
let publisher: RealPublisher;
let folder: string;
const played = new Map<string, Played>();
/** On a channel that makes HLS only when asked, whose first request was theirs. */
const first = new Map<Program, Played>();

/** GStreamer 1.22 loses its place when it comes to the end of a playlist of one segment. */
const FIRST: readonly Program[] = ['ffmpeg', 'mpv', 'vlc'];

/** While the other channel comes of age: every program as the first of a broadcast that runs. */
const comeFirst = async (): Promise<void> => {
  const cold = await startService({ record: false });
  const desk = cold.station.desk('live');
  if (desk === undefined) throw new Error('There is no channel.');
  cold.station.update(desk, { warm: false });
  const speaker = await RealPublisher.start(cold);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const play = async (program: Program): Promise<void> => {
    const url = `${cold.base}/c/live/hls/index.m3u8`;
    first.set(program, await playWith(program, url, { folder, seconds: 4, within: WITHIN }));
  };
  await Promise.all(FIRST.map(play));
  await speaker.end();
  await cold.stop();
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skywave-programs-'));
  await chmod(folder, 0o777);
  service = await startService();
  publisher = await RealPublisher.start(service);
  await Promise.all([new Promise((resolve) => setTimeout(resolve, HEAD_START)), comeFirst()]);
  const left = [...CASES];
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const { program, path } = next;
      const url = `${service.base}/c/live/${path}`;
      const one = await playWith(program, url, { folder, seconds: SECONDS, within: WITHIN });
      played.set(`${program} ${path}`, one);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}, 120_000);

afterAll(async () => {
  await publisher?.end();
  await service?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('programs', () => {
  it.each(CASES)('$program plays $path', ({ program, path }) => {
    const one = played.get(`${program} ${path}`);
    if (one === undefined) throw new Error('It was not run.');
    console.log(describePlayed(one));
    // VLC alone plays at the pace of a clock, and begins late.
    expect(one.seconds).toBeGreaterThan(program === 'vlc' ? 6 : 10);
    expect(disorderOf(one.bursts)).toEqual([]);
    expect(one.bursts.length).toBeGreaterThanOrEqual(Math.floor(one.seconds) - 1);
    if (program === 'ffmpeg') expect(one.said).toEqual([]);
  });

  it.each(FIRST)('%s plays from its first request what nobody asked for before', (program) => {
    const one = first.get(program);
    if (one === undefined) throw new Error('It was not run.');
    console.log(describePlayed(one));
    expect(one.seconds).toBeGreaterThan(2);
    expect(disorderOf(one.bursts)).toEqual([]);
  });

  it.each(PATHS)('ffprobe has nothing to say against %s', async (path) => {
    const url = `${service.base}/c/live/${path}`;
    const args = ['-v', 'warning', '-show_streams', '-of', 'json', url];
    const { stdout, stderr } = await promisify(execFile)('ffprobe', args, { timeout: 10_000 });
    const said = stderr.split('\n').filter((line) => line !== '');
    expect(said.filter((line) => !UNREMARKABLE.some((known) => known.test(line)))).toEqual([]);
    const { streams } = JSON.parse(stdout) as { streams: { codec_name: string }[] };
    expect(streams.length).toBeGreaterThan(0);
    expect(streams.map(({ codec_name }) => codec_name)).toContain(
      path.includes('opus') ? 'opus' : 'aac',
    );
  });
});
