/** Our own judge of DASH manifests: the rules of live manifests that players rely on. */
import type { Finding } from './hls-linter.ts';
import { attributeOf, childrenOf, parseXml, type XmlElement } from './xml-tree.ts';

/** One segment that a manifest addresses. */
export type Addressed = {
  readonly period: string;
  readonly set: string;
  readonly number: number;
  /** Media time and duration in units of the timescale. */
  readonly time: number;
  readonly duration: number;
  /** Media time, ms. */
  readonly at: number;
  /** Of its first sample on the manifest's clock, and when it may be asked for; ms UTC. */
  readonly presented: number;
  readonly available: number;
};

const found = (rule: string, sentence: string): Finding => ({ rule, sentence });

/** Seconds of an `xs:duration` of hours, minutes and seconds; NaN for any other text. */
export const secondsOf = (text: string): number => {
  const match = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?$/.exec(text);
  if (match === null || text === 'PT') return Number.NaN;
  return Number(match[1] ?? 0) * 3600 + Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0);
};

/** A Period begins where its first sample is; counted from the one before, it may be so far off, ms. */
const COUNTED_OFF = 5;

/** So many segments are counted as a player would, into the future too. */
const COUNTED = 2000;

type Timed = Pick<Addressed, 'number' | 'time' | 'duration'>;

/** Segments that a SegmentTimeline lists. */
const listedIn = (template: XmlElement | undefined): Timed[] => {
  let number = Number(attributeOf(template, 'startNumber') || 1);
  let time = 0;
  return childrenOf(childrenOf(template, 'SegmentTimeline')[0], 'S').flatMap((run) => {
    time = Number(attributeOf(run, 't') || time);
    const duration = Number(attributeOf(run, 'd'));
    return Array.from({ length: Number(attributeOf(run, 'r') || 0) + 1 }, (): Timed => {
      const timed = { number, time, duration };
      number += 1;
      time += duration;
      return timed;
    });
  });
};

/** Segments that a player counts from the start of a Period: `from` and `to` in ms of it. */
const countedIn = (
  template: XmlElement | undefined,
  { from, to }: { from: number; to: number },
): Timed[] => {
  const scale = Number(attributeOf(template, 'timescale')) / 1000;
  const offset = Number(attributeOf(template, 'presentationTimeOffset') || 0);
  const duration = Number(attributeOf(template, 'duration'));
  const first = Math.max(0, Math.floor((from * scale) / duration));
  const count = Math.max(0, Math.ceil((to * scale) / duration - 1e-6) - first);
  const start = Number(attributeOf(template, 'startNumber') || 1);
  return Array.from({ length: Math.min(count, 1000) }, (_, index) => ({
    number: start + first + index,
    time: offset + (first + index) * duration,
    duration,
  }));
};

/** Every segment that a manifest addresses at its publishTime, computed as a player would. */
export const addressedBy = (mpd: XmlElement): Addressed[] => {
  const zero = Date.parse(attributeOf(mpd, 'availabilityStartTime'));
  // Of what is over everything can be had, whenever it was published.
  const over = attributeOf(mpd, 'type') === 'static';
  const now = over ? Number.POSITIVE_INFINITY : Date.parse(attributeOf(mpd, 'publishTime'));
  const depth = secondsOf(attributeOf(mpd, 'timeShiftBufferDepth') || 'PT100000H') * 1000;
  return childrenOf(mpd, 'Period').flatMap((period) => {
    const start = zero + secondsOf(attributeOf(period, 'start')) * 1000;
    const length = secondsOf(attributeOf(period, 'duration')) * 1000 || Number.POSITIVE_INFINITY;
    return childrenOf(period, 'AdaptationSet').flatMap((set) => {
      const template = childrenOf(set, 'SegmentTemplate')[0];
      const scale = Number(attributeOf(template, 'timescale')) / 1000;
      const offset = Number(attributeOf(template, 'presentationTimeOffset') || 0);
      const early = Number(attributeOf(template, 'availabilityTimeOffset') || 0) * 1000;
      const whole = Number(attributeOf(template, 'duration')) / scale;
      // The last whose beginning can be had: end less offset is at most now.
      const to = Math.min(length, Math.floor((now + early - start) / whole + 1e-6) * whole || 0);
      const segments = template?.attributes.has('duration')
        ? countedIn(template, { from: over ? 0 : now - depth - start, to })
        : listedIn(template);
      return segments.map((timed): Addressed => {
        const presented = start + (timed.time - offset) / scale;
        const available = presented + timed.duration / scale - early;
        const ids = { period: attributeOf(period, 'id'), set: attributeOf(set, 'id') };
        return { ...ids, ...timed, at: timed.time / scale, presented, available };
      });
    });
  });
};

