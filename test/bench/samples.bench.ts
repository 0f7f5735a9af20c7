/**
 * Decoded HLS against what was published, to the sample: whole renditions of a run, decoded by
 * ffmpeg and Opus also by the codec it was made with, compared burst by burst and frame by frame.
 */
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFile, MP4BoxBuffer } from 'mp4box';
import { type Burst, findBursts } from '../helpers/burst-detector.ts';
import { checkFrames } from '../helpers/frame-check.ts';
import { LastingPublisher } from '../helpers/lasting-publisher.ts';
import { startLiveService } from '../helpers/live-service.ts';
import { IDENTITIES } from '../helpers/measuring-signal.ts';
import { UNREMARKABLE } from '../helpers/player-programs.ts';
import { type Collected, SegmentCollector } from '../helpers/segment-collector.ts';
import { describeWarnings, warningsOf } from '../helpers/service-warnings.ts';
import { decodeOpus, level } from '../server/transcoder/sound.ts';
import { type Claim, judge } from './verdict.ts';

const RATE = 48_000;
const SEGMENT = 184_320;
/** ffmpeg leaves out what the initialization segment calls pre-skip; other players do not. */
const PRE_SKIP = 312;
/**
 * What comes before does not count, ms: an encoder's first unit has none before it, and at 64 kbit/s
 * the first burst it meets is coarse (likeness 0.48 of one frame, later 0.5 and more).
 */
const SETTLE = 2000;
const EXPECTED = [
  'aac128/index.m3u8',
  'aac64/index.m3u8',
  'opus/index.m3u8',
  'aac128/ts.m3u8',
  'aac64/ts.m3u8',
];

type Range = { readonly first: number; readonly last: number };

/** Segments that every variant has; a hole in any of them is an error. */
const rangeOf = (variants: readonly Collected[]): Range => {
  const firsts = variants.map(({ segments }) => Math.min(...segments.keys()));
  const lasts = variants.map(({ segments }) => Math.max(...segments.keys()));
  return { first: Math.max(...firsts), last: Math.min(...lasts) };
};

const fileOf = ({ name, init, segments }: Collected, { first, last }: Range): Buffer => {
  const parts = Array.from({ length: last - first + 1 }, (_, index) => {
    const segment = segments.get(first + index);
    if (segment === undefined) throw new Error(`Segment ${first + index} of ${name} is missing.`);
    return segment;
  });
  return Buffer.concat(init === undefined ? parts : [init, ...parts]);
};

/** The packets of a fragmented file, in its own order. */
const packetsIn = (file: Buffer): Buffer[] => {
  const iso = createFile(true);
  iso.appendBuffer(MP4BoxBuffer.fromArrayBuffer(new Uint8Array(file).buffer, 0));
  iso.flush();
  return iso.getTrackSamplesInfo(1).map(({ offset, size }) => file.subarray(offset, offset + size));
};

/** What ffmpeg decodes, left channel; and what it says. */
const decodeWithFfmpeg = (file: Buffer): { pcm: Float32Array; said: string[] } => {
  const line = '-v warning -nostdin -i pipe:0 -map 0:a:0 -ac 2 -ar 48000 -f f32le -';
  const { stdout, stderr, error } = spawnSync('ffmpeg', line.split(' '), {
    input: file,
    maxBuffer: 2 ** 31,
  });
  if (error) throw error;
  const pcm = new Float32Array(Math.floor(stdout.length / 8));
  for (let index = 0; index < pcm.length; index += 1) pcm[index] = stdout.readFloatLE(8 * index);
  return {
    pcm,
    said: stderr
      .toString()
      .split('\n')
      .filter((text) => text.trim() !== '' && !UNREMARKABLE.some((known) => known.test(text))),
  };
};

type Reference = {
  readonly pcm: Float32Array;
  readonly bursts: readonly Burst[];
  readonly level: number;
};

/** Frames of the signal that are not there as they should be. */
const damagedIn = (pcm: Float32Array, bursts: readonly Burst[]): number =>
  checkFrames(pcm, RATE, bursts).filter(
    ({ verdict, time }) => verdict !== 'present' && time > SETTLE,
  ).length;

