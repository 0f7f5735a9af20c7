/**
 * A session's way to the server, the same for publisher and listener: ticket, socket, pings,
 * liveness, and coming back after every loss that is worth it (shared/PROTOCOL.md, Handshake and
 * Behaviour). What is said on the socket is the role's own business.
 */
import { Backoff } from '../../shared/backoff.ts';
import type { ServerClock } from '../../shared/clock.ts';
import { isWorthRetrying, ProtocolViolation } from '../../shared/codes.ts';
import {
  type ListenerMessage,
  type PublisherMessage,
  SUBPROTOCOL,
  type ToListenerMessage,
  type ToPublisherMessage,
} from '../../shared/control.ts';
import { type Millis, millis, type Utc } from '../../shared/time.ts';
import { Heartbeat } from './heartbeat.ts';
import type { ConnectionEvent, Destination, Refusal } from './messages.ts';
import { type Platform, PlatformScope } from './platform.ts';
import { REFUSALS } from './refusals.ts';
import { buyTicket, channelExists, channelUrl } from './ticket.ts';

/** A ticket and a socket together have this long, ms. */
const OPEN_WITHIN = 10_000;
/** A polite close waits this long for the server's answer, ms. */
const CLOSE_WITHIN = 1000;
/** A session that was welcomed and lived so long begins its next backoff anew, ms. */
const SETTLED_AFTER = 2000;
/** Spread of the return after `goaway`, ms. */
const GOAWAY_SPREAD = 1000;
const NETWORK_GONE = 1006;
const NORMAL = 1000;

type FromServer = ToPublisherMessage | ToListenerMessage;

/** What a role does on its connection. */
export interface Session<M extends FromServer> {
  /** The socket is open: say hello. */
  opened(): void;
  /** A control message other than `pong` and `goaway`. @throws {ProtocolViolation} ends it all. */
  control(message: M): void;
  /** A binary message. @throws {ProtocolViolation} ends it all. */
  frame(bytes: Uint8Array<ArrayBuffer>): void;
  /** So many pings of this socket have been answered. */
  answered(pongs: number): void;
  /** An open socket has gone; `clean` when the server had read everything sent before. */
  closed(clean: boolean): void;
}

type State =
  | { readonly is: 'trying' }
  | { readonly is: 'open'; readonly socket: WebSocket }
  | { readonly is: 'closing'; readonly then: 'try' | 'end' }
  | { readonly is: 'waiting'; readonly forServer: boolean }
  | { readonly is: 'ended' };

/** One session's sockets, one after another. */
export class Connection<M extends FromServer> {
  readonly #destination: Destination;
  readonly #role: 'publisher' | 'listener';
  readonly #token: string | undefined;
  readonly #parse: (message: string) => M;
  readonly #session: Session<M>;
  readonly #post: (event: ConnectionEvent) => void;
  readonly #platform: Platform;
  readonly #backoff: Backoff;
  readonly #heartbeat: Heartbeat;
  /** Owns timers, requests and the socket of the present try; each try has its own. */
  #attempt: PlatformScope;
  #state: State = { is: 'ended' };
  /** When `goaway` said to come back. */
  #returnAt: Utc | null = null;
  #whenEnded: (() => void) | null = null;

  constructor(options: {
    readonly destination: Destination;
    readonly role: 'publisher' | 'listener';
    /** Buys a ticket before every try; without one the channel is tried without a ticket. */
    readonly token?: string;
    readonly parse: (message: string) => M;
    readonly session: Session<M>;
    readonly post: (event: ConnectionEvent) => void;
    readonly platform: Platform;
  }) {
    this.#destination = options.destination;
    this.#role = options.role;
    this.#token = options.token;
    this.#parse = options.parse;
    this.#session = options.session;
    this.#post = options.post;
    this.#platform = options.platform;
    this.#backoff = new Backoff({ soon: 2000, tries: 10, random: options.platform.random });
    this.#attempt = new PlatformScope(options.platform);
    this.#heartbeat = new Heartbeat(options.platform);
  }

