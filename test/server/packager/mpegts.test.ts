import { describe, expect, it } from 'vitest';
import { id3Tag } from '../../../server/packager/id3.ts';
import { newTransportContinuity, transportSegment } from '../../../server/packager/mpegts.ts';
import type { AccessUnit, TimedMetadata } from '../../../server/packager/track.ts';
import { samples } from '../../../shared/time.ts';
import { seededRandom } from '../../helpers/seeded-random.ts';
import { AAC, aacUnits, decoded, fragmented, judge, lagOf, noise } from './fmp4-sound.ts';

const AUDIO = 0x101;
const METADATA = 0x102;
const TWO_TO_33 = 2 ** 33;

const unit = (at: number, length: number): AccessUnit => ({
  at: samples(at),
  duration: samples(1024),
  bytes: Buffer.alloc(length, 0xab),
});

const title = (at: number, text: string): TimedMetadata => ({
  at: samples(at),
  title: text,
  artist: 'Artist',
  artwork: null,
  url: null,
});

const hex = (...lines: readonly string[]): string => lines.join('').replaceAll(' ', '');

type Pes = { readonly pid: number; readonly at: number; readonly content: Buffer };

const stampOf = (bytes: Buffer): number => {
  expect([bytes[0]! & 0xf1, bytes[2]! & 1, bytes[4]! & 1]).toEqual([0x21, 1, 1]);
  return (
    ((bytes[0]! >> 1) & 7) * 2 ** 30 +
    (bytes.readUInt16BE(1) >> 1) * 2 ** 15 +
    (bytes.readUInt16BE(3) >> 1)
  );
};

const clockOf = (field: Buffer): number => field.readUInt32BE(0) * 2 + (field[4]! >> 7);

/** Takes transport packets apart and checks each on the way. */
const takeApart = (stream: Buffer) => {
  expect(stream.length % 188).toBe(0);
  const counters = new Map<number, number>();
  const open = new Map<number, Buffer[]>();
  const whole: { pid: number; bytes: Buffer }[] = [];
  const clocks: number[] = [];
  for (let offset = 0; offset < stream.length; offset += 188) {
    const packet = stream.subarray(offset, offset + 188);
    expect(packet[0]).toBe(0x47);
    const pid = packet.readUInt16BE(1) & 0x1fff;
    const before = counters.get(pid);
    if (before !== undefined) expect(packet[3]! & 15).toBe((before + 1) & 15);
    counters.set(pid, packet[3]! & 15);
    const adaptation = (packet[3]! & 0x20) === 0 ? 0 : 1 + packet[4]!;
    expect(adaptation).toBeLessThan(184);
    expect(packet[3]! & 0xd0).toBe(0x10);
    let stuffing = 6;
    if (adaptation > 1 && (packet[5]! & 0x10) !== 0) {
      clocks.push(clockOf(packet.subarray(6, 12)));
      stuffing = 12;
    }
    if (adaptation > 1)
      expect(packet.subarray(stuffing, 4 + adaptation).every((byte) => byte === 0xff)).toBe(true);
    if ((packet[1]! & 0x40) !== 0) {
      const bytes = open.get(pid);
      if (bytes) whole.push({ pid, bytes: Buffer.concat(bytes) });
      open.set(pid, []);
    }
    open.get(pid)!.push(packet.subarray(4 + adaptation));
  }
  for (const [pid, bytes] of open) whole.push({ pid, bytes: Buffer.concat(bytes) });
  const pes: Pes[] = whole
    .filter(({ pid }) => pid === AUDIO || pid === METADATA)
    .map(({ pid, bytes }) => {
      expect(bytes.readUInt32BE(0)).toBe(pid === AUDIO ? 0x1c0 : 0x1bd);
      expect(bytes.readUInt16BE(4)).toBe(bytes.length - 6);
      return { pid, at: stampOf(bytes.subarray(9)), content: bytes.subarray(14) };
    });
  return { pes, clocks };
};

const unframed = (adts: Buffer): readonly Buffer[] => {
  const units: Buffer[] = [];
  let offset = 0;
  while (offset < adts.length) {
    const end = offset + ((adts.readUIntBE(offset + 3, 3) >> 5) & 0x1fff);
    units.push(adts.subarray(offset + 7, end));
    offset = end;
  }
  expect(offset).toBe(adts.length);
  return units;
};

