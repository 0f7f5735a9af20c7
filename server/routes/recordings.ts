/** Recordings over HTTP: the list, the file, deletion, and frames that come late. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { samplesToMillis } from '../../shared/time.ts';
import type { CopyState } from '../recorder/copies.ts';
import { Intake } from '../recorder/intake.ts';
import { DiskFailure } from '../recorder/journal.ts';
import { readOgg } from '../recorder/ogg-stream.ts';
import type { Recording } from '../recorder/recording.ts';
import type { Missing } from '../recorder/timeline.ts';
import type { Now } from '../relay/session.ts';
import type { RecordingFigures, RecordingRecord, Recordings } from '../store/recordings.ts';
import { isKnown, MEDIA_TYPE, rangeOf } from './bytes.ts';
import { Problem } from './problem.ts';
import {
  cacheOf,
  noRecording,
  type RecordingOptions,
  readableDesk,
  recordingIn,
} from './recording-access.ts';

/** Frames may come for so long after the end of their broadcast, ms. */
const LATE_WITHIN = 7 * 86_400_000;

/** Stretches that are named in one answer; the rest comes with the next. */
const MOST_MISSING = 1000;

type Options = RecordingOptions & { readonly recordings: Recordings; readonly now: Now };

type OfChannel = { Params: { channel: string } };
type OfFile = { Params: { channel: string; file: string } };
type OfRecording = { Params: { id: string } };
type Page = { Querystring: { limit?: string; after?: string } };
type Tail = { Querystring: { epoch?: string; last?: string } };

const FILE = /^([0-9a-f-]{36})\.(opus|m4a)$/;

const digits = (most: number) => ({ type: 'string', pattern: `^[0-9]{1,${most}}$` }) as const;
const pageQuery = {
  type: 'object',
  properties: { limit: digits(3), after: { type: 'string', maxLength: 36 } },
} as const;
const tailQuery = {
  type: 'object',
  properties: { epoch: digits(5), last: digits(10) },
} as const;

const seconds = (length: RecordingFigures['duration']): number =>
  Math.round(samplesToMillis(length)) / 1000;

const noRoom = (): Problem =>
  new Problem(507, 'no-room', 'There is no room on the disk; try again later.', 60);

const unreadable = (): Problem =>
  new Problem(503, 'unreadable', 'This recording cannot be read now; try again later.', 60);

