/**
 * The two WebSocket endpoints. Everything that can refuse an upgrade does so here, before it, with
 * an HTTP status; what comes after is the session's.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { CLOSE } from '../../shared/codes.ts';
import { SUBPROTOCOL } from '../../shared/control.ts';
import { isOriginAllowed } from '../auth/origin.ts';
import type { Principal, Role, Tickets } from '../auth/tickets.ts';
import type { Liveness } from '../relay/liveness.ts';
import type { Now } from '../relay/session.ts';
import type { Station } from '../relay/station.ts';
import { deskOf } from './channels.ts';
import { Problem } from './problem.ts';

type Options = {
  readonly station: Station;
  readonly tickets: Tickets;
  readonly liveness: Liveness;
  readonly now: Now;
  readonly allowedOrigins: readonly string[];
};

type OfSocket = { Params: { channel: string }; Querystring: { ticket?: string } };
type SocketRequest = FastifyRequest<OfSocket>;

const offersProtocol = (request: SocketRequest): boolean =>
  (request.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .some((offered) => offered.trim() === SUBPROTOCOL);

/** Registers `/api/v1/channels/{channel}/publish` and `…/listen`. */
export const registerSockets = (app: FastifyInstance, options: Options): void => {
  const { station, tickets, liveness, now, allowedOrigins } = options;
  const principals = new WeakMap<FastifyRequest['raw'], Principal>();

  const admit = (request: SocketRequest, role: Role): void => {
    const { channel, settings } = deskOf(station, request);
    if (request.headers.upgrade?.toLowerCase() !== 'websocket' || !offersProtocol(request))
      throw new Problem(426, 'protocol', `Connect with WebSocket and offer ${SUBPROTOCOL}.`);
    const { origin } = request.headers;
    if (!isOriginAllowed(origin, { host: request.host, allowed: allowedOrigins }))
      throw new Problem(403, 'origin', 'This site may not connect here.');
    const { ticket } = request.query;
    if (ticket !== undefined || role === 'publisher' || settings.visibility === 'private') {
      const principal = tickets.redeem(String(ticket), { channel: channel.slug, role, now: now() });
      if (principal === undefined)
        throw new Problem(
          401,
          'ticket',
          'The ticket is missing, used, expired or for another door.',
        );
      principals.set(request.raw, principal);
    }
    if (role === 'listener' && !station.hasRoomFor(request.ip))
      throw new Problem(429, 'too-many-listeners', 'This address has too many listeners.', 30);
  };

  const opened = (socket: WebSocket): boolean => {
    liveness.watch(socket);
    if (!station.draining) return true;
    socket.close(CLOSE.full, 'The server is about to restart.');
    return false;
  };

  app.get<OfSocket>(
    '/api/v1/channels/:channel/publish',
    { websocket: true, preValidation: async (request) => admit(request, 'publisher') },
    (socket, request) => {
      if (!opened(socket)) return;
      const principal = principals.get(request.raw) ?? '';
      station.publish(deskOf(station, request), socket, { principal });
    },
  );

  app.get<OfSocket>(
    '/api/v1/channels/:channel/listen',
    { websocket: true, preValidation: async (request) => admit(request, 'listener') },
    (socket, request) => {
      if (!opened(socket)) return;
      const { socket: raw } = request.raw;
      station.listen(deskOf(station, request), socket, { raw, address: request.ip });
    },
  );
};
