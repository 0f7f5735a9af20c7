/** Media playlists taken apart for the linter: tolerant of everything, so that rules can object. */

/** Attributes of a tag; quoted values without their quotes. */
export type Attributes = ReadonlyMap<string, string>;

/** One line beginning with `#EXT`. */
export type Tag = { readonly name: string; readonly value: string };

/** A part as listed. */
export type ListedPart = { uri: string; duration: number; independent: boolean };

/** A segment as listed; the last may be open: parts without EXTINF and URI. */
export type ListedSegment = {
  sequence: number;
  discontinuity: boolean;
  /** Its discontinuity sequence number. */
  discontinuities: number;
  /** Milliseconds, NaN when unreadable, null without a tag. */
  date: number | null;
  duration: number | null;
  uri: string | null;
  parts: ListedPart[];
};

/** A media playlist as it is written. */
export type MediaText = {
  readonly lines: readonly string[];
  readonly tags: readonly Tag[];
  readonly segments: readonly ListedSegment[];
  /** With parts only, after the last segment that has a URI. */
  readonly open: ListedSegment | null;
  readonly skipped: number;
  readonly ended: boolean;
};

const ATTRIBUTE = /([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(?:,|$)/y;

/** Parses an attribute list strictly; null when it is not one (RFC 8216bis section 4.2). */
export const attributesOf = (value: string): Attributes | null => {
  const found = new Map<string, string>();
  ATTRIBUTE.lastIndex = 0;
  let end = 0;
  while (end < value.length) {
    const match = ATTRIBUTE.exec(value);
    if (match === null) return null;
    const [, name = '', written = ''] = match;
    if (found.has(name)) return null;
    found.set(name, written.startsWith('"') ? written.slice(1, -1) : written);
    end = ATTRIBUTE.lastIndex;
  }
  return value.endsWith(',') ? null : found;
};

const tagOf = (line: string): Tag => {
  const colon = line.indexOf(':');
  return colon < 0
    ? { name: line.slice(1), value: '' }
    : { name: line.slice(1, colon), value: line.slice(colon + 1) };
};

/** The value of the first tag of a name, or undefined. */
export const tagValue = (tags: readonly Tag[], name: string): string | undefined =>
  tags.find((tag) => tag.name === name)?.value;

/** The attributes of every tag of a name; what cannot be parsed counts as empty. */
export const listsOf = (tags: readonly Tag[], name: string): Attributes[] =>
  tags.filter((tag) => tag.name === name).map((tag) => attributesOf(tag.value) ?? new Map());

/** A number out of attributes, NaN when it is missing. */
export const numberIn = (attributes: Attributes | undefined, name: string): number =>
  Number(attributes?.get(name) ?? Number.NaN);

const partOf = (value: string): ListedPart => {
  const attributes = attributesOf(value);
  return {
    uri: attributes?.get('URI') ?? '',
    duration: numberIn(attributes ?? undefined, 'DURATION'),
    independent: attributes?.get('INDEPENDENT') === 'YES',
  };
};

/** Takes a media playlist apart. */
export const mediaTextOf = (text: string): MediaText => {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const tags = lines.filter((line) => line.startsWith('#EXT')).map(tagOf);
  const skipped = numberIn(listsOf(tags, 'EXT-X-SKIP')[0], 'SKIPPED-SEGMENTS') || 0;
  let sequence = Number(tagValue(tags, 'EXT-X-MEDIA-SEQUENCE') ?? 0) + skipped;
  let discontinuities = Number(tagValue(tags, 'EXT-X-DISCONTINUITY-SEQUENCE') ?? 0);
  const blank = (): ListedSegment => ({
    sequence,
    discontinuity: false,
    discontinuities,
    date: null,
    duration: null,
    uri: null,
    parts: [],
  });
  const segments: ListedSegment[] = [];
  let current = blank();
  for (const line of lines) {
    if (!line.startsWith('#')) {
      segments.push({ ...current, uri: line });
      sequence += 1;
      current = blank();
      continue;
    }
    const { name, value } = tagOf(line);
    if (name === 'EXT-X-DISCONTINUITY') {
      discontinuities += 1;
      current.discontinuity = true;
      current.discontinuities = discontinuities;
    } else if (name === 'EXT-X-PROGRAM-DATE-TIME') current.date = Date.parse(value);
    else if (name === 'EXTINF') current.duration = Number.parseFloat(value);
    else if (name === 'EXT-X-PART') current.parts.push(partOf(value));
  }
  const open = current.parts.length > 0 ? current : null;
  return { lines, tags, segments, open, skipped, ended: tagValue(tags, 'EXT-X-ENDLIST') === '' };
};

/** All segments of a playlist, the open one too. */
export const listed = ({ segments, open }: MediaText): readonly ListedSegment[] =>
  open === null ? segments : [...segments, open];