/** A name for the file that a person finds again, in any script, and safe on any system. */
const dispositionOf = ({ title, started }: RecordingRecord, ending: string): string => {
  const day = new Date(started).toISOString().slice(0, 16).replace('T', ' ').replace(':', '.');
  const clean = title
    .replace(/[\p{C}\s\\/:*?"<>|]+/gu, ' ')
    .trim()
    .slice(0, 80);
  const name = `${clean === '' ? 'Recording' : clean} ${day}.${ending}`;
  const ascii = name.replace(/[^ -~]|[%"\\]/g, '_');
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
};

/** The AAC copy as the list shows it; an older one is there while a better one is being made. */
const copyOf = (
  { id, channel, copied }: RecordingRecord,
  copy: CopyState | undefined,
): Record<string, unknown> | null => {
  const url = copied === null ? {} : { url: `/c/${channel}/recordings/${id}.m4a` };
  if (copy !== undefined) return { ...copy, ...url };
  return copied === null ? null : { state: 'ready', progress: 1, ...url };
};

const itemOf = (
  record: RecordingRecord,
  {
    figures,
    there,
    copy,
  }: { figures: RecordingFigures; there: boolean; copy: CopyState | undefined },
): Record<string, unknown> => ({
  id: record.id,
  broadcast: record.id,
  channel: record.channel,
  title: record.title,
  startedAt: new Date(record.started).toISOString(),
  endedAt: record.ended === null ? null : new Date(record.ended).toISOString(),
  duration: seconds(figures.duration),
  bytes: figures.bytes,
  gaps: seconds(figures.gaps),
  complete: figures.complete && there,
  final: figures.final,
  loudness: record.loudness,
  missing: !there,
  opus: `/c/${record.channel}/recordings/${record.id}.opus`,
  m4a: copyOf(record, copy),
  hls: record.copied === null ? null : `/c/${record.channel}/recordings/${record.id}/index.m3u8`,
});

const stateOf = (recording: Recording | undefined): { complete: boolean; missing: Missing[] } => ({
  complete: recording?.figures.complete ?? false,
  missing: recording?.missing.slice(0, MOST_MISSING) ?? [],
});

type Served = {
  readonly length: number;
  readonly etag: string;
  readonly type: string;
  readonly disposition: string;
  readonly cache: string;
  /** The bytes from `from` up to, not including, `to`. */
  readonly read: (from: number, to: number) => Readable;
};

/** Sends a file, or the one range of it that was asked for. */
const sendFile = (request: FastifyRequest, reply: FastifyReply, file: Served): FastifyReply => {
  const { length, etag, type, disposition, cache, read } = file;
  reply
    .header('accept-ranges', 'bytes')
    .header('cache-control', cache)
    .header('etag', etag)
    .header('content-disposition', disposition)
    .type(type);
  if (isKnown(request.headers['if-none-match'], etag)) return reply.status(304).send();
  const { 'if-range': condition, range: asked } = request.headers;
  const isRanged = request.method === 'GET' && (condition === undefined || condition === etag);
  const range = rangeOf(isRanged ? asked : undefined, length);
  if (range === null) return reply.status(416).header('content-range', `bytes */${length}`).send();
  const [first, last] = range === 'whole' ? [0, length - 1] : range;
  if (range !== 'whole')
    reply.status(206).header('content-range', `bytes ${first}-${last}/${length}`);
  reply.header('content-length', String(last - first + 1));
  return request.method === 'HEAD' ? reply.send() : reply.send(read(first, last + 1));
};

const original = (
  record: RecordingRecord,
  { view, etag, path }: Recording,
): Omit<Served, 'cache'> => ({
  length: view.bytes,
  etag,
  type: MEDIA_TYPE.opus,
  disposition: dispositionOf(record, 'opus'),
  read: (from, to) => Readable.from(readOgg(view, { path, from, to }), { objectMode: false }),
});

/** @throws {Problem} 404 while there is none. */
const copied = async (record: RecordingRecord, path: string): Promise<Omit<Served, 'cache'>> => {
  const found = record.copied === null ? undefined : await stat(path).catch(() => undefined);
  if (found === undefined) throw noRecording();
  return {
    length: found.size,
    etag: `"${record.copied}-${found.size}"`,
    type: MEDIA_TYPE.mp4,
    disposition: dispositionOf(record, 'm4a'),
    read: (start, to) => createReadStream(path, { start, end: to - 1 }),
  };
};

/** Registers recordings under `/api/v1` and their files under `/c/{channel}/recordings/`. */
export const registerRecordings = (app: FastifyInstance, options: Options): void => {
  const { library, recordings, authorize, now } = options;

  const recordOf = (request: FastifyRequest<OfRecording>): RecordingRecord => {
    const record = library.find(request.params.id);
    if (record === undefined) throw noRecording();
    return record;
  };

  app.get<OfChannel & Page>(
    '/api/v1/channels/:channel/recordings',
    { schema: { querystring: pageQuery } },
    async (request, reply) => {
      const { channel, settings } = readableDesk(options, request);
      if (settings.visibility !== 'private') reply.header('access-control-allow-origin', '*');
      const limit = Math.min(100, Math.max(1, Number(request.query.limit ?? 50)));
      const { after } = request.query;
      const page = { limit: limit + 1, ...(after === undefined ? {} : { after }) };
      const records = recordings.of(channel.slug, page);
      const shown = records.slice(0, limit);
      const items = shown.map(async (record) => {
        const there = await library.isThere(record.id);
        // A recording that grows is looked at; one that is final was, when it became so.
        const figures = (there && !record.final && (await library.open(record))?.figures) || record;
        const copy = library.copies.stateOf(record.id);
        return itemOf(record, { figures, there: there || !record.final, copy });
      });
      const next = records.length > limit ? { next: shown.at(-1)?.id } : {};
      return { items: await Promise.all(items), ...next };
    },
  );

  app.delete<OfRecording>('/api/v1/recordings/:id', async (request, reply) => {
    authorize(request);
    const { id } = recordOf(request);
    if (library.isOn(id))
      throw new Problem(409, 'on-air', 'This broadcast is still on; end it first.');
    await library.remove(id);
    return reply.status(204).send();
  });

  app.route<OfFile>({
    method: ['GET', 'HEAD'],
    url: '/c/:channel/recordings/:file',
    exposeHeadRoute: false,
    handler: async (request, reply) => {
      const [, id, ending] = FILE.exec(request.params.file) ?? [];
      const record = recordingIn(options, request, id);
      const cache = cacheOf(options, request, 'no-cache');
      if (ending === 'm4a') {
        const copy = await copied(record, library.journals.copyOf(record.id));
        return sendFile(request, reply, { ...copy, cache });
      }
      const recording = await library.open(record);
      if (recording === undefined) throw noRecording();
      return sendFile(request, reply, { ...original(record, recording), cache });
    },
  });

  app.get<OfRecording>('/api/v1/recordings/:id/frames', async (request) => {
    authorize(request);
    return stateOf(await library.open(recordOf(request)));
  });

  // Only here is a body no JSON, and only here is it not taken into memory first.
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, body, done) => done(null, body));
    scope.put<OfRecording & Tail>(
      '/api/v1/recordings/:id/frames',
      { schema: { querystring: tailQuery }, onRequest: async (request) => void authorize(request) },
      (request) => takeFrames(request as FastifyRequest<OfRecording & Tail>),
    );
    done();
  });

  const takeFrames = async (
    request: FastifyRequest<OfRecording & Tail>,
  ): Promise<Record<string, unknown>> => {
    const record = recordOf(request);
    const { id, ended } = record;
    if (ended !== null && now() - ended > LATE_WITHIN)
      throw new Problem(410, 'too-late', 'This recording has been closed for good.');
    if (!library.isOn(id) && !(await library.isThere(id)))
      throw library.journals.aside.has(id) ? unreadable() : noRecording();
    if (!library.room.has) throw noRoom();
    const { epoch, last } = request.query;
    if (epoch !== undefined && last !== undefined && recordings.hasEpoch(id, Number(epoch)))
      recordings.keepUntil(id, Number(epoch), Math.min(Number(last), 0xffff_ffff));
    const receipt = await library.journals
      .use(id, (journal) => {
        if (journal === undefined) throw noRecording();
        const body = (request.body ?? Readable.from([])) as Readable;
        return new Intake(journal, { record, recordings, now }).take(body);
      })
      .catch((error) => {
        if (!(error instanceof DiskFailure)) throw error;
        library.room.failed(error);
        throw noRoom();
      });
    if (!library.isOn(id)) await library.settle(id);
    const { accepted, repeated, refused } = receipt;
    const state = { accepted, repeated, ...stateOf(await library.open(record)) };
    if (refused !== undefined)
      throw new Problem(refused.status, refused.code, refused.sentence, undefined, state);
    return state;
  };
};
