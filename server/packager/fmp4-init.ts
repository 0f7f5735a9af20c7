/**
 * The initialisation segment of a rendition: `ftyp` and `moov` of a CMAF track (ISO/IEC 23000-19
 * section 7.3) with one audio track, no samples and no edit list. Nothing in it depends on time.
 */
import { SAMPLE_RATE } from '../../shared/time.ts';
import { box, fullBox, u8, u16, u32 } from './fmp4-box.ts';
import type { Rendition } from './track.ts';

/** The one track of every file of ours. */
export const TRACK_ID = 1;

/** Sample flags of sound: it depends on no other sample and is itself a place to begin. */
export const SYNC_SAMPLE = 0x0200_0000;

/** Samples an Opus decoder makes before the first that was put in (RFC 7845 section 4.2). */
export const OPUS_PRE_SKIP = 312;

/** A picture that is neither moved nor turned; sound has one as well. */
export const UNITY_MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x4000_0000);

/** `und`, packed into 15 bits. */
export const LANGUAGE_UNDETERMINED = 0x55c4;
/** Bytes the AAC decoder's input buffer needs for each channel: 6144 bits. */
const AAC_BUFFER_BYTES = 768;
const OPUS_BUFFER_BYTES = 1500;

/** AudioSpecificConfig of AAC-LC at 48 kHz (ISO/IEC 14496-3 section 1.6.2.1): `1190` for stereo. */
const audioSpecificConfig = (channels: 1 | 2): Buffer =>
  u16((2 << 11) | (3 << 7) | (channels << 3));

/** A descriptor of MPEG-4 systems (ISO/IEC 14496-1 section 7.2.2); ours are all shorter than 128. */
const descriptor = (tag: number, ...content: readonly Buffer[]): Buffer => {
  const bytes = Buffer.concat(content);
  return Buffer.concat([u8(tag, bytes.length), bytes]);
};

const elementaryStream = ({ channels, bitrate }: Rendition): Buffer => {
  const buffer = AAC_BUFFER_BYTES * channels;
  const decoder = descriptor(
    4,
    u8(0x40, 0x15, 0), // MPEG-4 audio, an audio stream; the 0 begins 24 bits of buffer size
    u16(buffer),
    u32(bitrate, bitrate),
    descriptor(5, audioSpecificConfig(channels)),
  );
  return fullBox('esds', 0, descriptor(3, u8(0, 0, 0), decoder, descriptor(6, u8(2))));
};

/** Opus in ISO base media, section 4.3.2: version, channels, pre-skip, rate, gain, mapping 0. */
const opusSpecific = ({ channels }: Rendition): Buffer =>
  box('dOps', u8(0, channels), u16(OPUS_PRE_SKIP), u32(SAMPLE_RATE), u16(0), u8(0));

/** The `mp4a` or `Opus` sample entry of a rendition. */
export const sampleEntry = (rendition: Rendition): Buffer => {
  const aac = rendition.codec === 'aac';
  const { channels, bitrate } = rendition;
  const buffer = aac ? AAC_BUFFER_BYTES * channels : OPUS_BUFFER_BYTES;
  return box(
    aac ? 'mp4a' : 'Opus',
    u16(0, 0, 0, 1, 0, 0, 0, 0, channels, 16, 0, 0, SAMPLE_RATE, 0),
    aac ? elementaryStream(rendition) : opusSpecific(rendition),
    box('btrt', u32(buffer, bitrate, bitrate)),
  );
};

const sampleTable = (rendition: Rendition): Buffer =>
  box(
    'stbl',
    fullBox('stsd', 0, u32(1), sampleEntry(rendition)),
    fullBox('stts', 0, u32(0)),
    fullBox('stsc', 0, u32(0)),
    fullBox('stsz', 0, u32(0, 0)),
    fullBox('stco', 0, u32(0)),
  );

const media = (rendition: Rendition): Buffer =>
  box(
    'mdia',
    fullBox('mdhd', 0, u32(0, 0, SAMPLE_RATE, 0), u16(LANGUAGE_UNDETERMINED, 0)),
    fullBox('hdlr', 0, u32(0), Buffer.from('soun'), u32(0, 0, 0), u8(0)),
    box(
      'minf',
      fullBox('smhd', 0, u32(0)),
      box('dinf', fullBox('dref', 0, u32(1), fullBox('url ', 1))),
      sampleTable(rendition),
    ),
  );

const track = (rendition: Rendition): Buffer =>
  box(
    'trak',
    fullBox(
      'tkhd',
      7, // enabled, in movie, in preview
      u32(0, 0, TRACK_ID, 0, 0, 0, 0),
      u16(0, 0, 0x100, 0), // layer, group, volume 1
      UNITY_MATRIX,
      u32(0, 0),
    ),
    media(rendition),
  );

/** The initialisation segment: 'ftyp' with CMAF's brands, then 'moov' in 48 kHz. */
export const initSegment = (rendition: Rendition): Buffer =>
  Buffer.concat([
    box('ftyp', Buffer.from('iso6'), u32(0), Buffer.from('iso6cmfcdash')),
    box(
      'moov',
      fullBox(
        'mvhd',
        0,
        u32(0, 0, SAMPLE_RATE, 0, 0x10000),
        u16(0x100, 0),
        u32(0, 0),
        UNITY_MATRIX,
        u32(0, 0, 0, 0, 0, 0, TRACK_ID + 1),
      ),
      track(rendition),
      box('mvex', fullBox('trex', 0, u32(TRACK_ID, 1, 0, 0, SYNC_SAMPLE))),
    ),
  ]);

/** The `codecs` parameter (RFC 6381) of playlists; WebKit refuses a capital in `opus`. */
export const codecOf = ({ codec }: Rendition): 'mp4a.40.2' | 'opus' =>
  codec === 'aac' ? 'mp4a.40.2' : 'opus';
