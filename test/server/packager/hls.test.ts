import fc from 'fast-check';
import hlsParser from 'hls-parser';
import { Parser } from 'm3u8-parser';
import { describe, expect, it } from 'vitest';
import { mediaPlaylist, multivariantPlaylist, type Variant } from '../../../server/packager/hls.ts';
import { bitratesOf } from '../../../server/packager/hls-bitrates.ts';
import { quoted } from '../../../server/packager/hls-titles.ts';
import { samples } from '../../../shared/time.ts';
import { GRID, GrowingWindow, titleAt, viewOf } from '../../helpers/channel-window.ts';
import { lintMedia, lintMultivariant } from '../../helpers/hls-linter.ts';
import { lintDelta, lintReloads } from '../../helpers/hls-sequence.ts';
import { attributesOf, listsOf, mediaTextOf } from '../../helpers/hls-text.ts';

const SEED = 20_260_102;
const LOW_LATENCY = { lowLatency: true, siblings: ['aac64.m3u8'] };
hlsParser.setOptions({ strictMode: true });

/** Every parser that is not ours must take a text; returns what m3u8-parser understood. */
const accepted = (text: string) => {
  hlsParser.parse(text);
  const parser = new Parser();
  const warnings: unknown[] = [];
  parser.on('warn', (warning: unknown) => warnings.push(warning));
  parser.on('error', (error: unknown) => warnings.push(error));
  parser.push(text);
  parser.end();
  expect(warnings).toEqual([]);
  return parser.manifest;
};

const AT_100 = samples(100 * GRID.segment);

