/**
 * A proxy as companies have them: HTTP passes, WebSockets pass, are refused, or are thrown out with
 * a close code. It ends every WebSocket itself, so it can say anything on it.
 */
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { SUBPROTOCOL } from '../../shared/control.ts';

/** A running gate; `base` is `http://127.0.0.1:PORT`. */
export class SocketGate {
  readonly port: number;
  /** Upgrades asked for so far. */
  asked = 0;
  /** Whether upgrades are let through; they are answered 403 otherwise. */
  open = true;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: () => SUBPROTOCOL,
  });

  /** Only `startSocketGate` calls this; the server listens. */
  constructor(server: Server, target: string) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('request', (asked, answer) => {
      const { method, headers } = asked;
      const onwards = request(`${target}${asked.url}`, { method, headers }, (got) => {
        answer.writeHead(got.statusCode ?? 502, got.headers);
        got.pipe(answer);
      });
      onwards.on('error', () => answer.destroy());
      answer.on('close', () => onwards.destroy());
      asked.pipe(onwards);
    });
    server.on('upgrade', (asked, socket, head) => {
      this.asked += 1;
      // Nobody else listens to it by now, and the page may be gone.
      socket.on('error', () => socket.destroy());
      if (!this.open) {
        socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
        return;
      }
      this.#sockets.handleUpgrade(asked, socket, head, (near) => {
        const { host = '', origin } = asked.headers;
        const far = new WebSocket(target.replace(/^http/, 'ws') + asked.url, SUBPROTOCOL, {
          headers: { host, ...(origin === undefined ? {} : { origin }) },
        });
        pass(near, far);
        pass(far, near);
      });
    });
  }

  get base(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Closes every WebSocket with this code, as if the server had. */
  throwOut(code: number): void {
    for (const socket of this.#sockets.clients) socket.close(code);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}

/** Hands messages and the end on; what comes before the other side is open waits for it. */
const pass = (from: WebSocket, to: WebSocket): void => {
  const early: [Buffer, boolean][] = [];
  from.on('message', (message: Buffer, binary: boolean) => {
    if (to.readyState === WebSocket.OPEN) to.send(message, { binary });
    else early.push([message, binary]);
  });
  to.on('open', () => {
    for (const [message, binary] of early) to.send(message, { binary });
  });
  from.on('close', () => to.terminate());
  from.on('error', () => to.terminate());
};

/** Starts a gate on a free port in front of `target`, an address without a slash at the end. */
export const startSocketGate = async (target: string): Promise<SocketGate> => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new SocketGate(server, target);
};
