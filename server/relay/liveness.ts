/** Finds sockets whose other end has gone without a word: pinged every 5 s, cut off after 15 s. */
import type { WebSocket } from 'ws';
import type { Now } from './session.ts';

const PING_EVERY = 5000;
const SILENT_MOST = 15_000;

/** Watches every WebSocket of a server. */
export class Liveness {
  readonly #heard = new WeakMap<WebSocket, number>();
  readonly #sockets: () => Iterable<WebSocket>;
  readonly #now: Now;
  readonly #timer: NodeJS.Timeout;

  constructor(sockets: () => Iterable<WebSocket>, { now }: { now: Now }) {
    this.#sockets = sockets;
    this.#now = now;
    this.#timer = setInterval(() => this.#round(), PING_EVERY);
  }

  /** Watches a socket from its upgrade on. */
  watch(socket: WebSocket): void {
    const heard = (): void => {
      this.#heard.set(socket, this.#now());
    };
    heard();
    socket.on('pong', heard);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #round(): void {
    const now = this.#now();
    for (const socket of this.#sockets()) {
      if (now - (this.#heard.get(socket) ?? now) > SILENT_MOST) socket.terminate();
      else if (socket.readyState === socket.OPEN) socket.ping();
    }
  }
}
