/** Judges successive reloads of one media playlist (RFC 8216bis sections 6.2.1, 6.2.2, 6.2.5). */
import { type Expectation, type Finding, lintMedia } from './hls-linter.ts';
import {
  type ListedSegment,
  listed,
  listsOf,
  type MediaText,
  mediaTextOf,
  numberIn,
  tagValue,
} from './hls-text.ts';

/** Parts of a segment that is complete. */
const WHOLE = Number.POSITIVE_INFINITY;

const edgeOf = (text: MediaText): { sequence: number; parts: number } => {
  const last = listed(text).at(-1);
  if (last === undefined) return { sequence: -1, parts: 0 };
  return { sequence: last.sequence, parts: last.uri === null ? last.parts.length : WHOLE };
};

const sequenceOf = (text: MediaText): number => Number(tagValue(text.tags, 'EXT-X-MEDIA-SEQUENCE'));

/** Follows one media playlist over its reloads, full texts only. */
export class ReloadLinter {
  readonly #expectation: Expectation;
  readonly #segments = new Map<number, ListedSegment>();
  /** Every URI ever, and the segment (and part) it stands for. */
  readonly #uris = new Map<string, string>();
  readonly #ranges = new Map<string, string>();
  #previous: MediaText | null = null;
  #hint: string | null = null;

  constructor(expectation: Expectation = {}) {
    this.#expectation = expectation;
  }