/** Segments of 180 units, as the grid cuts them. */
const segmented = (
  units: readonly AccessUnit[],
  metadata: readonly TimedMetadata[] = [],
): readonly Buffer[] => {
  const continuity = newTransportContinuity();
  const segments: Buffer[] = [];
  for (let index = 0; index < units.length; index += 180) {
    const own = units.slice(index, index + 180);
    const [first, last] = [own[0]!, own.at(-1)!];
    const titles = metadata.filter(({ at }) => at >= first.at && at < last.at + 1024);
    segments.push(transportSegment({ units: own, metadata: titles, continuity }));
  }
  return segments;
};

describe('a transport stream segment', () => {
  it('is tables, then a title, then sound with a clock reference', () => {
    const segment = transportSegment({
      units: [unit(48_000, 3)],
      metadata: [title(48_008, 'T')],
      continuity: newTransportContinuity(),
    });
    expect(segment.length).toBe(4 * 188);
    const packet = (index: number): string =>
      segment.toString('hex', index * 188, index * 188 + 188);
    const tag = id3Tag(title(0, 'T')).toString('hex');
    expect(packet(0)).toBe(
      hex('47400010 00 00b00d 0001 c1 00 00 0001 f000 2ab104b2').padEnd(376, 'f'),
    );
    expect(packet(1)).toBe(
      hex(
        '47500010 00 02b037 0001 c1 00 00 e101 f011',
        '250f ffff 49443320 ff 49443320 00 1f 0001',
        '0f e101 f000',
        '15 e102 f00f 260d ffff 49443320 ff 49443320 00 0f',
        '0d83d8f3',
      ).padEnd(376, 'f'),
    );
    const adaptation = 184 - 14 - tag.length / 2;
    expect(packet(2)).toBe(
      hex(
        `47410230 ${(adaptation - 1).toString(16)} 00 ${'ff'.repeat(adaptation - 2)}`,
        `000001bd ${(8 + tag.length / 2).toString(16).padStart(4, '0')} 84 80 05 21 0005 bf3f`,
        tag,
      ),
    );
    expect(packet(3)).toBe(
      hex(
        `47410130 9f 50 00009e34 7e00 ${'ff'.repeat(152)}`,
        '000001c0 0012 84 80 05 21 0005 bf21',
        'fff14c80015ffc ababab',
      ),
    );
  });

  it('keeps packets, counters and lengths right for any units, from segment to segment', () => {
    const seed = 11;
    const random = seededRandom(seed);
    const upTo = (limit: number): number => 1 + Math.floor(random() * limit);
    const continuity = newTransportContinuity();
    const segments: Buffer[] = [];
    const given: { units: AccessUnit[]; metadata: TimedMetadata[] } = { units: [], metadata: [] };
    let at = 0;
    for (let round = 0; round < 60; round += 1) {
      const limit = random() < 0.3 ? 12 : 6000;
      const count = upTo(limit === 12 ? 200 : 40);
      const units = Array.from({ length: count }, (_, index) =>
        unit(at + index * 1024, upTo(limit)),
      );
      const metadata = Array.from({ length: upTo(3) - 1 }, (_, index) =>
        title(at + index * 900, 'é'.repeat(upTo(500))),
      );
      at += count * 1024;
      segments.push(transportSegment({ units, metadata, continuity }));
      given.units.push(...units);
      given.metadata.push(...metadata);
    }
    const { pes } = takeApart(Buffer.concat(segments));
    const sound = pes.filter(({ pid }) => pid === AUDIO);
    const lengths = sound.flatMap(({ content }) => unframed(content).map(({ length }) => length));
    expect(lengths, `seed ${seed}`).toEqual(given.units.map(({ bytes }) => bytes.length));
    const titles = pes.filter(({ pid }) => pid === METADATA);
    expect(titles.map(({ content }) => content.toString('hex'))).toEqual(
      given.metadata.map((metadata) => id3Tag(metadata).toString('hex')),
    );
    expect(titles.map((pes) => pes.at)).toEqual(
      given.metadata.map((metadata) => Math.floor((metadata.at * 15) / 8)),
    );
  });

  it('stamps at 90 kHz, and its clock runs 0.1 s ahead, at least every 0.1 s, across the wrap', () => {
    const wrap = (TWO_TO_33 * 8) / 15;
    const first = Math.floor(wrap / 184_320) * 184_320 - 184_320;
    const units = Array.from({ length: 540 }, (_, index) => unit(first + index * 1024, 341));
    const { pes, clocks } = takeApart(Buffer.concat(segmented(units)));
    expect(pes.map(({ at }) => at)).toEqual(
      Array.from(
        { length: 45 },
        (_, index) => (((first + index * 12 * 1024) * 15) / 8) % TWO_TO_33,
      ),
    );
    expect(pes.some(({ at }, index) => at < (pes[index - 1]?.at ?? 0))).toBe(true);
    expect(clocks[0]).toBe(pes[0]!.at - 9000);
    for (const [index, clock] of clocks.slice(1).entries())
      expect((clock - clocks[index]! + TWO_TO_33) % TWO_TO_33).toBe(7680);
  });

  it('stamps exactly after a hundred years', () => {
    for (const at of [151_476_480_000_000, 151_476_480_000_000 + 184_320 * 7]) {
      const continuity = newTransportContinuity();
      const { pes } = takeApart(
        transportSegment({ units: [unit(at, 9)], metadata: [], continuity }),
      );
      expect(pes[0]!.at).toBe(Number(((BigInt(at) * 15n) / 8n) % BigInt(TWO_TO_33)));
    }
  });
});

