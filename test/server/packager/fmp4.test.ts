import { createFile, type ISOFile, MP4BoxBuffer } from 'mp4box';
import { describe, expect, it } from 'vitest';
import { codecOf, initSegment, mediaPart } from '../../../server/packager/fmp4.ts';
import { id3Tag } from '../../../server/packager/id3.ts';
import type { AccessUnit, TimedMetadata } from '../../../server/packager/track.ts';
import { samples, utc } from '../../../shared/time.ts';
import { seededRandom } from '../../helpers/seeded-random.ts';
import {
  AAC,
  aacUnits,
  decoded,
  fragmented,
  judge,
  lagOf,
  noise,
  OPUS,
  opusUnits,
} from './fmp4-sound.ts';

const unit = (at: number, duration: number, content: number | readonly number[]): AccessUnit => ({
  at: samples(at),
  duration: samples(duration),
  bytes: typeof content === 'number' ? Buffer.alloc(content, 0xab) : Buffer.from(content),
});

const title = (at: number, text: string): TimedMetadata => ({
  at: samples(at),
  title: text,
  artist: null,
  artwork: null,
  url: null,
});

const hex = (...lines: readonly string[]): string => lines.join('').replaceAll(' ', '');

/** Types of the boxes of one level; their sizes must add up exactly. */
const boxTypes = (bytes: Buffer): readonly string[] => {
  const types: string[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    types.push(bytes.toString('latin1', offset + 4, offset + 8));
    offset += bytes.readUInt32BE(offset);
  }
  expect(offset).toBe(bytes.length);
  return types;
};

const parsed = (file: Buffer): ISOFile => {
  const iso = createFile(true);
  let failure = '';
  iso.onError = (module, message) => {
    failure = `${module}: ${message}`;
  };
  const copy = new Uint8Array(file).buffer;
  iso.appendBuffer(MP4BoxBuffer.fromArrayBuffer(copy, 0));
  iso.flush();
  expect(failure).toBe('');
  return iso;
};

/** The samples mp4box finds, as units. */
const unitsFound = (file: Buffer): readonly AccessUnit[] => {
  const iso = parsed(file);
  return iso.getTrackSamplesInfo(1).map((sample) => {
    expect(sample).toMatchObject({ is_sync: true, timescale: 48_000, cts: sample.dts });
    return {
      at: samples(sample.dts),
      duration: samples(sample.duration),
      bytes: file.subarray(sample.offset, sample.offset + sample.size),
    };
  });
};

const sameUnits = (found: readonly AccessUnit[], given: readonly AccessUnit[]): void => {
  const plain = (units: readonly AccessUnit[]) =>
    units.map(({ at, duration, bytes }) => [at, duration, Buffer.from(bytes).toString('base64')]);
  expect(plain(found)).toEqual(plain(given));
};

describe('an initialisation segment', () => {
  it('names AAC-LC of 48 kHz in stereo by its configuration 1190', () => {
    const bytes = initSegment(AAC).toString('hex');
    expect(bytes.slice(0, 56)).toBe(
      hex('0000001c 66747970 69736f36 00000000 69736f36 636d6663 64617368'),
    );
    expect(bytes).toContain(
      hex(
        '0000005f 6d703461 000000000000 0001 0000000000000000 0002 0010 0000 0000 bb80 0000',
        '00000027 65736473 00000000 0319 0000 00 0411 40 15 000600 0001f400 0001f400 0502 1190',
        '0601 02',
        '00000014 62747274 00000600 0001f400 0001f400',
      ),
    );
    expect(initSegment({ ...AAC, channels: 1 }).toString('hex')).toContain('05021188');
  });

  it('names Opus with a pre-skip of 312', () => {
    expect(initSegment(OPUS).toString('hex')).toContain(
      hex(
        '4f707573 000000000000 0001 0000000000000000 0002 0010 0000 0000 bb80 0000',
        '00000013 644f7073 00 02 0138 0000bb80 0000 00',
      ),
    );
  });

  it('is to mp4box one fragmented audio track without edit list, in the codec of the playlist', () => {
    for (const rendition of [AAC, OPUS]) {
      const iso = parsed(initSegment(rendition));
      const { tracks, isFragmented, brands } = iso.getInfo();
      expect({ isFragmented, brands }).toEqual({
        isFragmented: true,
        brands: ['iso6', 'iso6', 'cmfc', 'dash'],
      });
      expect(tracks).toHaveLength(1);
      expect(tracks[0]?.codec.toLowerCase()).toBe(codecOf(rendition));
      expect(tracks[0]).toMatchObject({
        timescale: 48_000,
        audio: { sample_rate: 48_000, channel_count: 2, sample_size: 16 },
      });
      expect(iso.getBoxes('elst', true)).toEqual([]);
    }
    expect([codecOf(AAC), codecOf(OPUS)]).toEqual(['mp4a.40.2', 'opus']);
  });
});

