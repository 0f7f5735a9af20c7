/**
 * `GET /api/v1/events`: what happens on this server, as server-sent events, for admins. A browser's
 * EventSource can send no header, so a ticket does instead; it is good once, so a page that was cut
 * off buys another and says itself where it was (`?after=`).
 */
import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Utc } from '../../shared/time.ts';
import { TICKET_LIFETIME, type Tickets } from '../auth/tickets.ts';
import { alarmNews } from '../relay/alarms.ts';
import type { News, StationEvent } from '../relay/event-ring.ts';
import type { Now } from '../relay/session.ts';
import type { Station } from '../relay/station.ts';
import type { Authorize } from './access.ts';
import { Problem } from './problem.ts';

/** Streams at a time. */
const STREAMS_MOST = 64;
/** Bytes that may wait for one that does not read, beyond what the system takes. */
const UNREAD_MOST = 262_144;
/** Without events a comment goes out so often, ms, so that nobody on the way takes it for dead. */
const HEARTBEAT = 15_000;
/** How often it is looked whether one is due, ms. */
const LOOK = 1000;
/** No slug is this. */
const EVERYTHING = '*';

type Options = {
  readonly station: Station;
  readonly tickets: Tickets;
  readonly authorize: Authorize;
  readonly now: Now;
};
type OfEvents = { Querystring: { ticket?: unknown; after?: unknown } };

const textOf = ({ kind, text, id }: Omit<StationEvent, 'id'> & { id?: string }): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${kind}\ndata: ${text}\n\n`;

/** Everything that is the case, for those who did not hear how it came about. */
const presentOf = (station: Station): News[] => [
  ...[...station.desks()].flatMap(({ news }) => news.present),
  ...station.alarms.standing().map(alarmNews),
];

/** What a new stream begins with: what it missed, or else how things stand. */
const beginningOf = (station: Station, last: string): string => {
  const missed = station.events.after(last);
  if (missed !== undefined) return missed.map(textOf).join('');
  const present = presentOf(station).map(({ kind, body }) =>
    textOf({ kind, text: JSON.stringify(body) }),
  );
  // Only now has it heard everything up to the newest event.
  return `${present.join('')}id: ${station.events.newest}\nevent: present\ndata: {}\n\n`;
};

/** One who watches; who does not read is cut off. */
class Stream {
  readonly #raw: ServerResponse;
  #written: Utc;

  constructor(raw: ServerResponse, now: Utc) {
    this.#raw = raw;
    this.#written = now;
  }

  write(text: string, now: Utc): void {
    this.#written = now;
    if (this.#raw.writableLength > UNREAD_MOST) this.#raw.destroy();
    else if (text !== '') this.#raw.write(text);
  }

  beat(now: Utc): void {
    if (now - this.#written >= HEARTBEAT) this.write(':\n\n', now);
  }

  end(): void {
    this.#raw.end();
  }
}

/** Registers the stream of events and the tickets for it. */
export const registerEvents = (app: FastifyInstance, options: Options): void => {
  const { station, tickets, authorize, now } = options;
  const streams = new Set<Stream>();

  /** @throws {Problem} 401, 403, 429 unless an admin asks. */
  const admit = (request: FastifyRequest): void => {
    if (authorize(request) !== 'admin')
      throw new Problem(403, 'admin-only', 'Only the admin token opens this.');
  };

  app.post('/api/v1/events/tickets', (request, reply) => {
    admit(request);
    const ticket = tickets.issue(EVERYTHING, { role: 'watcher', principal: 'admin', now: now() });
    return reply.status(201).send({ ticket, expiresIn: TICKET_LIFETIME / 1000 });
  });

  app.get<OfEvents>('/api/v1/events', { exposeHeadRoute: false }, (request, reply) => {
    const { ticket, after } = request.query;
    if (ticket === undefined) admit(request);
    else if (!tickets.redeem(String(ticket), { channel: EVERYTHING, role: 'watcher', now: now() }))
      throw new Problem(401, 'ticket', 'The ticket is used, expired or for another door.');
    if (streams.size >= STREAMS_MOST)
      throw new Problem(503, 'too-many-watchers', `${STREAMS_MOST} watch already.`, 30);
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      date: reply.dated,
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      // nginx would keep events back until it has a buffer full.
      'x-accel-buffering': 'no',
    });
    const stream = new Stream(raw, now());
    const leave = station.events.subscribe((event) => stream.write(textOf(event), now()));
    streams.add(stream);
    raw.once('close', () => {
      leave();
      streams.delete(stream);
    });
    const last = request.headers['last-event-id'] ?? after;
    stream.write(beginningOf(station, String(last ?? '')), now());
  });

  const beats = setInterval(() => {
    for (const stream of streams) stream.beat(now());
  }, LOOK);
  app.addHook('preClose', async () => {
    clearInterval(beats);
    for (const stream of streams) stream.end();
  });
};