  /** Judges the next text by itself and against all before it. */
  next(text: string): Finding[] {
    const media = mediaTextOf(text);
    const findings = [
      ...lintMedia(text, this.#expectation),
      ...(this.#previous === null ? [] : this.#against(this.#previous, media)),
      ...listed(media).flatMap((segment) => [...this.#remember(segment)]),
      ...this.#datedRanges(media),
    ];
    this.#previous = media;
    this.#hint =
      listsOf(media.tags, 'EXT-X-PRELOAD-HINT')[0]?.get('URI') ?? (media.ended ? null : this.#hint);
    return findings;
  }

  *#against(before: MediaText, now: MediaText): Generator<Finding> {
    const [old, fresh] = [sequenceOf(before), sequenceOf(now)];
    if (fresh < old)
      yield { rule: 'sequence-back', sentence: `The media sequence went from ${old} to ${fresh}.` };
    for (const name of ['EXT-X-TARGETDURATION', 'EXT-X-PART-INF', 'EXT-X-MAP'])
      if (
        now.skipped === 0 &&
        before.skipped === 0 &&
        tagValue(before.tags, name) !== tagValue(now.tags, name)
      )
        yield { rule: 'constant', sentence: `${name} changed.` };
    const [oldEdge, edge] = [edgeOf(before), edgeOf(now)];
    if (
      edge.sequence < oldEdge.sequence ||
      (edge.sequence === oldEdge.sequence && edge.parts < oldEdge.parts)
    )
      yield { rule: 'edge-back', sentence: 'Something newest was taken away again.' };
    if (edge.sequence > oldEdge.sequence + 1 && fresh > oldEdge.sequence + 1)
      yield { rule: 'hole', sentence: `Nobody saw segment ${oldEdge.sequence + 1}.` };
    if (before.ended && now.lines.join('\n') !== before.lines.join('\n'))
      yield { rule: 'after-end', sentence: 'It changed after EXT-X-ENDLIST.' };
    const target = Number(tagValue(now.tags, 'EXT-X-TARGETDURATION'));
    const left = now.segments.reduce((sum, segment) => sum + (segment.duration ?? 0), 0);
    if (fresh > old && now.skipped === 0 && left < 3 * target - 0.5)
      yield { rule: 'too-short', sentence: `Only ${left} s are left after removing segments.` };
    if (this.#hint !== null) yield* this.#hinted(oldEdge, now);
  }

  /**
   * The part after the old edge must be the one that was hinted at, but for a discontinuity. Who looks
   * away for long finds the parts of an old segment listed no more, and cannot tell.
   */
  *#hinted(oldEdge: { sequence: number; parts: number }, now: MediaText): Generator<Finding> {
    const same = listed(now).find((segment) => segment.sequence === oldEdge.sequence);
    const isOld = oldEdge.parts !== WHOLE && edgeOf(now).sequence > oldEdge.sequence + 2;
    if (isOld && same?.parts.length === 0) return;
    const after = listed(now).find((segment) => segment.sequence === oldEdge.sequence + 1);
    const next = same?.parts[oldEdge.parts] ?? (same?.uri === null ? undefined : after?.parts[0]);
    if (next !== undefined && next.uri !== this.#hint && after?.discontinuity !== true)
      yield { rule: 'hint-broken', sentence: `${this.#hint} was hinted, ${next.uri} came.` };
  }

  *#remember(segment: ListedSegment): Generator<Finding> {
    const known = this.#segments.get(segment.sequence);
    const { sequence } = segment;
    if (
      known !== undefined &&
      (known.date !== segment.date ||
        known.discontinuity !== segment.discontinuity ||
        (known.uri !== null && (known.uri !== segment.uri || known.duration !== segment.duration)))
    )
      yield { rule: 'changed', sentence: `Segment ${sequence} changed.` };
    if (known !== undefined && known.discontinuities !== segment.discontinuities)
      yield {
        rule: 'discontinuity-sequence',
        sentence: `Segment ${sequence} was number ${known.discontinuities}, now ${segment.discontinuities}.`,
      };
    const earlier = this.#segments.get(sequence - 1);
    const grown = (earlier?.discontinuities ?? Number.NaN) + (segment.discontinuity ? 1 : 0);
    if (earlier !== undefined && grown !== segment.discontinuities)
      yield { rule: 'discontinuity-sequence', sentence: `Segment ${sequence} should be ${grown}.` };
    this.#segments.set(sequence, segment);
    if (segment.uri !== null) yield* this.#claim(segment.uri, `${sequence}`);
    for (const [index, part] of segment.parts.entries())
      yield* this.#claim(part.uri, `${sequence}.${index} of ${part.duration}`);
  }

  *#claim(uri: string, owner: string): Generator<Finding> {
    const known = this.#uris.get(uri) ?? owner;
    if (known !== owner)
      yield { rule: 'uri-reused', sentence: `${uri} was ${known} and is now ${owner}.` };
    this.#uris.set(uri, owner);
  }

  *#datedRanges({ tags }: MediaText): Generator<Finding> {
    for (const range of listsOf(tags, 'EXT-X-DATERANGE')) {
      const id = range.get('ID') ?? '';
      const written = JSON.stringify([...range]);
      if ((this.#ranges.get(id) ?? written) !== written)
        yield { rule: 'range-changed', sentence: `The date range ${id} changed.` };
      this.#ranges.set(id, written);
    }
  }
}

/** Judges the reloads of one media playlist, oldest first. */
export const lintReloads = (texts: readonly string[], expectation: Expectation = {}): Finding[] => {
  const linter = new ReloadLinter(expectation);
  return texts.flatMap((text) => linter.next(text));
};

/** Whether a delta update says the same as the full text of its version, where it says anything. */
export const lintDelta = (full: string, delta: string): Finding[] => {
  const [whole, short] = [mediaTextOf(full), mediaTextOf(delta)];
  const skipUntil = numberIn(listsOf(whole.tags, 'EXT-X-SERVER-CONTROL')[0], 'CAN-SKIP-UNTIL');
  if (!(short.skipped > 0)) return [{ rule: 'delta', sentence: 'It skips nothing.' }];
  const kept = whole.segments.slice(short.skipped);
  const gone = whole.segments.slice(0, short.skipped).at(-1);
  const behind = kept.reduce((sum, segment) => sum + (segment.duration ?? 0), 0);
  const findings: Finding[] = [];
  if (gone === undefined || behind <= skipUntil)
    findings.push({ rule: 'delta', sentence: 'It skips within the skip boundary.' });
  const bare = (segment: ListedSegment) => ({ ...segment, discontinuities: 0 });
  if (JSON.stringify(short.segments.map(bare)) !== JSON.stringify(kept.map(bare)))
    findings.push({ rule: 'delta', sentence: 'What it keeps is not what the full text says.' });
  for (const name of [
    'EXT-X-MEDIA-SEQUENCE',
    'EXT-X-DISCONTINUITY-SEQUENCE',
    'EXT-X-SERVER-CONTROL',
  ])
    if (tagValue(whole.tags, name) !== tagValue(short.tags, name))
      findings.push({ rule: 'delta', sentence: `${name} differs.` });
  for (const name of ['EXT-X-DATERANGE', 'EXT-X-RENDITION-REPORT', 'EXT-X-PRELOAD-HINT']) {
    const values = ({ tags }: MediaText) =>
      tags.filter((tag) => tag.name === name).map(({ value }) => value);
    if (values(whole).join('\n') !== values(short).join('\n'))
      findings.push({ rule: 'delta', sentence: `${name} is not the same.` });
  }
  return findings;
};
