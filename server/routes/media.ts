/**
 * HLS and DASH over HTTP. The multivariant playlists and the manifest stand at fixed addresses; what
 * they name lies under one secret path a broadcast (on a continuous channel one for ever), the same
 * for all listeners, so that a CDN can keep it.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Millis, millis, samplesToMillis } from '../../shared/time.ts';
import type { Addressing } from '../packager/dash-view.ts';
import { multivariantPlaylist } from '../packager/hls.ts';
import { bitratesOf, targetDuration } from '../packager/hls-bitrates.ts';
import type { Output } from '../packager/output.ts';
import type { Programme } from '../packager/programme.ts';
import type { Format, Grid, Rendition } from '../packager/track.ts';
import type { Desk } from '../relay/desk.ts';
import type { Now } from '../relay/session.ts';
import type { Station } from '../relay/station.ts';
import { CURRENT, FOR_EVER, MEDIA_TYPE, renderedSender, sendBytes, sendRendered } from './bytes.ts';
import { deskOf } from './channels.ts';
import { LiveManifests, versionOf } from './live-manifest.ts';
import { sendMedia } from './media-file.ts';
import { absent, Problem, tooLate } from './problem.ts';
import { whileThere } from './while-there.ts';

type OfChannel = { Params: { channel: string } };
type OfMedia = { Params: { channel: string; secret: string; rendition: string; file: string } };
type Options = { readonly station: Station; readonly grid: Grid; readonly now: Now };

/** Answers to directives name a state of the playlist, and so are as good for everybody. */
const DIRECTED = 'public, max-age=60';

const publicDesk = (station: Station, request: FastifyRequest<OfChannel>): Desk => {
  const desk = deskOf(station, request);
  if (desk.settings.visibility === 'private')
    throw new Problem(401, 'private', 'This channel is private.');
  return desk;
};

/** Enters a request among those that tell how many listen. */
const count = ({ vitals }: Desk, { ip, headers }: FastifyRequest): void =>
  vitals.fetched({ address: ip, agent: headers['user-agent'] ?? '' });

/** What is on or was on last; what begins just now is waited for, so that players find all of it. */
const programmeOf = async (
  desk: Desk,
  request: FastifyRequest,
  { codec, within }: { codec: Rendition['codec']; within: Millis },
): Promise<Programme> => {
  const { programme } = desk.packager;
  if (programme === undefined) throw absent();
  count(desk, request);
  const comes = desk.channel.onAir || programme.continuous || programme.ended;
  if (!comes) return programme;
  const { begun, cancel } = programme.begun(codec, within);
  await whileThere(request, begun, cancel);
  return programme;
};

/** What a transcoder takes to start on a busy machine, ms. */
const START_WITHIN = 4000;
/** Shaka and dash.js give a manifest up after ten seconds, ms. */
const BEGIN_WITHIN_MOST = 9000;

/** FFmpeg, also within mpv: it counts segments wrongly, and needs the manifest that lists them. */
const COUNTS_WRONGLY = /^(Lavf\/|libmpv|mpv)/;
/** GStreamer: it does not begin before it has loaded more than there is at low latency. */
const LOADS_AHEAD = /^GStreamer\b/;
/** Behind live, ms and segments: 1.22 begins with what 16 s are, or four segments of 3.84 s. */
const DELAY_LEAST = 20_000;
const DELAY_SEGMENTS = 5;

/** Which manifest a program gets instead of the usual one. */
const manifestFor = (agent: string): string | undefined => {
  if (COUNTS_WRONGLY.test(agent)) return 'listed.mpd';
  return LOADS_AHEAD.test(agent) ? 'delayed.mpd' : undefined;
};

/** Registers everything below `/c/{channel}/` that players fetch. */
export const registerMedia = (app: FastifyInstance, { station, grid, now }: Options): void => {
  const manifests = new LiveManifests({ grid, now });
  const within = millis(Math.min(BEGIN_WITHIN_MOST, START_WITHIN + 1000 * targetDuration(grid)));

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
    async (request: FastifyRequest<OfChannel>, reply: FastifyReply): Promise<FastifyReply> => {
      const desk = publicDesk(station, request);
      const programme = await programmeOf(desk, request, { codec, within });
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
    (addressing: Addressing, latency?: Millis) =>
    async (request: FastifyRequest<OfChannel>, reply: FastifyReply): Promise<FastifyReply> => {
      const desk = publicDesk(station, request);
      const { title } = desk.settings;
      const programme = await programmeOf(desk, request, { codec: 'aac', within });
      const text = manifests.get(programme, { addressing, title, latency });
      if (text === undefined) throw absent();
      return sendRendered(request, reply, {
        rendered: text,
        type: MEDIA_TYPE.mpd,
        cache: CURRENT,
      });
    };
  const counted = dash('number');
  app.get<OfChannel>('/c/:channel/dash/manifest.mpd', (request, reply) => {
    const other = manifestFor(request.headers['user-agent'] ?? '');
    if (other === undefined) return counted(request, reply);
    return reply.header('cache-control', 'no-store').redirect(other, 307);
  });
  app.get<OfChannel>('/c/:channel/dash/listed.mpd', dash('timeline'));
  const farBehind = Math.max(DELAY_LEAST, DELAY_SEGMENTS * samplesToMillis(grid.segment));
  app.get<OfChannel>('/c/:channel/dash/delayed.mpd', dash('number', millis(farBehind)));

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
    return sendMedia(request, reply, { output, file });
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
  const answer = await whileThere(request, waiter.answer, waiter.cancel);
  if (answer.kind === 'rendered') return send(answer.rendered);
  if (answer.kind === 'gone') throw absent();
  throw tooLate();
};