function* root(mpd: XmlElement): Generator<Finding> {
  const live = attributeOf(mpd, 'type') === 'dynamic';
  const needed = live
    ? ['availabilityStartTime', 'publishTime', 'minimumUpdatePeriod', 'timeShiftBufferDepth']
    : ['mediaPresentationDuration'];
  for (const name of ['profiles', 'minBufferTime', ...needed])
    if (attributeOf(mpd, name) === '') yield found('root', `MPD has no ${name}.`);
  if (!live && mpd.attributes.has('minimumUpdatePeriod'))
    yield found('static', 'A static manifest is never updated.');
  if (live && mpd.attributes.has('mediaPresentationDuration'))
    yield found('static', 'A live manifest has no duration.');
  for (const name of ['minimumUpdatePeriod', 'timeShiftBufferDepth', 'mediaPresentationDuration'])
    if (mpd.attributes.has(name) && !(secondsOf(attributeOf(mpd, name)) > 0))
      yield found('duration', `${name} is no duration.`);
  if (live && childrenOf(mpd, 'UTCTiming').length === 0)
    yield found('clock', 'A live manifest needs UTCTiming.');
  const latency = childrenOf(childrenOf(mpd, 'ServiceDescription')[0], 'Latency')[0];
  if (latency === undefined) return;
  const reference = attributeOf(latency, 'referenceId');
  const times = childrenOf(mpd, 'Period').flatMap((period) =>
    childrenOf(period, 'AdaptationSet').flatMap((set) => childrenOf(set, 'ProducerReferenceTime')),
  );
  if (!times.some((time) => attributeOf(time, 'id') === reference))
    yield found('reference', `Latency refers to ${reference}, which is not there.`);
}

function* period(element: XmlElement): Generator<Finding> {
  const sets = childrenOf(element, 'AdaptationSet');
  const names = new Set<string>();
  if (sets.length === 0) yield found('period', 'A Period without AdaptationSet.');
  for (const set of sets) {
    const template = childrenOf(set, 'SegmentTemplate')[0];
    const media = attributeOf(template, 'media');
    if (!/\$(Number|Time)\$/.test(media)) yield found('template', `${media} addresses nothing.`);
    if (!media.includes('$RepresentationID$')) yield found('template', `${media} is one for all.`);
    if (!attributeOf(template, 'initialization').includes('$RepresentationID$'))
      yield found('template', 'One initialization for all representations.');
    if (!(Number(attributeOf(template, 'timescale')) > 0)) yield found('template', 'No timescale.');
    if (Number(attributeOf(template, 'availabilityTimeOffset') || 0) < 0)
      yield found('offset', 'availabilityTimeOffset is negative.');
    if (childrenOf(set, 'Representation').length === 0)
      yield found('representation', 'An AdaptationSet without Representation.');
    for (const representation of childrenOf(set, 'Representation')) {
      const id = attributeOf(representation, 'id');
      if (id === '' || names.has(id)) yield found('representation', `The id ${id} is used twice.`);
      names.add(id);
      if (!(Number(attributeOf(representation, 'bandwidth')) > 0))
        yield found('representation', `${id} has no bandwidth.`);
      if (!/^(mp4a\.40\.2|opus)$/.test(attributeOf(representation, 'codecs')))
        yield found('representation', `${id} has no codec that we know.`);
    }
  }
}

/**
 * Shaka finds the segment behind one that it has by dividing; sums that are rounded lead it astray
 * (`FixedDurationSegmentIndex` in its lib/dash/segment_template.js).
 */
function* counting(element: XmlElement): Generator<Finding> {
  const zero = secondsOf(attributeOf(element, 'start'));
  for (const set of childrenOf(element, 'AdaptationSet')) {
    const template = childrenOf(set, 'SegmentTemplate')[0];
    if (!template?.attributes.has('duration')) continue;
    const length =
      Number(attributeOf(template, 'duration')) / Number(attributeOf(template, 'timescale'));
    const begins = (index: number): number => index * length + zero;
    const missed = Array.from({ length: COUNTED }, (_, index) => index + 1).find((index) => {
      const end = begins(index - 1) + length;
      return end !== begins(index) || Math.floor((end - zero) / length) !== index;
    });
    if (missed !== undefined) yield found('counting', `Segment ${missed} is not where it is.`);
  }
}

function* timing(mpd: XmlElement): Generator<Finding> {
  const periods = childrenOf(mpd, 'Period');
  for (const over of periods.filter((one) => one.attributes.has('duration')))
    for (const set of childrenOf(over, 'AdaptationSet'))
      if (childrenOf(set, 'SegmentTemplate')[0]?.attributes.has('availabilityTimeOffset'))
        yield found('offset', `Nothing grows in ${attributeOf(over, 'id')} any more.`);
  const ids = periods.map((element) => attributeOf(element, 'id'));
  if (ids.includes('') || new Set(ids).size < ids.length)
    yield found('period', 'Ids of Periods are missing or used twice.');
  for (const element of periods) yield* counting(element);
  const starts = periods.map((element) => secondsOf(attributeOf(element, 'start')));
  if (starts.some((start, index) => !(start > (starts[index - 1] ?? -1))))
    yield found('period', 'Periods do not begin one after the other.');
  const all = addressedBy(mpd);
  for (const [index, segment] of all.entries()) {
    if (!(segment.duration > 0) || !Number.isInteger(segment.time))
      yield found('timeline', `Segment ${segment.number} has no time or duration.`);
    const before = all[index - 1];
    if (before === undefined || before.period !== segment.period || before.set !== segment.set)
      continue;
    if (before.time + before.duration !== segment.time)
      yield found('timeline', `Segment ${segment.number} does not begin where the last one ended.`);
  }
}