/** Compares one decode; `skipped` samples are missing at its beginning by design. */
const compare = (
  name: string,
  { pcm, said }: { pcm: Float32Array; said: readonly string[] },
  { reference, skipped = 0 }: { reference: Reference; skipped?: number },
): Claim[] => {
  const heard = findBursts(pcm, RATE).map((burst) => ({
    identity: burst.identity,
    time: burst.time + (skipped / RATE) * 1000,
  }));
  const late = <T extends { time: number }>(list: readonly T[]): T[] =>
    list.filter(({ time }) => time > SETTLE);
  const [found, expected] = [late(heard), late(reference.bursts)];
  const pairs = expected.map((burst, index) => ({ burst, other: found[index] }));
  const strayed = pairs.filter(({ burst, other }) => other?.identity !== burst.identity).length;
  const offsets = pairs.flatMap(({ burst, other }) =>
    other === undefined ? [] : [((other.time - burst.time) * RATE) / 1000],
  );
  const apart = Math.max(...offsets.map(Math.abs));
  const louder = level(pcm.subarray(RATE)) - reference.level;
  const damaged = damagedIn(pcm, findBursts(pcm, RATE));
  const missing = Math.abs(reference.pcm.length - skipped - pcm.length);
  process.stdout.write(
    `  ${name.padEnd(28)}${(pcm.length / RATE).toFixed(2)} s, ${found.length} bursts, ` +
      `${Math.min(...offsets).toFixed(3)} to ${Math.max(...offsets).toFixed(3)} samples, ` +
      `${damaged} frames damaged, ${louder.toFixed(3)} dB\n`,
  );
  for (const sentence of said.slice(0, 3)) process.stdout.write(`    ${sentence}\n`);
  return [
    { name: `${name}: samples too few or many`, value: missing, most: 0, unit: '' },
    { name: `${name}: bursts lost or strayed`, value: strayed, most: 0, unit: '' },
    { name: `${name}: frames damaged`, value: damaged, most: 0, unit: '' },
    { name: `${name}: off the published sound`, value: apart, most: 1, unit: 'samples' },
    { name: `${name}: level`, value: Math.abs(louder), most: 0.5, unit: 'dB' },
    { name: `${name}: lines ffmpeg says`, value: said.length, most: 0, unit: '' },
  ];
};

/** Where in the cycle of published packets a rendition begins. */
const beginningOf = (packets: readonly Buffer[], published: (index: number) => Buffer): number => {
  const cycle = IDENTITIES * 50;
  const fits = (at: number): boolean =>
    packets.slice(0, 50).every((packet, index) => packet.equals(published(at + index)));
  const begin = Array.from({ length: cycle }, (_, at) => at).find(fits);
  if (begin === undefined) throw new Error('The Opus rendition is not what was published.');
  return begin;
};

/** Runs for `minutes` and then compares for about a fifth of that time. */
export const run = async ({ minutes = 10 }: { minutes?: number } = {}): Promise<void> => {
  const service = await startLiveService();
  const warnings = warningsOf(service.child);
  const door = {
    base: `http://127.0.0.1:${service.port}`,
    token: new URL(service.studio).hash.replace('#token=', ''),
  };
  const collector = new SegmentCollector(`${door.base}/c/live`);
  const publisher = await LastingPublisher.start(door);
  let variants: readonly Collected[];
  try {
    await sleep(minutes * 60_000);
    variants = await collector.stop();
  } finally {
    publisher.vanish();
    await service.stop();
  }
  process.stdout.write(describeWarnings(warnings));
  const byName = new Map(variants.map((variant) => [variant.name, variant]));
  const wanted = EXPECTED.map((name) => {
    const variant = byName.get(name);
    if (variant === undefined) throw new Error(`There is no variant ${name}.`);
    return variant;
  });
  const range = rangeOf(wanted);
  const count = range.last - range.first + 1;
  process.stdout.write(`  ${count} segments of each of ${wanted.length} variants\n`);

  const opusFile = fileOf(byName.get('opus/index.m3u8') as Collected, range);
  const packets = packetsIn(opusFile);
  const begin = beginningOf(packets, (index) => publisher.packetOf(index));
  const published = packets.map((_, index) => publisher.packetOf(begin + index));
  const changed = packets.filter((packet, index) => !packet.equals(published[index]!)).length;
  const pcm = decodeOpus(published);
  const ours = decodeOpus(packets);
  const differing = ours.reduce((sum, one, index) => sum + (one === pcm[index] ? 0 : 1), 0);
  const reference: Reference = {
    pcm,
    bursts: findBursts(pcm, RATE),
    level: level(pcm.subarray(RATE)),
  };
  const claims: Claim[] = [
    {
      name: 'opus: packets too few or many',
      value: Math.abs(packets.length - (count * SEGMENT) / 960),
      most: 0,
      unit: '',
    },
    { name: 'opus: packets that were changed', value: changed, most: 0, unit: '' },
    { name: 'opus, our codec: samples that differ', value: differing, most: 0, unit: '' },
    {
      name: 'published: frames damaged',
      value: damagedIn(pcm, reference.bursts),
      most: 0,
      unit: '',
    },
  ];
  for (const variant of wanted) {
    const decoded = decodeWithFfmpeg(fileOf(variant, range));
    const skipped = variant.name.startsWith('opus/') ? PRE_SKIP : 0;
    const container = variant.init === undefined ? 'TS' : 'fMP4';
    const name = `${variant.name.split('/')[0]} ${container}, ffmpeg`;
    claims.push(...compare(name, decoded, { reference, skipped }));
  }
  judge(claims);
};