describe('a part', () => {
  it('says sizes one by one, and the duration once where all have the same', () => {
    const units = [unit(2 ** 32 + 5, 1024, [0xaa]), unit(2 ** 32 + 1029, 1024, [0xbb, 0xcc])];
    expect(mediaPart({ sequence: 7, units }).toString('hex')).toBe(
      hex(
        '00000064 6d6f6f66',
        '00000010 6d666864 00000000 00000007',
        '0000004c 74726166',
        '00000014 74666864 00020008 00000001 00000400',
        '00000014 74666474 01000000 0000000100000005',
        '0000001c 7472756e 00000201 00000002 0000006c 00000001 00000002',
        '0000000b 6d646174 aa bbcc',
      ),
    );
  });

  it('says sizes once and durations one by one where those differ', () => {
    const units = [unit(0, 120, [1]), unit(120, 960, [2])];
    expect(mediaPart({ sequence: 2 ** 32 + 1, units }).toString('hex')).toBe(
      hex(
        '00000064 6d6f6f66',
        '00000010 6d666864 00000000 00000001',
        '0000004c 74726166',
        '00000014 74666864 00020010 00000001 00000001',
        '00000014 74666474 01000000 0000000000000000',
        '0000001c 7472756e 00000101 00000002 0000006c 00000078 000003c0',
        '0000000a 6d646174 01 02',
      ),
    );
  });

  it('begins a segment with styp, the UTC of capture and the titles', () => {
    const at = 5 * 2 ** 32 + 15_360;
    const metadata = [title(at + 10, 'One'), title(at + 20, 'Two')];
    const part = mediaPart({
      sequence: 1,
      units: [unit(at, 960, 3)],
      metadata,
      producerTime: { utc: utc(1_790_000_000_500) },
      beginsSegment: true,
    });
    expect(boxTypes(part)).toEqual(['styp', 'prft', 'emsg', 'emsg', 'moof', 'mdat']);
    expect(part.toString('hex', 0, 56)).toBe(
      hex(
        '00000018 73747970 6d736468 00000000 6d736468 636d6673',
        '00000020 70726674 01000018 00000001 ee5bba00 80000000 0000000500003c00',
      ),
    );
    const events = parsed(Buffer.concat([initSegment(AAC), part])).getBoxes('emsg', false);
    expect(events).toHaveLength(2);
    for (const [index, event] of events.entries())
      expect(event).toMatchObject({
        version: 1,
        scheme_id_uri: 'https://aomedia.org/emsg/ID3',
        value: '',
        timescale: 48_000,
        presentation_time: at + 10 * (index + 1),
        event_duration: 0xffff_ffff,
        id: 15_360 + 10 * (index + 1),
        message_data: new Uint8Array(id3Tag(metadata[index] as TimedMetadata)),
      });
  });
});

describe('parts of any units', () => {
  it('give mp4box the times, durations, sizes and bytes that were put in', () => {
    const seed = 3;
    const random = seededRandom(seed);
    const upTo = (limit: number): number => 1 + Math.floor(random() * limit);
    for (let round = 0; round < 60; round += 1) {
      const [oneSize, oneDuration] = [random() < 0.3 ? upTo(6000) : null, random() < 0.5];
      let at = upTo(2 ** 41) * 120;
      const units = Array.from({ length: upTo(200) }, () => {
        const next = unit(at, oneDuration ? 960 : 120 * upTo(16), oneSize ?? upTo(6000));
        at += next.duration;
        return next;
      });
      const cut = Math.floor(units.length / 2);
      const parts = [units.slice(0, cut), units.slice(cut)]
        .filter(({ length }) => length > 0)
        .map((half, index) =>
          mediaPart({
            sequence: round + index,
            units: half,
            metadata: random() < 0.3 ? [title(at, 'x'.repeat(upTo(500)))] : [],
            beginsSegment: index === 0,
          }),
        );
      for (const part of parts) boxTypes(part);
      const file = Buffer.concat([initSegment(OPUS), ...parts]);
      expect(boxTypes(file), `seed ${seed}, round ${round}`).toContain('moof');
      sameUnits(unitsFound(file), units);
    }
  });
});

describe('real sound in parts', () => {
  const pcm = noise(4);

  it('comes out of mp4box and ffprobe as the units that went in, beyond 2^32 too', () => {
    for (const from of [0, 184_320 * 50_000]) {
      const units = { aac: aacUnits(pcm, { from }), opus: opusUnits(pcm, { from }) };
      for (const [rendition, perPart] of [
        [AAC, 15],
        [OPUS, 16],
      ] as const) {
        const given = units[rendition.codec];
        const whole = given.slice(0, given.length - (given.length % perPart));
        const file = fragmented(rendition, given, perPart);
        sameUnits(unitsFound(file), whole);
        const show = ['-show_entries', 'packet=pts,size', '-of', 'csv=p=0', '-f', 'mp4', 'pipe:0'];
        const { output, complaint } = judge('ffprobe', show, file);
        expect(complaint).toBe('');
        expect(output.toString().trim().split('\n')).toEqual(
          whole.map(({ at, bytes }) => `${at},${bytes.length}`),
        );
      }
    }
  });

  it('decodes in ffmpeg without complaint, to the samples of the track', () => {
    const aac = decoded('mp4', fragmented(AAC, aacUnits(pcm), 15));
    const opusFile = decoded('mp4', fragmented(OPUS, opusUnits(pcm), 16));
    expect([aac.complaint, opusFile.complaint]).toEqual(['', '']);
    expect(lagOf(aac.output, pcm)).toBe(0);
    // ffmpeg drops the pre-skip from the first packet although there is no edit list,
    // also where a listener joins in the middle.
    expect(lagOf(opusFile.output, pcm)).toBe(0);
    expect(opusFile.output.length / 4 + 312).toBe(184_320);
    const joined = decoded('mp4', fragmented(OPUS, opusUnits(pcm).slice(48), 16));
    expect(lagOf(joined.output, pcm.subarray(48 * 960 * 4))).toBe(0);
  });
});
