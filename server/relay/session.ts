/** What both kinds of session share: a socket, its control messages, and how it is closed. */
import type { FastifyBaseLogger } from 'fastify';
import type { RawData, WebSocket } from 'ws';
import { CLOSE, type CloseCode, ProtocolViolation } from '../../shared/codes.ts';
import type { ListenerMessage, ToListenerMessage } from '../../shared/control.ts';
import type { Utc } from '../../shared/time.ts';

/** Control messages a client may send at once, and each second after that. */
const CONTROL_BURST = 60;
const CONTROL_RATE = 20;

/** How long a new socket may say nothing, ms. */
const HELLO_WITHIN = 5000;

/** Bytes that may wait for a peer that does not read. */
const UNREAD_MOST = 262_144;

/** Gives the server's UTC, monotonic: steps of the wall clock do not show. */
export type Now = () => Utc;

/** What a session reacts to; both may throw `ProtocolViolation`. */
export type Conversation = {
  readonly binary: (message: Buffer) => void;
  readonly text: (message: string) => void;
  readonly closed: () => void;
};

/** A socket that speaks skywave.v1; a violation closes it with its code and one line in the log. */
export class Session {
  readonly id: string;
  readonly #socket: WebSocket;
  readonly #log: FastifyBaseLogger;
  readonly #now: Now;
  readonly #patience: NodeJS.Timeout;
  #allowance = CONTROL_BURST;
  #refilled: Utc;

  constructor(
    socket: WebSocket,
    { id, log, now }: { id: string; log: FastifyBaseLogger; now: Now },
  ) {
    this.id = id;
    this.#socket = socket;
    this.#log = log.child({ session: id });
    this.#now = now;
    this.#refilled = now();
    this.#patience = setTimeout(() => {
      this.refuse(new ProtocolViolation(CLOSE.badMessage, `No hello within ${HELLO_WITHIN} ms.`));
    }, HELLO_WITHIN);
  }

  /** The peer has said hello: it need not hurry any more. */
  greeted(): void {
    clearTimeout(this.#patience);
  }

  /** Listens from now on; must be called in the same turn as the upgrade. */
  converse(conversation: Conversation): void {
    this.#socket.on('message', (message: RawData, isBinary: boolean) => {
      if (!this.open) return;
      try {
        if (isBinary) conversation.binary(message as Buffer);
        else {
          this.#spend();
          conversation.text(message.toString());
        }
      } catch (error) {
        this.#fail(error);
      }
    });
    this.#socket.on('error', (error: Error & { code?: string }) => {
      this.#log.warn({ code: error.code }, 'The socket broke the WebSocket protocol.');
    });
    this.#socket.on('close', (code: number) => {
      clearTimeout(this.#patience);
      this.#log.info({ code }, 'The session is over.');
      conversation.closed();
    });
    this.#log.info('A session begins.');
  }

  get open(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  /** Sends a control message; nothing happens once the socket closes. */
  send(message: { readonly type: string }): void {
    if (!this.open) return;
    // Who asks and never reads would have this process keep the answers.
    if (this.#socket.bufferedAmount > UNREAD_MOST) this.#socket.terminate();
    else this.#socket.send(JSON.stringify(message));
  }

  /** Answers a ping with the server's time. */
  pong(ping: Extract<ListenerMessage, { type: 'ping' }>): void {
    const received = this.#now();
    const pong = { ...ping, type: 'pong', received, replied: this.#now() } as const;
    this.send(pong satisfies ToListenerMessage);
  }

  /** Closes with a code and a sentence; a peer that does not answer is cut off after 2 s. */
  close(code: CloseCode | 1000, sentence: string): void {
    if (!this.open) return;
    this.#socket.close(code, sentence);
    setTimeout(() => this.#socket.terminate(), 2000).unref();
  }

  /** Closes for what the peer did, with one line in the log and none of what it sent. */
  refuse(violation: ProtocolViolation): void {
    if (!this.open) return;
    this.#log.warn({ code: violation.code }, violation.message);
    this.close(violation.code, violation.message);
  }

  #fail(error: unknown): void {
    if (error instanceof ProtocolViolation) return this.refuse(error);
    // Our own fault: said in the log, and the peer may come back.
    this.#log.error(error, 'A message could not be handled.');
    this.close(CLOSE.restarting, 'The server failed at this message.');
  }

  #spend(): void {
    const now = this.#now();
    this.#allowance = Math.min(
      CONTROL_BURST,
      this.#allowance + ((now - this.#refilled) / 1000) * CONTROL_RATE,
    );
    this.#refilled = now;
    this.#allowance -= 1;
    if (this.#allowance < 0)
      throw new ProtocolViolation(
        CLOSE.tooMany,
        `More than ${CONTROL_RATE} control messages a second.`,
      );
  }
}