  /** The server's clock; survives the sockets it was learnt on. */
  get clock(): ServerClock {
    return this.#heartbeat.clock;
  }

  /** Round trip of the newest ping, ms; null before the first pong. */
  get roundTrip(): Millis | null {
    return this.#heartbeat.roundTrip;
  }

  /** Bytes that wait in the socket; 0 without one. */
  get buffered(): number {
    return this.#state.is === 'open' ? this.#state.socket.bufferedAmount : 0;
  }

  /** Begins the first try. */
  start(): void {
    this.#try();
  }

  /** Sends a control message; without an open socket it is dropped. */
  send(message: PublisherMessage | ListenerMessage): void {
    if (this.#state.is === 'open') this.#state.socket.send(JSON.stringify(message));
  }

  /** Sends a frame; false, and nothing sent, without an open socket. */
  sendFrame(bytes: Uint8Array<ArrayBuffer>): boolean {
    if (this.#state.is !== 'open') return false;
    this.#state.socket.send(bytes);
    return true;
  }

  /** Closes the socket, waits (at most a second) until the server has read all of it, tries anew. */
  restart(): void {
    this.#close('try');
  }

  /** Closes for good in the same way. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenEnded = resolve;
      this.#close('end');
    });
  }

  /** The network is said to be back: a try that backs off comes at once. */
  hurry(): void {
    if (this.#state.is === 'waiting' && !this.#state.forServer) this.#try();
  }

  #try(): void {
    const attempt = this.#renew({ is: 'trying' });
    this.#returnAt = null;
    this.#post({ type: 'connecting' });
    attempt.after(OPEN_WITHIN, () => {
      if (this.#state.is === 'trying') this.#lost(NETWORK_GONE);
    });
    if (this.#token === undefined) this.#open(attempt, '');
    else void this.#buy(attempt, this.#token);
  }

  async #buy(attempt: PlatformScope, token: string): Promise<void> {
    const { fetch, wall } = this.#platform;
    const signal = this.#signalOf(attempt);
    const answer = await buyTicket(this.#destination, { token, fetch, signal, now: wall() });
    if (attempt.disposed) return;
    if (answer.type === 'ticket') this.#open(attempt, `?ticket=${answer.ticket}`);
    else if (answer.type === 'refused') this.#refuse(answer.why, answer.sentence);
    else this.#lost(answer.code, answer.after);
  }

  #open(attempt: PlatformScope, query: string): void {
    const resource = this.#role === 'publisher' ? 'publish' : 'listen';
    const url = channelUrl(this.#destination, resource).replace(/^http/, 'ws') + query;
    const socket = new this.#platform.WebSocket(url, SUBPROTOCOL);
    socket.binaryType = 'arraybuffer';
    attempt.add(() => socket.close());
    // Newest first: the listeners go before the socket is closed, which may tell them at once.
    const signal = this.#signalOf(attempt);
    socket.addEventListener('open', () => this.#opened(attempt, socket), { signal });
    socket.addEventListener('message', ({ data }) => this.#received(socket, data), { signal });
    socket.addEventListener('close', ({ code, reason }) => this.#closed(code, reason), { signal });
  }

  #opened(attempt: PlatformScope, socket: WebSocket): void {
    if (socket.protocol !== SUBPROTOCOL) {
      this.#refuse('protocol', `The server does not speak ${SUBPROTOCOL}.`);
      return;
    }
    this.#state = { is: 'open', socket };
    this.#session.opened();
    this.#heartbeat.begin(attempt, {
      send: (ping) => this.send(ping),
      dead: () => {
        if (this.#state.is === 'open') this.#lost(NETWORK_GONE);
      },
    });
  }

  #received(socket: WebSocket, data: unknown): void {
    this.#heartbeat.heard();
    try {
      if (typeof data === 'string') this.#heard(this.#parse(data));
      else this.#session.frame(new Uint8Array(data as ArrayBuffer));
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      socket.close(error.code, error.message);
      this.#refuse('protocol', error.message);
    }
  }

  #heard(message: M): void {
    const any: FromServer = message;
    if (any.type === 'pong') this.#session.answered(this.#heartbeat.answered(any));
    else if (any.type === 'goaway') this.#goAway(any.after);
    else {
      // A server that welcomes and then throws out must not be asked again and again at once.
      if (any.type === 'welcome') this.#attempt.after(SETTLED_AFTER, () => this.#backoff.reset());
      this.#session.control(message);
    }
  }

  /** Comes back at the time named, whether the server closes before or never does. */
  #goAway(after: number): void {
    const wait = after + this.#platform.random() * GOAWAY_SPREAD;
    this.#returnAt = (this.#platform.now() + wait) as Utc;
    this.#attempt.after(wait, () => this.restart());
  }

  #close(then: 'try' | 'end'): void {
    if (this.#state.is === 'open') {
      this.#state.socket.close(NORMAL);
      this.#state = { is: 'closing', then };
      this.#attempt.after(CLOSE_WITHIN, () => this.#closed(NETWORK_GONE));
    } else if (this.#state.is === 'closing') {
      if (then === 'end') this.#state = { is: 'closing', then };
    } else if (then === 'end') this.#end();
  }

  #closed(code: number, reason = ''): void {
    const was = this.#state;
    if (was.is === 'closing') {
      if (was.then === 'end') this.#end();
      else this.#renew({ is: 'trying' });
      // Ours was answered; a server that said one of its own (1012, 4409) has read nothing since.
      this.#session.closed(code === NORMAL);
      if (was.then === 'try') this.#try();
      return;
    }
    const refusal = isWorthRetrying(code) ? undefined : REFUSALS.get(code);
    if (refusal !== undefined) this.#refuse(refusal.why, reason || refusal.sentence);
    else this.#lost(code);
    if (was.is === 'trying') void this.#askWhy(this.#attempt);
  }

