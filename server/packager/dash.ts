/**
 * The DASH manifest over the same fMP4 bytes as HLS (ISO/IEC 23009-1, DASH-IF low-latency live).
 * Pure. Addresses are sequence numbers. Availability is by the clock of `timeUri`:
 * availabilityTimeOffset says when the first part of a segment is there, and follows the drift
 * between the publisher's clock and UTC within a Period.
 */
import {
  type Millis,
  millis,
  SAMPLE_RATE,
  type Samples,
  samplesToMillis,
} from '../../shared/time.ts';
import { INBAND_EVENTS, titleEvents } from './dash-events.ts';
import { driftOf, type Period } from './dash-periods.ts';
import {
  type AdaptationSet,
  endOf,
  type ManifestView,
  type Neighbours,
  neighboursIn,
  segmentsIn,
  type Told,
} from './dash-view.ts';
import { element, type Xml } from './dash-xml.ts';
import { codecOf } from './fmp4-init.ts';
import { durationOf } from './hls-bitrates.ts';
import type { Grid, Segment } from './track.ts';

const LATENCY = millis(1920);
/** Of the second ProducerReferenceTime of a set. */
const CAPTURED_ID = 10;
/** Segments that a player stays behind a timeline whose last segment still grows. */
const BEHIND_LISTED = 2.5;
const PROFILES = [
  'urn:mpeg:dash:profile:isoff-live:2011',
  'http://www.dashif.org/guidelines/low-latency-live-v5',
].join(',');
const CHANNELS = 'urn:mpeg:dash:23003:3:audio_channel_configuration:2011';
const ROLE = 'urn:mpeg:dash:role:2011';
const CONNECTIVITY = 'urn:mpeg:dash:period-connectivity:2015';
const UTC_SCHEMES = ['urn:mpeg:dash:utc:http-iso:2014', 'urn:mpeg:dash:utc:http-xsdate:2014'];

/**
 * Players count segments in binary floating point, and Shaka compares where one ends with where the
 * next begins to the last bit: where 11 times 3.84 s is not 10 times that and 3.84 s, it finds no
 * segment after a change of rendition and stands still for good. So what is counted with are whole
 * parts of a power of two a second, of which no sum is ever rounded.
 */
const COUNTED_SCALE = 2 ** 20;

const isCounted = ({ addressing }: ManifestView): boolean => addressing === 'number';
const scaleOf = (view: ManifestView): number => (isCounted(view) ? COUNTED_SCALE : SAMPLE_RATE);

/** A moment of track time in units of the manifest. */
const scaled = (view: ManifestView, at: Samples): number =>
  Math.round((at * scaleOf(view)) / SAMPLE_RATE);

/** A segment as it is counted: rounded up, so that none is counted behind an end that is its end. */
const countedLength = ({ segment }: Grid): number =>
  Math.ceil((segment * COUNTED_SCALE) / SAMPLE_RATE);

/** What is left out of the beginning of a Period, as it was counted while it was live. */
const leftOut = (view: ManifestView, { number, sequence }: Told): number =>
  (number - sequence) * countedLength(view.grid);

/** Track time of a Period's first sample, in units of the manifest. */
const offsetOf = (view: ManifestView, period: Told): number =>
  isCounted(view) ? scaled(view, period.begun.at) + leftOut(view, period) : period.at;

const isoDate = (moment: number): string => new Date(moment).toISOString();
const seconds = (span: number): string => `PT${Number(span.toFixed(9))}S`;
const duration = (millis: number): string => seconds(millis / 1000);

/** Start of a Period on the manifest's clock, s, in parts that are counted with. */
const startOf = (view: ManifestView, period: Told): number => {
  const { utc } = isCounted(view) ? period.begun : period;
  const start = Math.round(((utc - view.availabilityStart) / 1000) * COUNTED_SCALE);
  return (start + (isCounted(view) ? leftOut(view, period) : 0)) / COUNTED_SCALE;
};

/** How long a Period is so far, ms. */
const lengthOf = (view: ManifestView, neighbours: Neighbours): number =>
  endOf(view, neighbours) - neighbours.period.utc;

