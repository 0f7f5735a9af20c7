/** Channels over HTTP: the list, one channel, its status, its titles, and tickets for its sockets. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Metadata } from '../../shared/control.ts';
import { samples } from '../../shared/time.ts';
import { TICKET_LIFETIME, type Tickets } from '../auth/tickets.ts';
import type { Desk } from '../relay/desk.ts';
import type { Now } from '../relay/session.ts';
import type { Station } from '../relay/station.ts';
import {
  type ChannelSettings,
  DEFAULT_SETTINGS,
  settingsProperties,
  slugSchema,
} from '../store/channel-settings.ts';
import type { Authorize } from './access.ts';
import { Problem } from './problem.ts';

type Options = {
  readonly station: Station;
  readonly tickets: Tickets;
  readonly authorize: Authorize;
  readonly now: Now;
};

type OfChannel = { Params: { channel: string } };
type Settings = Partial<ChannelSettings>;
type Title = {
  title: string;
  artist?: string;
  artwork?: string;
  url?: string;
  at?: number;
};

/** The channel that a request names. @throws {Problem} 404 when there is none. */
export const deskOf = (station: Station, request: FastifyRequest<OfChannel>): Desk => {
  const desk = station.desk(request.params.channel);
  if (desk === undefined) throw new Problem(404, 'no-channel', 'There is no such channel.');
  return desk;
};

const channelOf = ({ channel, settings }: Desk): Record<string, unknown> => ({
  slug: channel.slug,
  ...settings,
  state: channel.state,
});

const titleOf = ({ title, artist, artwork, url }: Metadata): Record<string, string | null> => ({
  title,
  artist: artist ?? null,
  artwork: artwork ?? null,
  url: url ?? null,
});

const statusOf = ({ channel, vitals, log, settings }: Desk): Record<string, unknown> => {
  const metadata = channel.nowPlaying;
  return {
    slug: channel.slug,
    title: settings.title,
    state: channel.state,
    since: channel.since === undefined ? null : new Date(channel.since).toISOString(),
    broadcast: log.broadcast,
    listeners: vitals.listeners,
    renditions: channel.renditions,
    bitrate: vitals.bitrate,
    loudness: vitals.loudness,
    latency: vitals.latency,
    aac: vitals.aac,
    damaged: vitals.damaged,
    nowPlaying: metadata === null ? null : titleOf(metadata),
  };
};

const closed = { type: 'object', additionalProperties: false } as const;
const ticketBody = {
  ...closed,
  required: ['role'],
  properties: { role: { enum: ['publisher', 'listener'] } },
} as const;
const newChannelBody = {
  ...closed,
  required: ['slug'],
  properties: { slug: slugSchema, ...settingsProperties },
} as const;
const changesBody = { ...closed, minProperties: 1, properties: settingsProperties } as const;
const titleBody = {
  ...closed,
  required: ['title'],
  properties: {
    title: { type: 'string', maxLength: 500 },
    artist: { type: 'string', maxLength: 500 },
    artwork: { type: 'string', maxLength: 1000 },
    url: { type: 'string', maxLength: 1000 },
    at: { type: 'integer', minimum: 0, maximum: 0xffff_ffff_ffff },
  },
} as const;

const isListed = ({ settings }: Desk): boolean => settings.visibility === 'public';

/** Registers the resource under `/api/v1/channels`. */
export const registerChannels = (app: FastifyInstance, options: Options): void => {
  const { station, tickets, authorize, now } = options;

  // A promise for each of a thousand answers at once would be felt.
  app.addHook('onSend', (request, reply, payload, done) => {
    if (request.url.startsWith('/api/')) reply.header('cache-control', 'no-store');
    done(null, payload);
  });

  app.get('/api/v1/channels', (request, reply) => {
    const everything = request.headers.authorization !== undefined && authorize(request) !== '';
    const desks = [...station.desks()].filter((desk) => everything || isListed(desk));
    return reply.send({ items: desks.map(channelOf) });
  });

  app.post<{ Body: { slug: string } & Settings }>(
    '/api/v1/channels',
    { schema: { body: newChannelBody }, preValidation: async (request) => void authorize(request) },
    (request, reply) => {
      const { slug, ...settings } = request.body;
      const desk = station.create(slug, { title: slug, ...DEFAULT_SETTINGS, ...settings });
      if (desk === undefined)
        throw new Problem(409, 'slug-taken', 'There is a channel of this name already.');
      return reply.status(201).header('location', `/api/v1/channels/${slug}`).send(channelOf(desk));
    },
  );

  /** Like `deskOf`, but to strangers a private channel is none. */
  const visibleDesk = (request: FastifyRequest<OfChannel>): Desk => {
    const desk = deskOf(station, request);
    if (desk.settings.visibility !== 'private') return desk;
    if (request.headers.authorization === undefined)
      throw new Problem(404, 'no-channel', 'There is no such channel.');
    authorize(request);
    return desk;
  };

  app.get<OfChannel>('/api/v1/channels/:channel', (request) => channelOf(visibleDesk(request)));

  app.patch<OfChannel & { Body: Settings }>(
    '/api/v1/channels/:channel',
    { schema: { body: changesBody }, preValidation: async (request) => void authorize(request) },
    (request) => {
      const desk = deskOf(station, request);
      station.update(desk, request.body);
      return channelOf(desk);
    },
  );

  app.delete<OfChannel>('/api/v1/channels/:channel', (request, reply) => {
    authorize(request);
    station.remove(deskOf(station, request));
    return reply.status(204).send();
  });

  app.get<OfChannel>('/api/v1/channels/:channel/status', (request) =>
    statusOf(visibleDesk(request)),
  );

  app.post<OfChannel & { Body: Title }>(
    '/api/v1/channels/:channel/metadata',
    { schema: { body: titleBody }, preValidation: async (request) => void authorize(request) },
    (request) => {
      const { channel } = deskOf(station, request);
      const { epoch } = channel;
      if (epoch === undefined || !channel.onAir)
        throw new Problem(409, 'off-air', 'The channel is off the air; a title needs sound.');
      const { at, ...words } = request.body;
      const timestamp = at === undefined ? (epoch.end ?? samples(0)) : samples(at);
      const metadata = { type: 'metadata', ...words, at: { epoch: epoch.id, timestamp } } as const;
      channel.metadata(metadata);
      return { ...words, at: timestamp };
    },
  );

  app.post<OfChannel & { Body: { role: 'publisher' | 'listener' } }>(
    '/api/v1/channels/:channel/tickets',
    { schema: { body: ticketBody } },
    (request, reply) => {
      const principal = authorize(request);
      const { channel } = deskOf(station, request);
      const { role } = request.body;
      const ticket = tickets.issue(channel.slug, { role, principal, now: now() });
      return reply.status(201).send({ ticket, expiresIn: TICKET_LIFETIME / 1000 });
    },
  );
};