describe('real sound in transport stream', () => {
  const pcm = noise(8);
  const metadata = [title(96_000, 'Früh'), title(240_000, '봄날')];
  const units = aacUnits(pcm);

  it('decodes in ffmpeg without complaint to the same samples as in MP4', () => {
    const { output, complaint } = decoded('mpegts', Buffer.concat(segmented(units, metadata)));
    expect(complaint).toBe('');
    expect(lagOf(output, pcm)).toBe(0);
    const whole = units.slice(0, units.length - (units.length % 15));
    const other = decoded('mp4', fragmented(AAC, units, 15)).output;
    expect(output.subarray(0, whole.length * 4096).equals(other)).toBe(true);
  });

  it('shows ffprobe sound and timed ID3 with their times', () => {
    const show = ['-show_entries', 'stream=codec_name:packet=codec_type,pts', '-of', 'csv'];
    const file = Buffer.concat(segmented(units, metadata));
    const { output } = judge('ffprobe', [...show, '-f', 'mpegts', 'pipe:0'], file);
    const lines = output
      .toString()
      .split('\n')
      .map((line) => line.trim());
    expect(lines).toEqual(expect.arrayContaining(['stream,aac', 'stream,timed_id3']));
    const times = (kind: string): readonly number[] =>
      lines
        .filter((line) => line.startsWith(`packet,${kind}`))
        .map((line) => Number(line.split(',')[2]));
    expect(times('audio')).toEqual(units.map(({ at }) => (at * 15) / 8));
    expect(times('data')).toEqual([180_000, 450_000]);
  });

  it('is one stream to ffmpeg across the wrap of the clock', () => {
    const from = (Math.floor((TWO_TO_33 * 8) / 15 / 184_320) - 1) * 184_320;
    const file = Buffer.concat(segmented(aacUnits(pcm, { from })));
    const { output, complaint } = decoded('mpegts', file);
    expect(complaint).toBe('');
    expect(lagOf(output, pcm)).toBe(0);
    const show = ['-select_streams', 'a', '-show_entries', 'packet=pts', '-of', 'csv=p=0'];
    const times = judge('ffprobe', [...show, '-f', 'mpegts', 'pipe:0'], file)
      .output.toString()
      .trim()
      .split(/\s+/u)
      .map(Number.parseFloat);
    expect(new Set(times.slice(1).map((time, index) => time - times[index]!))).toEqual(
      new Set([1920]),
    );
  });

  it('costs at most 8 % more than 128 kbit/s of sound', () => {
    const own = units.slice(0, 180);
    const payload = own.reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(segmented(own)[0]!.length / payload).toBeLessThan(1.08);
  });
});
