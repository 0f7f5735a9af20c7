/**
 * Sockets that asked for an upgrade and did not become a WebSocket. The HTTP server has let go of
 * them by then, and some refusals (an address too long, or malformed) never reach the plugin that
 * would close them; a stranger could collect open sockets that way.
 */
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { WebSocket } from 'ws';

/** Time for a refusal to be read, ms. */
const REFUSED_WITHIN = 2000;

/** Closes every socket whose upgrade does not succeed soon; at the end of the app at once. */
export const closeRefusedUpgrades = (app: FastifyInstance): void => {
  const pending = new Map<Duplex, NodeJS.Timeout>();
  const settle = (socket: Duplex): void => {
    clearTimeout(pending.get(socket));
    pending.delete(socket);
  };
  app.server.prependListener('upgrade', (_request, socket: Duplex) => {
    const timer = setTimeout(() => socket.destroy(), REFUSED_WITHIN);
    pending.set(socket, timer);
    socket.once('close', () => settle(socket));
  });
  app.websocketServer.on('connection', (_socket: WebSocket, request) => settle(request.socket));
  app.addHook('preClose', async () => {
    for (const socket of pending.keys()) socket.destroy();
  });
};
