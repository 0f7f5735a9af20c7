/** Recordings over HTTP: the list, the file, deletion, and frames that come late. */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { samplesToMillis } from '../../shared/time.ts';
import { Intake } from '../recorder/intake.ts';
import { DiskFailure } from '../recorder/journal.ts';
import type { Library, Recording } from '../recorder/library.ts';
import { readOgg } from '../recorder/ogg-stream.ts';
import type { Missing } from '../recorder/timeline.ts';
import type { Now } from '../relay/session.ts';
import type { Desk, Station } from '../relay/station.ts';
import type { RecordingFigures, RecordingRecord, Recordings } from '../store/recordings.ts';
import type { Authorize } from './access.ts';
import { MEDIA_TYPE, rangeOf } from './bytes.ts';
import { deskOf } from './channels.ts';
import { Problem } from './problem.ts';

/** Frames may come for so long after the end of their broadcast, ms. */
const LATE_WITHIN = 7 * 86_400_000;

/** Stretches that are named in one answer; the rest comes with the next. */
const MOST_MISSING = 1000;

type Options = {
  readonly station: Station;
  readonly library: Library;
  readonly recordings: Recordings;
  readonly authorize: Authorize;
  readonly now: Now;
};

type OfChannel = { Params: { channel: string } };
type OfFile = { Params: { channel: string; file: string } };
type OfRecording = { Params: { id: string } };
type Page = { Querystring: { limit?: string; after?: string } };
type Tail = { Querystring: { epoch?: string; last?: string } };

const FILE = /^([0-9a-f-]{36})\.opus$/;

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

const absent = (): Problem => new Problem(404, 'no-recording', 'There is no such recording.');

const noRoom = (): Problem =>
  new Problem(507, 'no-room', 'There is no room on the disk; try again later.', 60);

/** A name for the file that a person finds again, in any script, and safe on any system. */
const dispositionOf = ({ title, started }: RecordingRecord): string => {
  const day = new Date(started).toISOString().slice(0, 16).replace('T', ' ').replace(':', '.');
  const clean = title
    .replace(/[\p{C}\s\\/:*?"<>|]+/gu, ' ')
    .trim()
    .slice(0, 80);
  const name = `${clean === '' ? 'Recording' : clean} ${day}.opus`;
  const ascii = name.replace(/[^ -~]|[%"\\]/g, '_');
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
};

const itemOf = (
  record: RecordingRecord,
  { figures, there }: { figures: RecordingFigures; there: boolean },
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
});

const stateOf = (recording: Recording | undefined): { complete: boolean; missing: Missing[] } => ({
  complete: recording?.figures.complete ?? false,
  missing: recording?.missing.slice(0, MOST_MISSING) ?? [],
});

/** Sends a recording, or the one range of it that was asked for. */
const sendOgg = (
  request: FastifyRequest,
  reply: FastifyReply,
  { record, recording }: { record: RecordingRecord; recording: Recording },
): FastifyReply => {
  const { view, etag, path } = recording;
  reply
    .header('accept-ranges', 'bytes')
    .header('cache-control', 'no-cache')
    .header('etag', etag)
    .header('content-disposition', dispositionOf(record))
    .type(MEDIA_TYPE.opus);
  if (request.headers['if-none-match'] === etag) return reply.status(304).send();
  const { 'if-range': condition, range: asked } = request.headers;
  const range = rangeOf(condition === undefined || condition === etag ? asked : '', view.bytes);
  if (range === null)
    return reply.status(416).header('content-range', `bytes */${view.bytes}`).send();
  const [first, last] = range === 'whole' ? [0, view.bytes - 1] : range;
  if (range !== 'whole')
    reply.status(206).header('content-range', `bytes ${first}-${last}/${view.bytes}`);
  reply.header('content-length', String(last - first + 1));
  if (request.method === 'HEAD') return reply.send();
  const bytes = readOgg(view, { path, from: first, to: last + 1 });
  return reply.send(Readable.from(bytes, { objectMode: false }));
};

/** Registers recordings under `/api/v1` and their files under `/c/{channel}/recordings/`. */
export const registerRecordings = (app: FastifyInstance, options: Options): void => {
  const { station, library, recordings, authorize, now } = options;

  const readable = (request: FastifyRequest<OfChannel>): Desk => {
    const desk = deskOf(station, request);
    if (desk.settings.visibility === 'private') authorize(request);
    return desk;
  };

  const ofChannel = (channel: string, id: string | undefined): RecordingRecord => {
    const record = id === undefined ? undefined : library.find(id);
    if (record === undefined || record.channel !== channel) throw absent();
    return record;
  };

  const recordOf = (request: FastifyRequest<OfRecording>): RecordingRecord => {
    const record = library.find(request.params.id);
    if (record === undefined) throw absent();
    return record;
  };

  app.get<OfChannel & Page>(
    '/api/v1/channels/:channel/recordings',
    { schema: { querystring: pageQuery } },
    async (request, reply) => {
      const { channel, settings } = readable(request);
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
        return itemOf(record, { figures, there: there || !record.final });
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
      const { channel } = readable(request);
      const record = ofChannel(channel.slug, FILE.exec(request.params.file)?.[1]);
      const recording = await library.open(record);
      if (recording === undefined) throw absent();
      return sendOgg(request, reply, { record, recording });
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
    if (!library.isOn(id) && !(await library.isThere(id))) throw absent();
    if (!library.room.has) throw noRoom();
    const { epoch, last } = request.query;
    if (epoch !== undefined && last !== undefined && recordings.hasEpoch(id, Number(epoch)))
      recordings.keepUntil(id, Number(epoch), Math.min(Number(last), 0xffff_ffff));
    const receipt = await library.journals
      .use(id, (journal) => {
        if (journal === undefined) throw absent();
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