  /** A browser does not show the status of a refused upgrade, so the server is asked for it. */
  async #askWhy(attempt: PlatformScope): Promise<void> {
    if (attempt.disposed) return;
    const options = { fetch: this.#platform.fetch, signal: this.#signalOf(attempt) };
    const exists = await channelExists(this.#destination, options);
    if (exists === false && !attempt.disposed)
      this.#refuse('channel', `There is no channel named ${this.#destination.channel}.`);
  }

  #lost(code: number, retryAfter: Millis | null = null): void {
    const wasOpen = this.#state.is === 'open';
    const untilReturn = this.#returnAt === null ? null : this.#returnAt - this.#platform.now();
    const named = retryAfter ?? (untilReturn === null ? null : millis(Math.max(0, untilReturn)));
    const retryIn = named ?? this.#backoff.next();
    this.#returnAt = null;
    const attempt = this.#renew({ is: 'waiting', forServer: named !== null });
    attempt.after(retryIn, () => this.#try());
    if (wasOpen) this.#session.closed(false);
    this.#post({ type: 'lost', code, retryIn });
  }

  #refuse(why: Refusal, sentence: string): void {
    const wasOpen = this.#state.is === 'open';
    this.#end();
    if (wasOpen) this.#session.closed(false);
    this.#post({ type: 'refused', why, sentence });
  }

  #end(): void {
    this.#state = { is: 'ended' };
    this.#attempt.dispose();
    this.#whenEnded?.();
  }

  /** Ends the present try with all it holds; the next state has a scope of its own. */
  #renew(state: State): PlatformScope {
    this.#attempt.dispose();
    this.#attempt = new PlatformScope(this.#platform);
    this.#state = state;
    return this.#attempt;
  }

  #signalOf(attempt: PlatformScope): AbortSignal {
    const controller = new AbortController();
    attempt.add(() => controller.abort());
    return controller.signal;
  }
}
