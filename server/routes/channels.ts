/** Channels over HTTP: the list, the status of one, and tickets for its sockets. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { TICKET_LIFETIME, type Tickets } from '../auth/tickets.ts';
import type { Now } from '../relay/session.ts';
import type { Desk, Station } from '../relay/station.ts';
import type { Authorize } from './access.ts';
import { Problem } from './problem.ts';

type Options = {
  readonly station: Station;
  readonly tickets: Tickets;
  readonly authorize: Authorize;
  readonly now: Now;
};

type OfChannel = { Params: { channel: string } };

/** The channel that a request names. @throws {Problem} 404 when there is none. */
export const deskOf = (station: Station, request: FastifyRequest<OfChannel>): Desk => {
  const desk = station.desk(request.params.channel);
  if (desk === undefined) throw new Problem(404, 'no-channel', 'There is no such channel.');
  return desk;
};

const statusOf = ({ channel, fanOut }: Desk): Record<string, unknown> => {
  const metadata = channel.nowPlaying;
  return {
    slug: channel.slug,
    title: channel.title,
    state: channel.state,
    since: channel.since === undefined ? null : new Date(channel.since).toISOString(),
    listeners: { total: fanOut.count, websocket: fanOut.count },
    renditions: channel.renditions,
    nowPlaying:
      metadata === null ? null : { title: metadata.title, artist: metadata.artist ?? null },
  };
};

const ticketBody = {
  type: 'object',
  required: ['role'],
  properties: { role: { enum: ['publisher', 'listener'] } },
} as const;

/** Registers the resource under `/api/v1/channels`. */
export const registerChannels = (app: FastifyInstance, options: Options): void => {
  const { station, tickets, authorize, now } = options;

  app.get('/api/v1/channels', (_request, reply) =>
    reply.header('cache-control', 'no-store').send({ items: [...station.desks()].map(statusOf) }),
  );

  app.get<OfChannel>('/api/v1/channels/:channel/status', (request, reply) =>
    reply.header('cache-control', 'no-store').send(statusOf(deskOf(station, request))),
  );

  app.post<OfChannel & { Body: { role: 'publisher' | 'listener' } }>(
    '/api/v1/channels/:channel/tickets',
    { schema: { body: ticketBody } },
    (request, reply) => {
      const principal = authorize(request);
      const { channel } = deskOf(station, request);
      const { role } = request.body;
      const ticket = tickets.issue(channel.slug, { role, principal, now: now() });
      return reply
        .status(201)
        .header('cache-control', 'no-store')
        .send({ ticket, expiresIn: TICKET_LIFETIME / 1000 });
    },
  );
};
