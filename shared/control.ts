/**
 * The control messages of skywave.v1: one schema a message, and one parser a direction. Every
 * message is a JSON object with a `type`; unknown fields are dropped, unknown types refused.
 * Units are those of shared/PROTOCOL.md: bitrate bit/s, frame samples, times ms, latency s.
 */
import * as v from 'valibot';
import { catalogSchema, renditionSchema } from './catalog.ts';
import { CLOSE, ProtocolViolation } from './codes.ts';
import { type Millis, millis, type Samples, samples, type Utc, utc } from './time.ts';

/** The WebSocket subprotocol this file describes. */
export const SUBPROTOCOL = 'skywave.v1';

/** The longest control message, bytes of UTF-8; also the server's `maxPayload`. */
export const MAX_CONTROL_BYTES = 4096;

const count = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max));
const text = (max: number) => v.pipe(v.string(), v.maxLength(max));
const span = v.pipe(
  v.number(),
  v.finite(),
  v.minValue(0),
  v.maxValue(86_400_000),
  v.transform((length): Millis => millis(length)),
);
const moment = v.pipe(
  v.number(),
  v.finite(),
  v.transform((reading): Utc => utc(reading)),
);
const epoch = count(0xffff);
const sequence = count(0xffff_ffff);
const timestamp = v.pipe(
  count(0xffff_ffff_ffff),
  v.transform((position): Samples => samples(position)),
);
const frameId = v.object({ epoch, sequence });
const resumePoint = v.object({
  epoch,
  sequence: v.pipe(v.number(), v.integer(), v.minValue(-1), v.maxValue(0xffff_ffff)),
});

const clock = v.object({
  type: v.literal('clock'),
  epoch,
  timestamp,
  utc: moment,
  uncertainty: span,
});
const nowPlaying = {
  type: v.literal('metadata'),
  title: text(500),
  artist: v.optional(text(500)),
  artwork: v.optional(text(1000)),
  url: v.optional(text(1000)),
};
const ping = v.object({ type: v.literal('ping'), id: count(0xffff_ffff), sent: moment });
const pong = v.object({
  type: v.literal('pong'),
  id: count(0xffff_ffff),
  sent: moment,
  received: moment,
  replied: moment,
});
const goaway = v.object({ type: v.literal('goaway'), after: span });
const paceSpan = v.pipe(
  v.number(),
  v.finite(),
  v.minValue(0),
  v.maxValue(1000),
  v.transform(millis),
);
const pace = v.object({ type: v.literal('pace'), ms: paceSpan });

/** How much faster than it was said the past may be sent, at most. */
export const MAX_RATE = 1.5;

const rate = v.object({
  type: v.literal('rate'),
  rate: v.pipe(v.number(), v.minValue(1), v.maxValue(MAX_RATE)),
});

/** States of a channel as its listeners learn them. */
export const CHANNEL_STATES = ['idle', 'live', 'holding', 'filling', 'ended'] as const;

/** State of a channel: see ARCHITECTURE, The timeline. */
export type ChannelStateName = (typeof CHANNEL_STATES)[number];

/** Troubles that need a person; a client passes over those it does not know. */
export const ALARM_KINDS = [
  'silence',
  'clipping',
  'uplink',
  'transcoder',
  'disk',
  'database',
] as const;

/** A kind of trouble that needs a person. */
export type AlarmKind = (typeof ALARM_KINDS)[number];

const level = v.nullable(v.pipe(v.number(), v.finite()));
const loudness = v.object({
  momentary: level,
  shortTerm: level,
  integrated: level,
  truePeak: level,
});

const publisherMessages = v.variant('type', [
  v.object({
    type: v.literal('hello'),
    role: v.literal('publisher'),
    rendition: renditionSchema,
    resume: v.optional(resumePoint),
    fresh: v.optional(v.boolean()),
    takeover: v.optional(v.boolean()),
  }),
  clock,
  v.object({ ...nowPlaying, at: v.optional(v.object({ epoch, timestamp })) }),
  ping,
  v.object({ type: v.literal('bye'), reason: v.optional(text(200)) }),
  goaway,
]);

const toPublisherMessages = v.variant('type', [
  v.object({
    type: v.literal('welcome'),
    session: text(64),
    epoch,
    next: sequence,
    limits: v.object({ frame: count(65_536), control: count(65_536), lead: span }),
    ping: span,
    recording: v.optional(v.nullable(text(128))),
  }),
  v.object({ type: v.literal('ack'), sequence }),
  v.object({
    type: v.literal('tally'),
    live: v.boolean(),
    listeners: count(1e9),
    recording: v.nullable(v.boolean()),
    loudness: v.nullable(loudness),
    aac: v.optional(v.nullable(v.boolean()), null),
    damaged: v.optional(count(1e12), 0),
    alarms: v.optional(v.pipe(v.array(text(32)), v.maxLength(32)), []),
  }),
  pong,
  goaway,
]);

