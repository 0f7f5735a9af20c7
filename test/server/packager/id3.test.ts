import { describe, expect, it } from 'vitest';
import { id3Tag } from '../../../server/packager/id3.ts';
import type { TimedMetadata } from '../../../server/packager/track.ts';
import { samples } from '../../../shared/time.ts';
import { adtsByFfmpeg, judge, noise } from './fmp4-sound.ts';

const metadata = (fields: Partial<TimedMetadata>): TimedMetadata => ({
  at: samples(0),
  title: '',
  artist: null,
  artwork: null,
  url: null,
  ...fields,
});

/** What ffprobe reads from the tag before some sound. */
const tagsRead = (tag: Buffer): Record<string, string> => {
  const options = ['-show_entries', 'format_tags', '-of', 'json', 'pipe:0'];
  const file = Buffer.concat([tag, adtsByFfmpeg(noise(1))]);
  const { output, complaint } = judge('ffprobe', options, file);
  expect(complaint).not.toMatch(/id3|tag/iu);
  return JSON.parse(output.toString()).format.tags;
};

describe('an ID3 tag', () => {
  it('of a title alone is one UTF-8 text frame behind the header', () => {
    expect(id3Tag(metadata({ title: 'Añ' })).toString('hex')).toBe(
      [
        '494433 0400 00 0000000f', // ID3v2.4, 15 bytes follow
        '54495432 00000005 0000 03 41c3b1 00', // TIT2
      ]
        .join('')
        .replaceAll(' ', ''),
    );
  });

  it('carries artist, link and artwork', () => {
    const tag = id3Tag(metadata({ title: 'T', artist: 'B', url: 'http://x/é', artwork: 'y' }));
    expect(tag.toString('hex')).toBe(
      [
        '494433 0400 00 0000004a',
        '54495432 00000003 0000 03 54 00', // TIT2
        '54504531 00000003 0000 03 42 00', // TPE1
        '57585858 00000011 0000 03 00 687474703a2f2f782f254333254139', // WXXX http://x/%C3%A9
        '54585858 0000000b 0000 03 617274776f726b00 79 00', // TXXX artwork
      ]
        .join('')
        .replaceAll(' ', ''),
    );
  });

  it('of any text reads back the same in ffprobe', () => {
    for (const title of ['봄날 & 🎧 "x" = \\ ;', 'é'.repeat(500), 'ÿþ'.repeat(60), 'a\u{10ffff}b'])
      expect(tagsRead(id3Tag(metadata({ title, artist: `by ${title}` })))).toMatchObject({
        title,
        artist: `by ${title}`,
      });
  });

  it('leaves out NUL and replaces what is not Unicode', () => {
    const tag = id3Tag(metadata({ title: 'a\0b\ud800c', url: 'http://x/\ud800' }));
    expect(tagsRead(tag)).toMatchObject({ title: 'ab\ufffdc' });
    expect(tag.includes('http://x/%EF%BF%BD')).toBe(true);
  });
});
