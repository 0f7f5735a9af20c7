/**
 * HLS and DASH over HTTP. The multivariant playlists and the manifest stand at fixed addresses; what
 * they name lies under one secret path a broadcast (on a continuous channel one for ever), the same
 * for all listeners, so that a CDN can keep it.
 */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Addressing } from '../packager/dash-view.ts';
import { DiskBusy } from '../packager/file-turns.ts';
import { multivariantPlaylist } from '../packager/hls.ts';
import { bitratesOf } from '../packager/hls-bitrates.ts';
import type { Output } from '../packager/output.ts';
import type { Programme } from '../packager/programme.ts';
import type { Stored } from '../packager/segment-store.ts';
import type { Format, Grid } from '../packager/track.ts';
import type { Desk } from '../relay/desk.ts';
import type { Now } from '../relay/session.ts';
import type { Station } from '../relay/station.ts';
import { FOR_EVER, MEDIA_TYPE, renderedSender, sendBytes, sendRendered } from './bytes.ts';
import { deskOf } from './channels.ts';
import { LiveManifests, versionOf } from './live-manifest.ts';
import { Problem } from './problem.ts';

type OfChannel = { Params: { channel: string } };
type OfMedia = { Params: { channel: string; secret: string; rendition: string; file: string } };
type Options = { readonly station: Station; readonly grid: Grid; readonly now: Now };

/** Answers to directives name a state of the playlist, and so are as good for everybody. */
const DIRECTED = 'public, max-age=60';
const CURRENT = 'public, max-age=1';

/** Segments that players may count beyond the end, and what those are. */
const PAST_END_MOST = 2;
const NOTHING = Buffer.alloc(0);

const absent = (): Problem =>
  new Problem(404, 'nothing-to-play', 'There is nothing to play here now.', 1);

const tooLate = (): Problem =>
  new Problem(503, 'too-late', 'Nothing new came in three target durations.', 1);

const publicDesk = (station: Station, request: FastifyRequest<OfChannel>): Desk => {
  const desk = deskOf(station, request);
  if (desk.settings.visibility === 'private')
    throw new Problem(401, 'private', 'This channel is private.');
  return desk;
};

/** Enters a request among those that tell how many listen. */
const count = ({ vitals }: Desk, { ip, headers }: FastifyRequest): void =>
  vitals.fetched({ address: ip, agent: headers['user-agent'] ?? '' });

const programmeOf = (desk: Desk, request: FastifyRequest): Programme => {
  const { programme } = desk.packager;
  if (programme === undefined) throw absent();
  count(desk, request);
  return programme;
};

/** FFmpeg, also within mpv: it needs the manifest that lists its segments. */
const COUNTS_WRONGLY = /^(Lavf\/|libmpv|mpv)/;

/** Of a file's name: segment, part or nothing of that kind. */
const FILE = /^(\d{1,12})(?:\.(\d{1,3}))?\.(m4s|ts)$/;