/** Judges one manifest. */
export const lintDash = (text: string): Finding[] => {
  try {
    const mpd = parseXml(text);
    if (mpd.name !== 'MPD') return [found('well-formed', 'The root is not MPD.')];
    const periods = childrenOf(mpd, 'Period').flatMap((element) => [...period(element)]);
    return [...root(mpd), ...timing(mpd), ...periods];
  } catch (error) {
    return [found('well-formed', String(error))];
  }
};

/** Judges reloads of one manifest, oldest first, each by itself and against those before. */
export class DashReloadLinter {
  readonly #fixed = new Map<string, string>();
  readonly #segments = new Map<string, Pick<Addressed, 'time' | 'at' | 'period'>>();
  readonly #over = new Set<string>();
  #findings: Finding[] = [];
  #published = 0;
  #ended = false;

  /** What is wrong with the next one. */
  next(text: string): Finding[] {
    this.#findings = lintDash(text);
    const mpd = parseXml(text);
    const live = attributeOf(mpd, 'type') === 'dynamic';
    if (live && this.#ended) this.#find('static', 'What was over goes on.');
    this.#ended ||= !live;
    this.#keep('availabilityStartTime', attributeOf(mpd, 'availabilityStartTime'));
    this.#keep('id of the MPD', attributeOf(mpd, 'id'));
    for (const element of childrenOf(mpd, 'Period')) this.#period(element, live);
    this.#addresses(mpd);
    const moment = Date.parse(attributeOf(mpd, 'publishTime') || '1970-01-01');
    if (moment < this.#published) this.#find('published', 'publishTime went back.');
    this.#published = moment;
    return this.#findings;
  }

  #find(rule: string, sentence: string): void {
    this.#findings.push(found(rule, sentence));
  }

  #keep(name: string, value: string): void {
    const known = this.#fixed.get(name) ?? value;
    if (known !== value) this.#find('changed', `${name} was ${known}, is ${value}.`);
    this.#fixed.set(name, value);
  }

  /** What has ended is told from its first segment on, and every sample stays where it was. */
  #period(element: XmlElement, live: boolean): void {
    const id = attributeOf(element, 'id');
    const length = attributeOf(element, 'duration');
    const start = secondsOf(attributeOf(element, 'start')) * 1000;
    if (live) this.#keep(`start of ${id}`, attributeOf(element, 'start'));
    if (live && length !== '') this.#keep(`duration of ${id}`, length);
    if (length !== '') this.#over.add(id);
    else if (this.#over.has(id)) this.#find('changed', `${id} goes on again.`);
    for (const set of childrenOf(element, 'AdaptationSet')) {
      const template = childrenOf(set, 'SegmentTemplate')[0];
      const offset = Number(attributeOf(template, 'presentationTimeOffset') || 0);
      const origin = start - (offset * 1000) / Number(attributeOf(template, 'timescale'));
      this.#keep(`sample 0 of set ${attributeOf(set, 'id')} in ${id}`, origin.toFixed(0));
    }
    for (const stream of childrenOf(element, 'EventStream'))
      for (const event of childrenOf(stream, 'Event'))
        this.#keep(`title ${attributeOf(event, 'id')} of ${id}`, event.text);
  }

  /**
   * While nobody speaks the clock goes on, and by it a player counts the next segment into the old
   * Period, until a new one begins with it: HLS numbers segments without gaps. Nothing else moves.
   */
  #addresses(mpd: XmlElement): void {
    const begun = new Set<string>();
    for (const { period, set, number, time, at } of addressedBy(mpd)) {
      const name = `segment ${number} of set ${set}`;
      const known = this.#segments.get(name) ?? { time, at, period };
      const begins = !begun.has(`${period} ${set}`);
      begun.add(`${period} ${set}`);
      const stays =
        known.period === period ? known.time === time : Math.abs(known.at - at) < COUNTED_OFF;
      if (!stays || (known.period !== period && !begins))
        this.#find(
          'changed',
          `${name} was ${known.time} in ${known.period}, is ${time} in ${period}.`,
        );
      this.#segments.set(name, { time, at, period });
    }
  }
}

/** Judges reloads of one manifest, oldest first. */
export const lintDashReloads = (texts: readonly string[]): Finding[] => {
  const linter = new DashReloadLinter();
  return texts.flatMap((text) => linter.next(text));
};