describe('a media playlist', () => {
  it('reads like this', () => {
    const window = new GrowingWindow({ length: 6 });
    window.growBy(3);
    window.grow();
    window.cut(2000);
    window.grow();
    window.grow();
    const title = titleAt(AT_100, 'Say "hello"', 'A & B');
    const text = mediaPlaylist(viewOf(window, { metadata: [title] }));
    expect(text).toMatchInlineSnapshot(`
      "#EXTM3U
      #EXT-X-VERSION:6
      #EXT-X-TARGETDURATION:4
      #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,HOLD-BACK=12.000,PART-HOLD-BACK=1.280
      #EXT-X-PART-INF:PART-TARGET=0.320
      #EXT-X-MEDIA-SEQUENCE:100
      #EXT-X-DISCONTINUITY-SEQUENCE:0
      #EXT-X-MAP:URI="../media/k3y/aac128/init.mp4"
      #EXT-X-DATERANGE:ID="title-18432000",CLASS="skywave.title",START-DATE="2026-01-02T03:04:05.678Z",END-ON-NEXT=YES,X-TITLE="Say “hello”",X-ARTIST="A & B"
      #EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:05.678Z
      #EXTINF:3.840,
      ../media/k3y/aac128/100.m4s
      #EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:09.518Z
      #EXTINF:3.840,
      ../media/k3y/aac128/101.m4s
      #EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:13.358Z
      #EXT-X-PART:DURATION=0.320,INDEPENDENT=YES,URI="../media/k3y/aac128/102.0.m4s"
      #EXT-X-PART:DURATION=0.320,INDEPENDENT=YES,URI="../media/k3y/aac128/102.1.m4s"
      #EXT-X-PART:DURATION=0.320,INDEPENDENT=YES,URI="../media/k3y/aac128/102.2.m4s"
      #EXT-X-PART:DURATION=0.320,INDEPENDENT=YES,URI="../media/k3y/aac128/102.3.m4s"
      #EXT-X-PART:DURATION=0.320,INDEPENDENT=YES,URI="../media/k3y/aac128/102.4.m4s"
      #EXT-X-PART:DURATION=0.320,INDEPENDENT=YES,URI="../media/k3y/aac128/102.5.m4s"
      #EXT-X-PART:DURATION=0.320,INDEPENDENT=YES,URI="../media/k3y/aac128/102.6.m4s"
      #EXT-X-PART:DURATION=0.320,INDEPENDENT=YES,URI="../media/k3y/aac128/102.7.m4s"
      #EXT-X-PART:DURATION=0.320,INDEPENDENT=YES,URI="../media/k3y/aac128/102.8.m4s"
      #EXT-X-PART:DURATION=0.320,INDEPENDENT=YES,URI="../media/k3y/aac128/102.9.m4s"
      #EXT-X-PART:DURATION=0.320,INDEPENDENT=YES,URI="../media/k3y/aac128/102.10.m4s"
      #EXT-X-PART:DURATION=0.320,INDEPENDENT=YES,URI="../media/k3y/aac128/102.11.m4s"
      #EXTINF:3.840,
      ../media/k3y/aac128/102.m4s
      #EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:17.198Z
      #EXT-X-PART:DURATION=0.320,INDEPENDENT=YES,URI="../media/k3y/aac128/103.0.m4s"
      #EXTINF:0.320,
      ../media/k3y/aac128/103.m4s
      #EXT-X-DISCONTINUITY
      #EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:19.518Z
      #EXT-X-PART:DURATION=0.320,INDEPENDENT=YES,URI="../media/k3y/aac128/104.0.m4s"
      #EXT-X-PART:DURATION=0.320,INDEPENDENT=YES,URI="../media/k3y/aac128/104.1.m4s"
      #EXT-X-PRELOAD-HINT:TYPE=PART,URI="../media/k3y/aac128/104.2.m4s"
      #EXT-X-RENDITION-REPORT:URI="aac64.m3u8",LAST-MSN=104,LAST-PART=1
      "
    `);
    expect(lintMedia(text, LOW_LATENCY)).toEqual([]);
    accepted(text);
  });

  it('in MPEG-TS has neither parts nor a map, and lists only what is complete', () => {
    const window = new GrowingWindow();
    window.growBy(7);
    window.grow();
    const text = mediaPlaylist(viewOf(window, { initUri: null, lowLatency: false, siblings: [] }));
    expect(text).toContain('#EXT-X-VERSION:3\n');
    expect(text).not.toMatch(/PART|EXT-X-MAP|PRELOAD|REPORT/);
    expect(mediaTextOf(text).segments.map((segment) => segment.uri)).toHaveLength(7);
    expect(lintMedia(text)).toEqual([]);
    accepted(text);
  });

  it('hints at part 0 of the next segment once a segment is whole', () => {
    const window = new GrowingWindow();
    window.growBy(6);
    expect(mediaPlaylist(viewOf(window))).toContain(
      'TYPE=PART,URI="../media/k3y/aac128/106.0.m4s"',
    );
    window.grow();
    expect(mediaPlaylist(viewOf(window))).toContain(
      'TYPE=PART,URI="../media/k3y/aac128/106.1.m4s"',
    );
    const beyond = mediaPlaylist(viewOf(window, { hint: { name: '106', index: 12 } }));
    expect(beyond).not.toContain('PRELOAD-HINT');
  });

  it('skips only beyond six target durations, and only where that is something', () => {
    const short = new GrowingWindow();
    short.growBy(7);
    expect(mediaPlaylist(viewOf(short), { skip: true })).toBe(mediaPlaylist(viewOf(short)));
    expect(mediaPlaylist(viewOf(short))).not.toContain('CAN-SKIP-UNTIL');
    const window = new GrowingWindow();
    window.growBy(15);
    window.grow();
    const full = mediaPlaylist(viewOf(window));
    const delta = mediaPlaylist(viewOf(window), { skip: true });
    expect(delta).toContain('#EXT-X-SKIP:SKIPPED-SEGMENTS=8\n');
    expect(delta).toContain('#EXT-X-VERSION:9\n');
    expect(full).toContain('#EXT-X-VERSION:6\n');
    expect(lintDelta(full, delta)).toEqual([]);
    expect(lintMedia(delta, LOW_LATENCY)).toEqual([]);
    accepted(delta);
  });

  it('ends with ENDLIST, without a hint, and never skips then', () => {
    const window = new GrowingWindow();
    window.growBy(9);
    window.grow();
    window.end();
    const text = mediaPlaylist(viewOf(window), { skip: true });
    expect(text).toMatch(/EXTINF:0\.320,\n[^\n]*109\.m4s\n#EXT-X-ENDLIST\n$/);
    expect(text).not.toMatch(/PRELOAD|SKIP/);
    expect(lintMedia(text, LOW_LATENCY)).toEqual([]);
    accepted(text);
  });

  it('shows the title that holds at its beginning and those after, the last of several at once', () => {
    const window = new GrowingWindow({ length: 3 });
    window.growBy(6);
    const at = (segment: number) => samples(segment * GRID.segment);
    const metadata = [
      titleAt(at(100), 'gone'),
      titleAt(at(102), 'holds'),
      titleAt(at(104), 'replaced'),
      titleAt(at(104), 'next'),
    ];
    const text = mediaPlaylist(viewOf(window, { metadata }));
    const titles = listsOf(mediaTextOf(text).tags, 'EXT-X-DATERANGE').map((r) => r.get('X-TITLE'));
    expect(titles).toEqual(['holds', 'next']);
    expect(accepted(text).dateRanges).toHaveLength(2);
  });

  it('takes any title without harm', () => {
    const window = new GrowingWindow();
    window.growBy(3);
    const nasty = ['{$x}', 'a\r\n#EXT-X-ENDLIST\n', '\u2028"', '",URI="x', '=,=', '\ud800', '\0'];
    const title = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...nasty));
    fc.assert(
      fc.property(title, title, (words, artist) => {
        const text = mediaPlaylist(viewOf(window, { metadata: [titleAt(AT_100, words, artist)] }));
        expect(lintMedia(text, LOW_LATENCY)).toEqual([]);
        expect(accepted(text).dateRanges).toHaveLength(1);
        expect(attributesOf(`X=${quoted(words)}`)?.size).toBe(1);
      }),
      { seed: SEED, numRuns: 150 },
    );
  });
});