/** Registers everything below `/c/{channel}/` that players fetch. */
export const registerMedia = (app: FastifyInstance, { station, grid, now }: Options): void => {
  const manifests = new LiveManifests({ grid, now });

  app.addHook('onRequest', async (request, reply) => {
    if (!/^\/c\/[^/]+\/(hls|dash|media|recordings)\//.test(request.url)) return;
    reply.header('access-control-allow-origin', '*');
    reply.header('access-control-expose-headers', 'Content-Length, Content-Range, Date, ETag');
    reply.header('timing-allow-origin', '*');
  });

  app.options('/c/*', (_request, reply) =>
    reply
      .status(204)
      .header('access-control-allow-origin', '*')
      .header('access-control-allow-methods', 'GET, HEAD, OPTIONS')
      .header('access-control-allow-headers', 'Range')
      .header('access-control-max-age', '86400')
      .send(),
  );

  const multivariant =
    (codec: 'aac' | 'opus', format: Format) =>
    (request: FastifyRequest<OfChannel>, reply: FastifyReply): FastifyReply => {
      const programme = programmeOf(publicDesk(station, request), request);
      const playlist = format === 'ts' ? 'ts.m3u8' : 'index.m3u8';
      const outputs = programme.playable(codec);
      const [first] = outputs;
      // Without an AAC encoder there is Opus instead, but never in a transport stream.
      if (first === undefined || (format === 'ts' && first.rendition.codec !== 'aac'))
        throw absent();
      const render = (): string => {
        const variants = outputs.map(({ rendition, window }) => ({
          rendition,
          uri: `../media/${programme.secret}/${rendition.name}/${playlist}`,
          bitrates: bitratesOf(rendition, window.segments, { grid, format }),
        }));
        return multivariantPlaylist(variants, { codec: first.rendition.codec, format });
      };
      return sendRendered(request, reply, {
        rendered: programme.texts.get(`${codec} ${playlist}`, versionOf(outputs), render),
        type: MEDIA_TYPE.m3u8,
        cache: CURRENT,
      });
    };
  app.get<OfChannel>('/c/:channel/hls/index.m3u8', multivariant('aac', 'fmp4'));
  app.get<OfChannel>('/c/:channel/hls/opus.m3u8', multivariant('opus', 'fmp4'));
  app.get<OfChannel>('/c/:channel/hls/ts.m3u8', multivariant('aac', 'ts'));

  app.get<OfChannel>('/c/:channel/dash/time', (_request, reply) =>
    reply
      .header('cache-control', 'no-store')
      .type('text/plain')
      .send(new Date(now()).toISOString()),
  );

  const dash =
    (addressing: Addressing) =>
    (request: FastifyRequest<OfChannel>, reply: FastifyReply): FastifyReply => {
      const desk = publicDesk(station, request);
      const { title } = desk.settings;
      const text = manifests.get(programmeOf(desk, request), { addressing, title });
      if (text === undefined) throw absent();
      return sendRendered(request, reply, {
        rendered: text,
        type: MEDIA_TYPE.mpd,
        cache: CURRENT,
      });
    };
  const counted = dash('number');
  app.get<OfChannel>('/c/:channel/dash/manifest.mpd', (request, reply) =>
    COUNTS_WRONGLY.test(request.headers['user-agent'] ?? '')
      ? reply.header('cache-control', 'no-store').redirect('listed.mpd', 307)
      : counted(request, reply),
  );
  app.get<OfChannel>('/c/:channel/dash/listed.mpd', dash('timeline'));

  app.get<OfMedia>('/c/:channel/media/:secret/:rendition/:file', async (request, reply) => {
    const { secret, rendition, file } = request.params;
    const desk = deskOf(station, request);
    const output = desk.packager.find(secret)?.outputs.get(rendition);
    if (output === undefined) throw absent();
    count(desk, request);
    if (file === 'index.m3u8') return playlist(request, reply, { output, format: 'fmp4' });
    if (file === 'ts.m3u8' && rendition !== 'opus')
      return playlist(request, reply, { output, format: 'ts' });
    if (file === 'init.mp4')
      return sendBytes(request, reply, {
        bytes: output.init,
        type: MEDIA_TYPE.mp4,
        cache: FOR_EVER,
      });
    const [, name, part, kind] = FILE.exec(file) ?? [];
    if (name === undefined) throw absent();
    return media(request, reply, { output, name, part, kind: kind === 'ts' ? 'ts' : 'm4s' });
  });
};

const playlist = async (
  request: FastifyRequest<OfMedia>,
  reply: FastifyReply,
  { output, format }: { output: Output; format: Format },
): Promise<FastifyReply> => {
  if (!output.playable) throw absent();
  const query = new URLSearchParams(request.url.split('?')[1] ?? '');
  const reload = output.judge(query);
  if (reload.kind === 'bad') throw new Problem(400, 'directive', reload.sentence);
  const cache = query.has('_HLS_msn') ? DIRECTED : CURRENT;
  const send = renderedSender(request, reply, { type: MEDIA_TYPE.m3u8, cache });
  if (reload.kind === 'now') return send(output.playlist(format, reload.skip));
  const waiter = output.wait(format, reload);
  request.raw.socket.once('close', waiter.cancel);
  const answer = await waiter.answer;
  request.raw.socket.off('close', waiter.cancel);
  if (answer.kind === 'rendered') return send(answer.rendered);
  if (answer.kind === 'gone') throw absent();
  throw tooLate();
};

type Wanted = {
  readonly output: Output;
  readonly name: string;
  readonly part: string | undefined;
  readonly kind: 'm4s' | 'ts';
};

/** Sends a part or segment; the one that comes next is waited for and sent whole. */
const media = async (
  request: FastifyRequest,
  reply: FastifyReply,
  { output, name, part, kind }: Wanted,
): Promise<FastifyReply> => {
  const { store } = output.window;
  const find = async (): Promise<Buffer | undefined> => {
    try {
      if (kind === 'ts') return part === undefined ? await store.ts(name) : undefined;
      return await (part === undefined ? store.media(name) : store.part(name, Number(part)));
    } catch (error) {
      if (error instanceof DiskBusy)
        throw new Problem(503, 'disk-busy', 'The disk cannot keep up now.', 1);
      throw error;
    }
  };
  let bytes = await find();
  if (bytes === undefined && kind === 'm4s' && isComing(output, name)) {
    const grows = part === undefined && request.method === 'GET';
    // Headers say that it can be kept for ever: they are not sent before there is something.
    const first = grows ? () => store.part(name, 0) : find;
    bytes = await waitFor(request, { output, name, find: first });
    if (bytes !== undefined && grows)
      return reply
        .header('cache-control', FOR_EVER)
        .type(MEDIA_TYPE.m4s)
        .send(Readable.from(growing(request, { output, name }), { objectMode: false }));
    if (bytes === undefined && isComing(output, name)) throw tooLate();
  }
  if (bytes === undefined && kind === 'm4s' && part === undefined && isPastEnd(output, name))
    return reply.header('cache-control', CURRENT).type(MEDIA_TYPE.m4s).send(NOTHING);
  if (bytes === undefined) throw absent();
  return sendBytes(request, reply, { bytes, type: MEDIA_TYPE[kind], cache: FOR_EVER });
};

/**
 * Whether a segment is one that a player of the manifest counts by the clock before it learns of the
 * end, which it does within a segment's time. For a 404 it would give up; for nothing it waits.
 */
const isPastEnd = ({ window }: Output, name: string): boolean => {
  const past = Number(name) - (window.segments.at(-1)?.sequence ?? Number.POSITIVE_INFINITY);
  return window.ended && past > 0 && past <= PAST_END_MOST;
};

/** Whether a segment grows or comes next. */
const isComing = ({ window }: Output, name: string): boolean => {
  const newest = window.segments.at(-1);
  if (window.ended || newest === undefined) return false;
  return (newest.name === name && !newest.complete) || Number(name) === newest.sequence + 1;
};

const step = async (request: FastifyRequest, output: Output): Promise<boolean> => {
  const { promise, cancel } = output.grown();
  request.raw.socket.once('close', cancel);
  const grew = await promise;
  request.raw.socket.off('close', cancel);
  return grew;
};

const waitFor = async (
  request: FastifyRequest,
  {
    output,
    name,
    find,
  }: {
    output: Output;
    name: string;
    find: () => Stored;
  },
): Promise<Buffer | undefined> => {
  for (;;) {
    const bytes = await find();
    if (bytes !== undefined || !isComing(output, name)) return bytes;
    if (!(await step(request, output))) return find();
  }
};

/**
 * A segment as it grows, part by part: chunked transfer for low-latency DASH. Where it stops short,
 * the answer breaks off, so that no cache takes it for all of the segment.
 */
async function* growing(
  request: FastifyRequest,
  { output, name }: { output: Output; name: string },
): AsyncGenerator<Buffer> {
  const { store } = output.window;
  let sent = 0;
  for (let index = 0; ; ) {
    const bytes = await store.part(name, index);
    if (bytes !== undefined) {
      yield bytes;
      sent += bytes.length;
      index += 1;
    } else if (!isComing(output, name)) break;
    else if (!(await step(request, output))) throw tooLate();
  }
  // Parts are kept for some seconds; the rest of a segment that was sent slowly is in the whole.
  const whole = await store.media(name);
  if (whole === undefined) throw absent();
  if (whole.length > sent) yield whole.subarray(sent);
}
