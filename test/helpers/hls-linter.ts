/**
 * Our own judge of HLS texts, stricter than the parsers of players: RFC 8216bis with its MUSTs and
 * SHOULDs for live low-latency audio, and what MEASURED adds. Successive reloads: hls-sequence.ts.
 */
import {
  attributesOf,
  type ListedSegment,
  listed,
  listsOf,
  type MediaText,
  mediaTextOf,
  numberIn,
  type Tag,
  tagValue,
} from './hls-text.ts';

/** A rule that a text breaks; `rule` is stable. */
export type Finding = { readonly rule: string; readonly sentence: string };

/** What a text is expected to be. */
export type Expectation = {
  /** Parts, hint and reports have to be there. */
  readonly lowLatency?: boolean;
  /** Playlists that must have a rendition report. */
  readonly siblings?: readonly string[];
};

const ONCE = [
  'EXTM3U',
  'EXT-X-VERSION',
  'EXT-X-TARGETDURATION',
  'EXT-X-MEDIA-SEQUENCE',
  'EXT-X-DISCONTINUITY-SEQUENCE',
  'EXT-X-SERVER-CONTROL',
  'EXT-X-PART-INF',
  'EXT-X-SKIP',
  'EXT-X-ENDLIST',
];
const LISTS = [
  'EXT-X-SERVER-CONTROL',
  'EXT-X-PART-INF',
  'EXT-X-SKIP',
  'EXT-X-MAP',
  'EXT-X-PART',
  'EXT-X-PRELOAD-HINT',
  'EXT-X-RENDITION-REPORT',
  'EXT-X-DATERANGE',
];
const KNOWN = new Set([
  ...ONCE,
  ...LISTS,
  'EXTINF',
  'EXT-X-DISCONTINUITY',
  'EXT-X-PROGRAM-DATE-TIME',
]);
/** Dates follow the publisher's clock by 3.84 ms a segment at most, and are written in whole ms. */
const DATE_SLACK = 5;
const LENGTH_SLACK = 0.0015;
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

type Found = Generator<Finding>;
const found = (rule: string, sentence: string): Finding => ({ rule, sentence });
const lengthOf = (segment: ListedSegment): number =>
  segment.duration ?? segment.parts.reduce((sum, part) => sum + part.duration, 0);

function* form(text: string, { lines, tags }: Pick<MediaText, 'lines' | 'tags'>): Found {
  if (lines[0] !== '#EXTM3U') yield found('first-line', 'The first line is not #EXTM3U.');
  if (!text.endsWith('\n')) yield found('last-line', 'The last line has no end.');
  if (/[^\P{Cc}\n]|\ufeff/u.test(text)) yield found('characters', 'It holds control characters.');
  if (!text.isWellFormed()) yield found('characters', 'It is not well-formed Unicode.');
  if (text.includes('{$')) yield found('variable', 'It refers to a variable nobody defines.');
  if (lines.includes('')) yield found('blank', 'It has a blank line.');
  for (const { name, value } of tags)
    if (LISTS.includes(name) && attributesOf(value) === null)
      yield found('attributes', `The attributes of ${name} cannot be read: ${value}`);
}

function* header({ tags, lines, skipped, segments }: MediaText): Found {
  for (const name of ONCE) {
    const count = tags.filter((tag) => tag.name === name).length;
    if (count > 1) yield found('once', `${name} stands there ${count} times.`);
  }
  for (const { name } of tags)
    if (!KNOWN.has(name)) yield found('known', `${name} is unknown here.`);
  const firstUri = lines.findIndex((line) => !line.startsWith('#'));
  for (const name of ['EXT-X-MEDIA-SEQUENCE', 'EXT-X-DISCONTINUITY-SEQUENCE']) {
    const line = lines.findIndex((text) => text.startsWith(`#${name}:`));
    const discontinuity = lines.indexOf('#EXT-X-DISCONTINUITY');
    if (line < 0 || line > firstUri || (discontinuity >= 0 && line > discontinuity))
      yield found('sequence-tags', `${name} is missing or stands too late.`);
    else if (!/^\d+$/.test(tagValue(tags, name) ?? ''))
      yield found('sequence-tags', `${name} is not a whole number.`);
  }
  const needed = skipped > 0 ? 9 : tagValue(tags, 'EXT-X-MAP') === undefined ? 3 : 6;
  const version = Number(tagValue(tags, 'EXT-X-VERSION') ?? 1);
  if (version < needed) yield found('version', `It needs version ${needed}, not ${version}.`);
  if (version > Math.max(needed, 9)) yield found('version', `Version ${version} is not needed.`);
  if (tagValue(tags, 'EXT-X-SKIP') !== undefined && !(skipped > 0))
    yield found('skip', 'It skips no segment.');
  const fmp4 = segments.some((segment) => /\.(m4s|mp4)\b/.test(segment.uri ?? ''));
  const map = tagValue(tags, 'EXT-X-MAP') !== undefined;
  if (fmp4 !== map && skipped === 0)
    yield found('map', map ? 'MPEG-TS has no EXT-X-MAP.' : 'fMP4 needs EXT-X-MAP.');
}