describe('playlists over any course of a channel', () => {
  const step = fc.oneof(
    { weight: 30, arbitrary: fc.constant('part' as const) },
    { weight: 4, arbitrary: fc.constant('segment' as const) },
    { weight: 1, arbitrary: fc.constant('cut' as const) },
    { weight: 2, arbitrary: fc.constant('title' as const) },
  );
  const course = fc.record({
    steps: fc.array(step, { minLength: 10, maxLength: 120, size: 'max' }),
    length: fc.integer({ min: 6, max: 20 }),
    late: fc.double({ min: -0.3, max: 0.3, noNaN: true }),
    ended: fc.boolean(),
  });

  it('hold every rule, and keep it from reload to reload, for all three parsers', () => {
    fc.assert(
      fc.property(course, ({ steps, length, late, ended }) => {
        const window = new GrowingWindow({ length });
        window.growBy(1);
        const metadata = [titleAt(AT_100, 'first')];
        const texts: string[] = [];
        const render = (): void => {
          const view = viewOf(window, { metadata });
          texts.push(mediaPlaylist(view));
          const delta = mediaPlaylist(view, { skip: true });
          if (delta !== texts.at(-1)) {
            expect(lintDelta(texts.at(-1) ?? '', delta)).toEqual([]);
            accepted(delta);
          }
        };
        for (const kind of steps) {
          if (kind === 'part') window.grow({ late });
          else if (kind === 'segment') window.growBy(1, { late });
          else if (kind === 'cut') window.cut(1500);
          else metadata.push(titleAt(window.segments.at(-1)?.parts.at(-1)?.at ?? AT_100, kind));
          render();
        }
        if (ended) {
          window.end();
          render();
        }
        expect(lintReloads(texts, LOW_LATENCY)).toEqual([]);
        for (const text of texts.slice(-3)) accepted(text);
      }),
      { seed: SEED, numRuns: 30 },
    );
  });
});

describe('a multivariant playlist', () => {
  const variant = (name: string, codec: 'aac' | 'opus', peak: number): Variant => ({
    rendition: { name, codec, channels: 2, bitrate: peak },
    uri: `${name}.m3u8`,
    bitrates: { peak, average: peak - 4000 },
  });
  const variants = [
    variant('aac128', 'aac', 140_000),
    variant('aac64', 'aac', 72_000),
    variant('opus', 'opus', 150_000),
  ];

  it('reads like this, and keeps Opus to itself', () => {
    const main = multivariantPlaylist(variants, { codec: 'aac', format: 'fmp4' });
    expect(main).toMatchInlineSnapshot(`
      "#EXTM3U
      #EXT-X-VERSION:6
      #EXT-X-INDEPENDENT-SEGMENTS
      #EXT-X-STREAM-INF:BANDWIDTH=140000,AVERAGE-BANDWIDTH=136000,CODECS="mp4a.40.2"
      aac128.m3u8
      #EXT-X-STREAM-INF:BANDWIDTH=72000,AVERAGE-BANDWIDTH=68000,CODECS="mp4a.40.2"
      aac64.m3u8
      "
    `);
    expect(lintMultivariant(main)).toEqual([]);
    expect(accepted(main).playlists).toHaveLength(2);
    const old = multivariantPlaylist(variants, { codec: 'aac', format: 'ts' });
    expect(old).toBe(main.replace('VERSION:6', 'VERSION:3'));
    const opus = multivariantPlaylist(variants, { codec: 'opus', format: 'fmp4' });
    expect(opus).toContain('CODECS="opus"');
    expect(lintMultivariant(opus, { codecs: /^opus$/ })).toEqual([]);
    expect(lintMultivariant(opus).map(({ rule }) => rule)).toEqual(['codecs']);
    accepted(opus);
  });

  it('declares rates of the bytes that were served', () => {
    const window = new GrowingWindow({ bytes: (sequence) => (sequence === 104 ? 6000 : 4800) });
    window.growBy(10);
    window.grow();
    const { peak, average } = bitratesOf({ bitrate: 128_000 }, window.segments, { grid: GRID });
    expect(peak).toBe(150_000);
    expect(average).toBe(123_000);
  });

  it('declares what a rendition may have where there was nothing but silence', () => {
    const window = new GrowingWindow({ bytes: () => 150 });
    window.growBy(10);
    const rates = bitratesOf({ bitrate: 96_000 }, window.segments, { grid: GRID });
    expect(rates).toEqual({ peak: 96_000, average: 4000 });
  });

  it('takes short segments into a peak only together with their neighbours', () => {
    const window = new GrowingWindow({ bytes: (sequence) => (sequence === 102 ? 6000 : 4000) });
    window.growBy(2);
    window.grow();
    window.cut();
    window.growBy(2);
    const { peak } = bitratesOf({ bitrate: 128_000 }, window.segments, { grid: GRID });
    expect(peak).toBe(Math.ceil(((6000 + 12 * 4000) * 8) / (13 * 0.32) / 1000) * 1000);
  });
});