/** Segments of a Period, with the one that grows at the length it is going to have. */
const timeline = (segments: readonly Segment[], { grid, ended }: ManifestView): Xml => {
  const runs: { t: Samples; d: Samples; r: number }[] = [];
  for (const segment of segments) {
    const d = segment.complete || ended ? durationOf(segment) : grid.segment;
    const run = runs.at(-1);
    if (run?.d === d && segment.at === run.t + run.d * (run.r + 1)) run.r += 1;
    else runs.push({ t: segment.at, d, r: 0 });
  }
  return element(
    'SegmentTimeline',
    {},
    runs.map(({ t, d, r }) => element('S', { t, d, r: r === 0 ? undefined : r })),
  );
};

/** How much earlier than its nominal end a segment can be asked for, in seconds. */
const timeOffset = (period: Period, newest: Segment, grid: Grid): number => {
  const early =
    samplesToMillis(grid.segment) - samplesToMillis(grid.part) - driftOf(period, newest);
  // Hundredths, so that jitter of the tie does not show; a request that comes early is held.
  return Math.max(0, Math.round(early / 10) / 100);
};

const template = (
  view: ManifestView,
  { period, next }: Neighbours,
  segments: readonly Segment[],
): Xml => {
  // Only where a segment grows: in a Period that is over Shaka would count one segment too many.
  const grows = next === undefined && !view.ended;
  const newest = segments.at(-1) as Segment;
  const counted = isCounted(view);
  return element(
    'SegmentTemplate',
    {
      timescale: scaleOf(view),
      duration: counted ? countedLength(view.grid) : undefined,
      presentationTimeOffset: offsetOf(view, period),
      startNumber: counted ? period.number : segments[0]?.sequence,
      initialization: view.initUri,
      media: view.mediaUri,
      availabilityTimeOffset: grows ? timeOffset(period, newest, view.grid) : undefined,
      availabilityTimeComplete: grows ? 'false' : undefined,
    },
    counted ? [] : [timeline(segments, view)],
  );
};

const representation = ({ rendition, bitrates }: AdaptationSet['representations'][number]): Xml =>
  element(
    'Representation',
    {
      id: rendition.name,
      bandwidth: bitrates.peak,
      codecs: codecOf(rendition),
      audioSamplingRate: SAMPLE_RATE,
    },
    [element('AudioChannelConfiguration', { schemeIdUri: CHANNELS, value: rendition.channels })],
  );

/**
 * Two of them, for the encoder is where the sound was captured: Shaka takes no notice of more than
 * one, and of one it forgets the presentationTimeOffset and tells a wrong time of day.
 */
const referenceTimes = (view: ManifestView, set: AdaptationSet, segment: Segment): Xml[] =>
  (['encoder', 'captured'] as const).map((type) =>
    element(
      'ProducerReferenceTime',
      {
        id: type === 'encoder' ? set.id : set.id + CAPTURED_ID,
        type,
        wallClockTime: isoDate(segment.utc),
        presentationTime: scaled(view, segment.at),
      },
      [element('UTCTiming', { schemeIdUri: UTC_SCHEMES[1], value: view.timeUri })],
    ),
  );

const adaptationSet = (view: ManifestView, set: AdaptationSet, neighbours: Neighbours): Xml[] => {
  const { previous } = neighbours;
  const segments = segmentsIn(set, neighbours);
  const first = segments[0];
  if (first === undefined) return [];
  const attributes = {
    id: set.id,
    contentType: 'audio',
    mimeType: 'audio/mp4',
    segmentAlignment: 'true',
    startWithSAP: 1,
  };
  return [
    element('AdaptationSet', attributes, [
      // One initialization segment serves all Periods of a rendition.
      ...(previous === undefined
        ? []
        : [
            element('SupplementalProperty', {
              schemeIdUri: CONNECTIVITY,
              value: `p${previous.sequence}`,
            }),
          ]),
      INBAND_EVENTS,
      ...(view.ended ? [] : referenceTimes(view, set, first)),
      element('Role', { schemeIdUri: ROLE, value: set.id === 1 ? 'main' : 'alternate' }),
      template(view, neighbours, segments),
      ...set.representations.map(representation),
    ]),
  ];
};