function* control(text: MediaText, { lowLatency = false }: Expectation): Found {
  const { tags } = text;
  const target = Number(tagValue(tags, 'EXT-X-TARGETDURATION') ?? Number.NaN);
  if (!Number.isInteger(target) || target < 1)
    yield found('target', 'EXT-X-TARGETDURATION is missing or not a whole number.');
  const attributes = listsOf(tags, 'EXT-X-SERVER-CONTROL')[0];
  const partTarget = numberIn(listsOf(tags, 'EXT-X-PART-INF')[0], 'PART-TARGET');
  if (numberIn(attributes, 'HOLD-BACK') < 3 * target)
    yield found('hold-back', 'HOLD-BACK is less than three target durations.');
  if (numberIn(attributes, 'CAN-SKIP-UNTIL') < 6 * target)
    yield found('skip-until', 'CAN-SKIP-UNTIL is less than six target durations.');
  if (text.skipped > 0 && attributes?.has('CAN-SKIP-UNTIL') !== true)
    yield found('skip-until', 'It skips without CAN-SKIP-UNTIL.');
  const parts = tags.some((tag) => tag.name === 'EXT-X-PART');
  if (!parts && !lowLatency) return;
  if (!(partTarget > 0)) yield found('part-inf', 'EXT-X-PART-INF has no PART-TARGET.');
  if (attributes?.get('CAN-BLOCK-RELOAD') !== 'YES')
    yield found('block-reload', 'Parts need CAN-BLOCK-RELOAD=YES.');
  const heldBack = numberIn(attributes, 'PART-HOLD-BACK') / partTarget;
  if (!(heldBack >= 4 - 1e-9 && heldBack <= 5 + 1e-9))
    yield found('part-hold-back', `PART-HOLD-BACK is ${heldBack} parts; 4 to 5 hold.`);
}

function* lengths(text: MediaText): Found {
  const target = Number(tagValue(text.tags, 'EXT-X-TARGETDURATION'));
  const partTarget = numberIn(listsOf(text.tags, 'EXT-X-PART-INF')[0], 'PART-TARGET');
  const all = listed(text);
  for (const [index, segment] of all.entries()) {
    const { sequence, duration, parts, uri } = segment;
    if (uri !== null && (duration === null || !(duration > 0)))
      yield found('extinf', `Segment ${sequence} has no length.`);
    if (duration !== null && Math.round(duration) > target)
      yield found('extinf', `Segment ${sequence} is longer than the target duration.`);
    const sum = parts.reduce((total, part) => total + part.duration, 0);
    if (duration !== null && parts.length > 0 && Math.abs(sum - duration) > LENGTH_SLACK)
      yield found(
        'part-sum',
        `The parts of segment ${sequence} are ${sum} s, it is ${duration} s.`,
      );
    const next = all[index + 1];
    const stretchEnds = next === undefined ? text.ended : next.discontinuity;
    for (const [part, { duration: length, independent }] of parts.entries()) {
      const last = part === parts.length - 1 && stretchEnds;
      if (!(length <= partTarget + 1e-9))
        yield found('part-length', `Part ${sequence}.${part} is longer than the part target.`);
      if (!last && !(length >= 0.85 * partTarget))
        yield found('part-length', `Part ${sequence}.${part} is shorter than 85 % of the target.`);
      if (!independent) yield found('independent', `Part ${sequence}.${part} lacks INDEPENDENT.`);
    }
  }
  let behind = 0;
  for (const segment of all.toReversed()) {
    behind += lengthOf(segment);
    if (segment.parts.length > 0 && behind > 3 * target + LENGTH_SLACK)
      yield found('old-parts', `Segment ${segment.sequence} is too old to show parts.`);
  }
}

function* dates(text: MediaText): Found {
  let expected: number | null = null;
  for (const { name, value } of text.tags)
    if (name === 'EXT-X-PROGRAM-DATE-TIME' && !DATE.test(value))
      yield found('date-form', `${value} is not UTC with milliseconds.`);
  for (const segment of listed(text)) {
    const { sequence, date, discontinuity } = segment;
    if (date === null) {
      yield found('date', `Segment ${sequence} has no EXT-X-PROGRAM-DATE-TIME.`);
      continue;
    }
    if (expected !== null && !discontinuity && !(Math.abs(date - expected) <= DATE_SLACK))
      yield found('date-drift', `Segment ${sequence} is dated ${date - expected} ms off.`);
    expected = date + lengthOf(segment) * 1000;
  }
}

