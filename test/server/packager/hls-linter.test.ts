import { describe, expect, it } from 'vitest';
import { mediaPlaylist } from '../../../server/packager/hls.ts';
import { samples } from '../../../shared/time.ts';
import { GRID, GrowingWindow, titleAt, viewOf } from '../../helpers/channel-window.ts';
import { lintMedia, lintMultivariant } from '../../helpers/hls-linter.ts';
import { lintDelta, lintReloads } from '../../helpers/hls-sequence.ts';

const LOW_LATENCY = { lowLatency: true, siblings: ['aac64.m3u8'] };

const grown = (parts: number): GrowingWindow => {
  const window = new GrowingWindow({ length: 9 });
  window.growBy(4);
  window.cut(500);
  window.growBy(5);
  for (let part = 0; part < parts; part += 1) window.grow();
  return window;
};
const metadata = [titleAt(samples(100 * GRID.segment), 'Title')];
const render = (window: GrowingWindow, options = {}): string =>
  mediaPlaylist(viewOf(window, { metadata }), options);
const GOOD = render(grown(3));

const rules = (findings: readonly { rule: string }[]): string[] => [
  ...new Set(findings.map(({ rule }) => rule)),
];

/** What is done to a good playlist, and the rule that must object. */
const BROKEN: readonly [rule: string, from: string | RegExp, to: string][] = [
  ['first-line', '#EXTM3U\n', ''],
  ['last-line', /\n$/, ''],
  ['characters', 'Title', 'Ti\u0007tle'],
  ['characters', '#EXTM3U', '\ufeff#EXTM3U'],
  ['characters', 'Title', 'Ti\ud800tle'],
  ['variable', 'Title', '{$title}'],
  ['blank', '#EXT-X-MAP', '\n#EXT-X-MAP'],
  ['attributes', 'X-TITLE="Title"', 'X-TITLE="Ti"tle"'],
  ['attributes', 'INDEPENDENT=YES', 'INDEPENDENT=YES,INDEPENDENT=YES'],
  ['once', '#EXT-X-TARGETDURATION:4', '#EXT-X-TARGETDURATION:4\n#EXT-X-TARGETDURATION:4'],
  ['known', '#EXT-X-MAP', '#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-MAP'],
  ['sequence-tags', /#EXT-X-MEDIA-SEQUENCE:\d+\n/, ''],
  ['sequence-tags', /#EXT-X-DISCONTINUITY-SEQUENCE:\d+\n/, ''],
  ['version', '#EXT-X-VERSION:6', '#EXT-X-VERSION:5'],
  ['version', '#EXT-X-VERSION:6', '#EXT-X-VERSION:12'],
  ['skip', '#EXT-X-MAP', '#EXT-X-SKIP:SKIPPED-SEGMENTS=0\n#EXT-X-MAP'],
  ['map', /#EXT-X-MAP.*\n/, ''],
  ['target', '#EXT-X-TARGETDURATION:4\n', ''],
  ['target', '#EXT-X-TARGETDURATION:4', '#EXT-X-TARGETDURATION:3.84'],
  ['hold-back', 'HOLD-BACK=12.000', 'HOLD-BACK=11.000'],
  ['skip-until', 'CAN-SKIP-UNTIL=24.000', 'CAN-SKIP-UNTIL=23.000'],
  ['part-inf', /#EXT-X-PART-INF.*\n/, ''],
  ['block-reload', 'CAN-BLOCK-RELOAD=YES,', ''],
  ['part-hold-back', 'PART-HOLD-BACK=1.280', 'PART-HOLD-BACK=0.960'],
  ['extinf', '#EXTINF:3.840', '#EXTINF:4.500'],
  ['extinf', /#EXTINF:3\.840,\n/, ''],
  ['part-sum', 'PART:DURATION=0.320', 'PART:DURATION=0.300'],
  ['part-length', 'PART:DURATION=0.320', 'PART:DURATION=0.330'],
  ['part-length', 'PART:DURATION=0.320', 'PART:DURATION=0.200'],
  ['independent', ',INDEPENDENT=YES', ''],
  ['old-parts', '#EXTINF', '#EXT-X-PART:DURATION=0.320,INDEPENDENT=YES,URI="old"\n#EXTINF'],
  ['date-form', '09.518Z', '09Z'],
  ['date', /#EXT-X-PROGRAM-DATE-TIME.*\n/, ''],
  ['date-drift', '03:04:09.518Z', '03:04:09.524Z'],
  ['uri-twice', '/102.m4s', '/101.m4s'],
  ['hint', /#EXT-X-PRELOAD-HINT.*\n/, ''],
  ['hint', '109.3.m4s', '109.2.m4s'],
  ['hint', /$/, '#EXT-X-ENDLIST\n'],
  ['end', '#EXT-X-MAP', '#EXT-X-ENDLIST\n#EXT-X-MAP'],
  ['report', /#EXT-X-RENDITION-REPORT.*\n/, ''],
  ['report', ',LAST-PART=2', ''],
  ['report', /$/, '#EXT-X-RENDITION-REPORT:URI="own.m3u8",LAST-MSN=109,LAST-PART=2\n'],
  ['range', /(#EXT-X-DATERANGE.*\n)/, '$1$1'],
  ['range', 'CLASS="skywave.title",', ''],
  ['range', /START-DATE="[^"]*",/, ''],
];

describe('the linter of media playlists', () => {
  it('has nothing against a good one', () => {
    expect(lintMedia(GOOD, LOW_LATENCY)).toEqual([]);
  });

  it.each(BROKEN)('objects by %s when %s becomes %j', (rule, from, to) => {
    const broken = GOOD.replace(from, to);
    expect(broken).not.toBe(GOOD);
    expect(rules(lintMedia(broken, LOW_LATENCY))).toContain(rule);
  });
});

describe('the linter of reloads', () => {
  const texts = (): string[] => {
    const window = grown(11);
    const all = [render(window)];
    for (let part = 0; part < 30; part += 1) {
      window.grow();
      all.push(render(window));
    }
    window.end();
    return [...all, render(window)];
  };
  const replaceIn = (list: string[], index: number, from: string | RegExp, to: string): string[] =>
    list.map((text, at) => (at === index ? text.replace(from, to) : text));

  it('has nothing against good ones', () => {
    expect(lintReloads(texts(), LOW_LATENCY)).toEqual([]);
  });

  it('has nothing against them where one looked away while parts came and were listed no more', () => {
    const window = grown(3);
    for (let part = 0; part < 4; part += 1) window.grow();
    const before = render(window);
    for (let part = 0; part < 35; part += 1) window.grow();
    expect(lintReloads([before, render(window)], LOW_LATENCY)).toEqual([]);
  });

  it.each([
    ['sequence-back', (list: string[]) => [list[20], list[0]]],
    ['edge-back', (list: string[]) => [list[3], list[2]]],
    ['constant', (list: string[]) => replaceIn(list, 9, 'init.mp4', 'other.mp4')],
    ['changed', (list: string[]) => replaceIn(list, 5, /(DATE-TIME:.*\.)\d/, '$19')],
    ['changed', (list: string[]) => replaceIn(list, 5, '/107.m4s', '/x.m4s')],
    ['uri-reused', (list: string[]) => replaceIn(list, 20, '/110.m4s', '/100.m4s')],
    ['uri-reused', (list: string[]) => replaceIn(list, 20, '110.2.m4s', '109.2.m4s')],
    ['discontinuity-sequence', (list: string[]) => replaceIn(list, 20, /(Y-SEQUENCE:)\d/, '$17')],
    ['after-end', (list: string[]) => [...list, (list.at(-1) ?? '').replace('#EXT-X-END', '#X')]],
    ['hint-broken', (list: string[]) => replaceIn(list, 5, '110.4.m4s', '110.9.m4s')],
    ['range-changed', (list: string[]) => replaceIn(list, 5, 'Title', 'Another')],
    ['hole', (list: string[]) => [list[0], list[30]?.replace(/(A-SEQUENCE:)\d+/, '$1200')]],
    [
      'too-short',
      (list: string[]) => [
        list[0],
        list[1]
          ?.replace(/(A-SEQUENCE:)\d+/, '$1108')
          .replace(/#EXT-X-PROGRAM-DATE-TIME[\s\S]*?107.m4s\n/, ''),
      ],
    ],
  ])('objects by %s', (rule, breaking) => {
    const broken = breaking(texts()).map((text) => text ?? '');
    expect(rules(lintReloads(broken, LOW_LATENCY))).toContain(rule);
  });

  it('objects to a delta update that says something else', () => {
    const window = grown(3);
    const delta = render(window, { skip: true });
    expect(lintDelta(GOOD, delta)).toEqual([]);
    expect(rules(lintDelta(GOOD, delta.replace('=2\n', '=3\n')))).toEqual(['delta']);
    expect(rules(lintDelta(GOOD, delta.replace('Title', 'x')))).toEqual(['delta']);
    expect(rules(lintDelta(GOOD, GOOD))).toEqual(['delta']);
  });
});

describe('the linter of multivariant playlists', () => {
  const good = `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=140000,AVERAGE-BANDWIDTH=130000,CODECS="mp4a.40.2"
aac128.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=72000,AVERAGE-BANDWIDTH=70000,CODECS="mp4a.40.2"
aac64.m3u8
`;

  it('has nothing against a good one', () => {
    expect(lintMultivariant(good)).toEqual([]);
  });

  it.each([
    ['independent-segments', '#EXT-X-INDEPENDENT-SEGMENTS\n', ''],
    ['known', '#EXT-X-STREAM', '#EXT-X-TARGETDURATION:4\n#EXT-X-STREAM'],
    ['variant', 'aac128.m3u8\n', ''],
    ['variant', /#EXT-X-STREAM[\s\S]*/, ''],
    ['uri-twice', 'aac128', 'aac64'],
    ['bandwidth', '=130000', '=150000'],
    ['bandwidth', ',AVERAGE-BANDWIDTH=130000', ''],
    ['codecs', 'mp4a.40.2', 'opus'],
    ['attributes', ',CODECS', ' CODECS'],
  ])('objects by %s when %s becomes %j', (rule, from, to) => {
    expect(rules(lintMultivariant(good.replace(from, to)))).toContain(rule);
  });
});
