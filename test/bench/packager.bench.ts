/**
 * What one channel on air costs the service: relay, transcoder with two AAC renditions, packager and
 * everything else, at real time; and beside it ffmpeg making the same ladder and HLS of the same Ogg Opus.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { SUBPROTOCOL } from '../../shared/control.ts';
import { encodeFrame } from '../../shared/frame.ts';
import { samples } from '../../shared/time.ts';
import { startLiveService } from '../helpers/live-service.ts';
import { measuringSignal } from '../helpers/measuring-signal.ts';
import { measuringPackets } from '../helpers/real-publisher.ts';
import { HELLO } from '../helpers/service.ts';
import { encodeWav } from '../helpers/wav.ts';
import { judge } from './verdict.ts';

const SECONDS = 60;
/**
 * Minutes before the one that counts. V8 compiles at its best what was called some thousand times:
 * of code that runs for every part, three times a second, that takes minutes.
 */
const WARM_UP = 5;

/** A file of /proc; empty when its process or thread has gone. */
const procFile = (path: string): string => {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
};

const numbered = (folder: string): string[] =>
  readdirSync(folder).filter((name) => /^\d+$/.test(name));

const parentOf = (pid: string): string =>
  procFile(`${pid}/stat`)
    .replace(/^.*\) /, '')
    .split(' ')[1] ?? '';

/**
 * CPU seconds of a process and of its children that still run: what the scheduler counted in
 * nanoseconds. (The ticks of /proc/PID/stat are 10 ms, longer than anything that happens here.)
 */
const cpuOf = (pid: number): number => {
  const children = numbered('/proc').filter((name) => parentOf(name) === String(pid));
  const threads = numbered(`/proc/${pid}/task`);
  const own = threads.map((id) => procFile(`${pid}/task/${id}/schedstat`).split(' ')[0]);
  const seconds = own.reduce((sum, spent) => sum + Number(spent ?? 0) / 1e9, 0);
  return children.reduce((sum, child) => sum + cpuOf(Number(child)), seconds);
};

/** Publishes the measuring signal from this process, at real time. */
const publish = async (studio: string): Promise<() => void> => {
  const url = new URL(studio);
  const token = url.hash.replace('#token=', '');
  const answer = await fetch(`${url.origin}/api/v1/channels/live/tickets`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{"role":"publisher"}',
  });
  const { ticket } = (await answer.json()) as { ticket: string };
  const address = `${url.origin.replace('http', 'ws')}/api/v1/channels/live/publish?ticket=${ticket}`;
  const socket = new WebSocket(address, SUBPROTOCOL);
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send(JSON.stringify(HELLO));
  const welcome = await new Promise<{ epoch: number }>((resolve) =>
    socket.once('message', (message: Buffer) => resolve(JSON.parse(message.toString()))),
  );
  const packets = measuringPackets();
  const begun = performance.now();
  let sequence = 0;
  const timer = setInterval(() => {
    for (; sequence < (performance.now() - begun) / 20; sequence += 1) {
      const header = {
        flags: 0,
        rendition: 0,
        duration: samples(960),
        sequence,
        epoch: welcome.epoch,
      };
      const packet = packets[sequence % packets.length] as Buffer;
      socket.send(encodeFrame({ ...header, timestamp: samples(sequence * 960) }, packet));
    }
  }, 5);
  return () => {
    clearInterval(timer);
    if (socket.readyState !== WebSocket.OPEN) throw new Error('The publisher was cut off.');
    socket.terminate();
  };
};

/** Something that runs until it is stopped. */
type Running = { readonly pid: number; readonly stop: () => Promise<void> };

const startPublished = async (): Promise<Running> => {
  const service = await startLiveService();
  const stop = await publish(service.studio);
  return {
    pid: service.child.pid ?? 0,
    stop: async () => {
      try {
        stop();
      } finally {
        await service.stop();
      }
    },
  };
};

const startFfmpeg = (): Running => {
  const folder = mkdtempSync(join(tmpdir(), 'skywave-bench-'));
  const wav = join(folder, 'in.wav');
  const ogg = join(folder, 'in.ogg');
  writeFileSync(
    wav,
    encodeWav({ rate: 48_000, channels: [measuringSignal((WARM_UP + 1) * SECONDS + 30, 48_000)] }),
  );
  spawnSync('ffmpeg', ['-v', 'error', '-i', wav, '-c:a', 'libopus', '-b:a', '96k', ogg]);
  const ladder = [
    '-map',
    '0:a',
    '-map',
    '0:a',
    '-ac',
    '2',
    '-c:a',
    'aac',
    '-b:a:0',
    '128k',
    '-b:a:1',
    '64k',
  ];
  const hls = [
    '-f',
    'hls',
    '-hls_time',
    '3.84',
    '-hls_segment_type',
    'fmp4',
    '-var_stream_map',
    'a:0 a:1',
  ];
  const child = spawn(
    'ffmpeg',
    ['-v', 'error', '-re', '-i', ogg, ...ladder, ...hls, join(folder, 'v%v.m3u8')],
    { stdio: 'ignore' },
  );
  return {
    pid: child.pid ?? 0,
    stop: async () => {
      const running = child.exitCode === null;
      const ended = running ? once(child, 'exit') : undefined;
      child.kill();
      await ended;
      rmSync(folder, { recursive: true, force: true });
      if (!running) throw new Error('ffmpeg ended before its time.');
    },
  };
};

/** Both at once, so that they find the same machine: caches, clocks and what else there is. */
export const run = async (): Promise<void> => {
  // ffmpeg first: what it gets is encoded here, in the process that is to publish at real time.
  const peer = startFfmpeg();
  const both = [await startPublished(), peer];
  let costs: readonly number[] = [];
  for (let minute = 0; minute <= WARM_UP; minute += 1) {
    const before = both.map(({ pid }) => cpuOf(pid));
    await sleep(SECONDS * 1000);
    costs = both.map(({ pid }, index) => (cpuOf(pid) - (before[index] ?? 0)) / SECONDS);
    const [ours, theirs] = costs.map((cost) => `${(100 * cost).toFixed(2)} % of a core`);
    process.stdout.write(`  minute ${minute + 1}: the whole service ${ours}, ffmpeg ${theirs}\n`);
  }
  await Promise.all(both.map((one) => one.stop()));
  const [service = Number.NaN, ffmpeg = Number.NaN] = costs;
  judge([
    { name: 'one channel, two AAC renditions', value: 100 * service, most: 4, unit: '%' },
    { name: 'against ffmpeg', value: service / ffmpeg, most: 1, unit: 'times' },
  ]);
};