function* edge(text: MediaText, { lowLatency = false, siblings = [] }: Expectation): Found {
  const { tags, ended, lines } = text;
  const hints = listsOf(tags, 'EXT-X-PRELOAD-HINT').filter((hint) => hint.get('TYPE') === 'PART');
  const uris = listed(text).flatMap(({ uri, parts }) => [
    ...(uri === null ? [] : [uri]),
    ...parts.map((part) => part.uri),
  ]);
  if (new Set(uris).size < uris.length) yield found('uri-twice', 'A URI stands there twice.');
  if (hints.some((hint) => uris.includes(hint.get('URI') ?? '')))
    yield found('hint', 'The hint is for a part that is there already.');
  if (ended && hints.length > 0)
    yield found('hint', 'Nothing follows the end, yet a hint is there.');
  if (ended && lines.at(-1) !== '#EXT-X-ENDLIST')
    yield found('end', 'EXT-X-ENDLIST is not the last line.');
  if (ended && text.open !== null) yield found('end', 'The last segment is not complete.');
  if (!lowLatency || ended) return;
  if (hints.length !== 1) yield found('hint', `There are ${hints.length} hints; one is right.`);
  const reports = listsOf(tags, 'EXT-X-RENDITION-REPORT');
  for (const uri of siblings) {
    const report = reports.find((candidate) => candidate.get('URI') === uri);
    if (!(numberIn(report, 'LAST-MSN') >= 0) || !(numberIn(report, 'LAST-PART') >= 0))
      yield found('report', `There is no whole report about ${uri}.`);
  }
  if (reports.length > siblings.length) yield found('report', 'There are reports too many.');
}

function* ranges({ tags }: MediaText): Found {
  const ids = new Set<string>();
  for (const range of listsOf(tags, 'EXT-X-DATERANGE')) {
    const id = range.get('ID') ?? '';
    if (id === '' || ids.has(id)) yield found('range', `The ID ${id} is missing or used twice.`);
    ids.add(id);
    if (!DATE.test(range.get('START-DATE') ?? '')) yield found('range', `${id} has no START-DATE.`);
    const open = range.get('END-ON-NEXT') === 'YES';
    if (open && (!range.has('CLASS') || range.has('DURATION') || range.has('END-DATE')))
      yield found('range', `${id} ends on the next: it needs a CLASS and no other end.`);
  }
}

/** Judges one media playlist. */
export const lintMedia = (text: string, expectation: Expectation = {}): Finding[] => {
  const media = mediaTextOf(text);
  return [
    ...form(text, media),
    ...header(media),
    ...control(media, expectation),
    ...lengths(media),
    ...dates(media),
    ...edge(media, expectation),
    ...ranges(media),
  ];
};

function* variants(lines: readonly string[], tags: readonly Tag[], codecs: RegExp): Found {
  if (tags.every((tag) => tag.name !== 'EXT-X-INDEPENDENT-SEGMENTS'))
    yield found('independent-segments', 'EXT-X-INDEPENDENT-SEGMENTS is missing.');
  const allowed = ['EXTM3U', 'EXT-X-VERSION', 'EXT-X-INDEPENDENT-SEGMENTS', 'EXT-X-STREAM-INF'];
  for (const { name } of tags)
    if (!allowed.includes(name)) yield found('known', `${name} is unknown here.`);
  const uris = lines.filter((line) => !line.startsWith('#'));
  const entries = listsOf(tags, 'EXT-X-STREAM-INF');
  if (entries.length === 0) yield found('variant', 'It names no variant.');
  if (new Set(uris).size < uris.length) yield found('uri-twice', 'A URI stands there twice.');
  for (const [index, line] of lines.entries())
    if (line.startsWith('#EXT-X-STREAM-INF') !== (lines[index + 1]?.startsWith('#') === false))
      yield found('variant', `Line ${index + 1}: a variant and its URI do not stand together.`);
  for (const entry of entries) {
    const peak = numberIn(entry, 'BANDWIDTH');
    const average = numberIn(entry, 'AVERAGE-BANDWIDTH');
    if (!Number.isInteger(peak) || !Number.isInteger(average) || average > peak || average <= 0)
      yield found('bandwidth', `BANDWIDTH ${peak} and AVERAGE-BANDWIDTH ${average} are wrong.`);
    if (!codecs.test(entry.get('CODECS') ?? ''))
      yield found('codecs', `CODECS ${entry.get('CODECS')} has no place here.`);
  }
}

/** Judges a multivariant playlist; by default only AAC may stand in it. */
export const lintMultivariant = (text: string, { codecs = /^mp4a\.40\.2$/ } = {}): Finding[] => {
  const { lines, tags } = mediaTextOf(text);
  const lists = tags.filter((tag) => tag.name === 'EXT-X-STREAM-INF');
  return [
    ...form(text, { lines, tags }),
    ...lists
      .filter((tag) => attributesOf(tag.value) === null)
      .map((tag) => found('attributes', `The attributes cannot be read: ${tag.value}`)),
    ...variants(lines, tags, codecs),
  ];
};
