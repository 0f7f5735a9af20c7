/**
 * What one channel's transcoder costs: CPU of the child and of the parent for a second of sound, two
 * AAC renditions with decoding and loudness, beside the ffmpeg program making the same of the same
 * Ogg Opus in the same run; and what the messages between parent and child cost.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Piece } from '../../server/packager/track.ts';
import type { AacName } from '../../server/transcoder/messages.ts';
import { ChildTranscoder } from '../../server/transcoder/transcoder.ts';
import { samples, utc } from '../../shared/time.ts';
import { synthesize } from '../fixtures/synth.ts';
import { judge } from './verdict.ts';

const SECONDS = 60;
const FRAME = 960;
/** How much faster than life the sound is fed, frame by frame. */
const SPEED = 5;
const MOST_BEHIND = 96_000;
const CLOCK_TICKS = 100;

type Cost = { readonly child: number; readonly parent: number; readonly start: number };

/** Packets of an Ogg file (RFC 3533), without its two Opus headers. */
const packetsOf = (ogg: Buffer): Buffer[] => {
  const packets: Buffer[] = [];
  let pending: Buffer[] = [];
  for (let page = 0; page < ogg.length; ) {
    const lacing = ogg.subarray(page + 27, page + 27 + ogg[page + 26]!);
    let body = page + 27 + lacing.length;
    for (const length of lacing) {
      pending.push(ogg.subarray(body, body + length));
      body += length;
      if (length === 255) continue;
      packets.push(Buffer.concat(pending));
      pending = [];
    }
    page = body;
  }
  return packets.slice(2);
};

/** CPU seconds of another process. */
const cpuOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
};

const piecesOf = (packets: readonly Buffer[]): Piece[] =>
  packets.map((packet, sequence) => {
    const timestamp = samples(sequence * FRAME);
    const header = { flags: 0, rendition: 0, duration: samples(FRAME), sequence, epoch: 0 };
    return { kind: 'frame', at: timestamp, frame: { ...header, timestamp, packet, bytes: packet } };
  });

const ownCpuSince = (before: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
};

/** Hands out pieces at the pace of life times SPEED. */
const pace = async (
  pieces: readonly Piece[],
  take: (piece: Piece) => Promise<void>,
): Promise<void> => {
  const since = performance.now();
  for (const [index, piece] of pieces.entries()) {
    await take(piece);
    const wait = since + (index * 20) / SPEED - performance.now();
    if (wait > 0) await sleep(wait);
  }
};

/** What the parent's share of this benchmark costs without a transcoder, % of a core. */
const measurePacing = async (pieces: readonly Piece[]): Promise<number> => {
  const before = process.cpuUsage();
  await pace(pieces, async () => {});
  return (ownCpuSince(before) * 100) / (pieces.length * 0.02);
};

const measure = async (
  pieces: readonly Piece[],
  { encoders, lowRates }: { encoders: readonly AacName[]; lowRates: readonly string[] },
): Promise<Cost> => {
  const log = { warn: console.log, error: console.log };
  const began = performance.now();
  const transcoder = new ChildTranscoder(
    { unit: () => {}, frame: () => {}, loudness: () => {} },
    { log, lacksAac: () => {}, now: () => performance.now(), encoders },
  );
  await transcoder.available();
  const start = performance.now() - began;
  transcoder.setLowRate(lowRates);
  transcoder.push({ kind: 'discontinuity', at: samples(0), utc: utc(0) });
  const childBefore = cpuOf(transcoder.pid!);
  const parentBefore = process.cpuUsage();
  await pace(pieces, async (piece) => {
    transcoder.push(piece);
    // Other work on this machine must not look like a child that hangs.
    while (transcoder.behind > MOST_BEHIND) await sleep(1);
  });
  transcoder.end();
  while (transcoder.behind > 0) await sleep(1);
  const parent = ownCpuSince(parentBefore);
  const child = cpuOf(transcoder.pid!) - childBefore;
  if (transcoder.counters.restarts > 0)
    throw new Error('A child was replaced while it was measured.');
  await transcoder.close();
  const percent = 100 / (pieces.length * 0.02);
  return { child: child * percent, parent: parent * percent, start };
};

/** Percent of a core that the ffmpeg program needs for a second of sound. */
const measureProgram = (input: string, ...outputs: readonly string[]): number => {
  const command = `-hide_banner -nostdin -benchmark -threads 1 -i ${input} ${outputs.join(' ')}`;
  const { stderr } = spawnSync('ffmpeg', command.split(' '), { encoding: 'utf8' });
  const [, user, system] = /utime=([\d.]+)s stime=([\d.]+)s/.exec(stderr) ?? [];
  return ((Number(user) + Number(system)) * 100) / SECONDS;
};

const LADDER = [128, 64].map((rate) => `-map 0:a -c:a aac -aac_coder fast -b:a ${rate}k -f adts`);

/** Measures for about half a minute. */
export const run = async (): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'skywave-bench-'));
  try {
    const file = join(folder, 'sound.opus');
    const pcm = synthesize(SECONDS * 48_000, { channels: 2, seed: 1 });
    spawnSync(
      'ffmpeg',
      `-v error -y -f s16le -ar 48000 -ac 2 -i - -c:a libopus -b:a 96k -frame_duration 20 ${file}`.split(
        ' ',
      ),
      { input: Buffer.from(pcm.buffer) },
    );
    const pieces = piecesOf(packetsOf(readFileSync(file)));
    const outputs = LADDER.map((step, index) => `${step} -y ${join(folder, `${index}.aac`)}`);
    const program = measureProgram(file, ...outputs);
    const metered = measureProgram(file, ...outputs, '-map 0:a -af ebur128=peak=true -f null -');
    const pacing = await measurePacing(pieces);
    const fdk = await measure(pieces, { encoders: ['libfdk_aac'], lowRates: [] });
    const native = await measure(pieces, { encoders: ['aac'], lowRates: [] });
    const none = await measure(pieces, { encoders: [], lowRates: [] });
    const low = await measure(pieces, { encoders: ['libfdk_aac'], lowRates: ['opus48', 'opus24'] });
    const total = ({ child, parent }: Cost): number => child + parent - pacing;
    const row = (what: string, cost: Cost): object => ({
      what,
      'child %': cost.child.toFixed(2),
      'parent %': (cost.parent - pacing).toFixed(2),
      'of ffmpeg with meter': (total(cost) / metered).toFixed(2),
      'of ffmpeg': (total(cost) / program).toFixed(2),
    });
    console.table([
      row('libfdk_aac, 2 renditions, loudness', fdk),
      row('aac, 2 renditions, loudness', native),
      row('no AAC: decoding, loudness, messages', none),
      row('libfdk_aac and two low rates', low),
    ]);
    process.stdout.write(
      `  ffmpeg, ladder of native aac: ${program.toFixed(2)} %, with ebur128 and true peak ${metered.toFixed(2)} %; a child starts in ${fdk.start.toFixed(0)} ms\n`,
    );
    judge([
      {
        name: 'a channel: % of a core, child and parent',
        value: total(fdk),
        most: 5,
        unit: '%',
      },
      { name: 'a child is ready within', value: fdk.start, most: 1000, unit: 'ms' },
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
};