const listenerMessages = v.variant('type', [
  v.object({
    type: v.literal('hello'),
    role: v.literal('listener'),
    rendition: v.optional(count(255)),
    pace: v.optional(paceSpan),
    resume: v.optional(frameId),
    shifted: v.optional(v.boolean()),
    behind: v.optional(span),
  }),
  ping,
  v.object({
    type: v.literal('report'),
    sequence,
    buffered: span,
    target: span,
    concealed: count(1e12),
    skipped: count(1e12),
    latency: v.nullable(v.pipe(v.number(), v.finite())),
  }),
  v.object({ type: v.literal('select'), rendition: count(255) }),
  pace,
  v.object({ type: v.literal('pause') }),
  v.object({
    type: v.literal('seek'),
    epoch: v.optional(epoch),
    sequence: v.optional(sequence),
    behind: v.optional(span),
  }),
  rate,
  goaway,
]);

const start = v.nullable(v.object({ epoch, sequence, timestamp }));
const toListenerMessages = v.variant('type', [
  v.object({
    type: v.literal('welcome'),
    session: text(64),
    catalog: catalogSchema,
    start,
    live: v.nullable(frameId),
    recovered: v.boolean(),
    shifted: v.optional(v.boolean(), false),
    since: v.optional(v.nullable(moment), null),
    clock: v.nullable(v.omit(clock, ['type'])),
  }),
  v.object({ type: v.literal('place'), start, live: v.nullable(frameId), shifted: v.boolean() }),
  rate,
  clock,
  v.object({ ...nowPlaying, at: v.object({ epoch, timestamp }) }),
  v.object({ type: v.literal('catalog'), catalog: catalogSchema }),
  pong,
  pace,
  v.object({ type: v.literal('skipped'), from: frameId, to: frameId, reason: text(64) }),
  v.object({ type: v.literal('state'), is: v.picklist(CHANNEL_STATES) }),
  goaway,
]);

/** What a publisher may say to the server. */
export type PublisherMessage = v.InferOutput<typeof publisherMessages>;
/** What the server says to a publisher. */
export type ToPublisherMessage = v.InferOutput<typeof toPublisherMessages>;
/** What a listener may say to the server. */
export type ListenerMessage = v.InferOutput<typeof listenerMessages>;
/** What the server says to a listener. */
export type ToListenerMessage = v.InferOutput<typeof toListenerMessages>;
/** A point of the media clock and the server's UTC at which it was captured. */
export type ClockPoint = Omit<v.InferOutput<typeof clock>, 'type'>;
/** Where a listener stands, or wants to: one frame of one epoch. */
export type FrameId = v.InferOutput<typeof frameId>;
/** Loudness of a broadcast as the server measures it, LUFS and dBTP; null where there is no sound. */
export type Loudness = v.InferOutput<typeof loudness>;
/** A now-playing title and the sample from which on it holds. */
export type Metadata = Extract<ToListenerMessage, { type: 'metadata' }>;

type Schema = v.GenericSchema<unknown, unknown>;

const parseWith = <const S extends Schema>(schema: S, message: string): v.InferOutput<S> => {
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch {
    throw new ProtocolViolation(CLOSE.badMessage, 'A text message is one JSON object.');
  }
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  // The path is made of our own field names; what the peer wrote stays out of reasons and logs.
  const where = v.getDotPath(issue) ?? 'the message';
  throw new ProtocolViolation(
    CLOSE.badMessage,
    where === 'type'
      ? 'The type of this message is unknown.'
      : `Of a control message, ${where} is not as skywave.v1 says.`,
  );
};

/** Parses what a publisher sent. @throws {ProtocolViolation} 4400. */
export const parsePublisherMessage = (message: string): PublisherMessage =>
  parseWith(publisherMessages, message);

/** Parses what the server sent to a publisher. @throws {ProtocolViolation} 4400. */
export const parseToPublisherMessage = (message: string): ToPublisherMessage =>
  parseWith(toPublisherMessages, message);

/** Parses what a listener sent. @throws {ProtocolViolation} 4400. */
export const parseListenerMessage = (message: string): ListenerMessage =>
  parseWith(listenerMessages, message);

/** Parses what the server sent to a listener. @throws {ProtocolViolation} 4400. */
export const parseToListenerMessage = (message: string): ToListenerMessage =>
  parseWith(toListenerMessages, message);
