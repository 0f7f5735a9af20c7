/**
 * Finds sockets whose other end has gone without a word: pinged every 5 s, and cut off when three
 * pings in a row stayed without an answer. Counted, not timed: a server that stood still for half a
 * minute has asked nobody meanwhile, and nobody owes it an answer.
 */
import type { WebSocket } from 'ws';

const PING_EVERY = 5000;
const UNANSWERED_MOST = 3;

/** Watches every WebSocket of a server. */
export class Liveness {
  /** Pings since the last answer. */
  readonly #unanswered = new WeakMap<WebSocket, number>();
  readonly #sockets: () => Iterable<WebSocket>;
  readonly #timer: NodeJS.Timeout;

  constructor(sockets: () => Iterable<WebSocket>) {
    this.#sockets = sockets;
    this.#timer = setInterval(() => this.round(), PING_EVERY);
  }

  /** Watches a socket from its upgrade on. */
  watch(socket: WebSocket): void {
    const heard = (): void => {
      this.#unanswered.set(socket, 0);
    };
    heard();
    socket.on('pong', heard);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Asks everybody once more; who did not answer the last three times is cut off. */
  round(): void {
    for (const socket of this.#sockets()) {
      const unanswered = this.#unanswered.get(socket) ?? 0;
      if (unanswered >= UNANSWERED_MOST) socket.terminate();
      else if (socket.readyState === socket.OPEN) {
        this.#unanswered.set(socket, unanswered + 1);
        socket.ping();
      }
    }
  }
}