const periodElement = (view: ManifestView, neighbours: Neighbours): Xml[] => {
  const { period, next } = neighbours;
  const sets = view.sets.flatMap((set) => adaptationSet(view, set, neighbours));
  if (sets.length === 0) return [];
  const over = next !== undefined || view.ended;
  const attributes = {
    id: `p${period.sequence}`,
    // The shortest decimals that are read as this very number.
    start: `PT${startOf(view, period)}S`,
    // Nothing is to be counted into what lies between two stretches.
    duration: over ? duration(lengthOf(view, neighbours)) : undefined,
  };
  const from = segmentsIn(view.sets[0] as AdaptationSet, neighbours)[0]?.at ?? period.at;
  const events = titleEvents(period, view.titles, {
    from,
    to: next?.at ?? Number.POSITIVE_INFINITY,
  });
  return [element('Period', attributes, [...events, ...sets])];
};

/** Any speed but 1 is audible on music; without a word Shaka takes its own 0.95 to 1.1. */
const serviceDescription = (view: ManifestView, latency: Millis): Xml =>
  element('ServiceDescription', { id: 0 }, [
    element('Latency', { referenceId: view.sets[0]?.id, target: latency, max: 3 * latency }),
    element('PlaybackRate', { min: 1, max: 1 }),
  ]);

/**
 * How far behind live there is something, at most so far: not before the window or the first Period,
 * nor between two, and GStreamer ends where it finds none.
 */
const reachable = (view: ManifestView, wanted: Millis): Millis => {
  const latency = millis(Math.min(wanted, view.windowLength));
  const from = view.published - latency;
  const neighbours = neighboursIn(view);
  const next = neighbours.find(({ period }) => period.utc > from);
  const before = neighbours.findLast(({ period }) => period.utc <= from);
  if (next === undefined || (before && from < endOf(view, before))) return latency;
  return millis(Math.max(0, view.published - next.period.utc));
};

const liveAttributes = (view: ManifestView, latency: Millis) => {
  const segment = samplesToMillis(view.grid.segment);
  const listed = !isCounted(view);
  return {
    type: 'dynamic',
    // Of a listed segment a player has to learn while the one before it still grows.
    minimumUpdatePeriod: duration(listed ? segment / 4 : segment),
    timeShiftBufferDepth: duration(view.windowLength),
    suggestedPresentationDelay: duration(listed ? BEHIND_LISTED * segment : latency),
  };
};

/** Renders the manifest: live, or static once the channel has ended. */
export const manifest = (view: ManifestView): string => {
  const { grid, ended, availabilityStart } = view;
  const latency = view.latency === undefined ? LATENCY : reachable(view, view.latency);
  const neighbours = neighboursIn(view);
  const last = neighbours.at(-1);
  const end = last === undefined ? 0 : startOf(view, last.period) + lengthOf(view, last) / 1000;
  const common = {
    xmlns: 'urn:mpeg:dash:schema:mpd:2011',
    profiles: PROFILES,
    availabilityStartTime: isoDate(availabilityStart),
    publishTime: isoDate(view.published),
    minBufferTime: duration(2 * samplesToMillis(grid.part)),
    maxSegmentDuration: duration(samplesToMillis(grid.segment)),
  };
  const over = { type: 'static', mediaPresentationDuration: seconds(end) };
  const root = element('MPD', { ...common, ...(ended ? over : liveAttributes(view, latency)) }, [
    element('ProgramInformation', {}, [element('Title', {}, view.title)]),
    ...(ended ? [] : [serviceDescription(view, latency)]),
    ...neighbours.flatMap((one) => periodElement(view, one)),
    ...(ended
      ? []
      : UTC_SCHEMES.map((schemeIdUri) =>
          element('UTCTiming', { schemeIdUri, value: view.timeUri }),
        )),
  ]);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${root.join('\n')}\n`;
};
