/**
 * A small real server for claims about the client: HTTP and WebSocket on a free port, which can
 * also do what the relay never does, such as talk nonsense or stop reading.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import {
  type ListenerMessage,
  type PublisherMessage,
  parseListenerMessage,
  parsePublisherMessage,
  SUBPROTOCOL,
} from '../../shared/control.ts';
import { decodeFrame, type Frame } from '../../shared/frame.ts';

type FromClient = PublisherMessage | ListenerMessage;
type Kind = FromClient['type'];
/** A message as a server under test would write it; nonsense included. */
type Said = { readonly type: string; readonly [field: string]: unknown };

/** The server's end of one WebSocket. */
export class ServerSession {
  readonly url: string;
  readonly heard: FromClient[] = [];
  readonly frames: Frame[] = [];
  /** Code the client closed with, or null while it has not. */
  closedWith: number | null = null;
  /** Closes with this code at a `bye`, before the close that the client sent right after it. */
  closesAtBye: number | null = null;
  readonly #socket: WebSocket;
  readonly #raw: Socket;

  constructor(
    socket: WebSocket,
    request: IncomingMessage,
    clock: () => number,
    mute: () => boolean,
  ) {
    this.url = request.url ?? '';
    this.#socket = socket;
    this.#raw = request.socket;
    const parse = this.url.includes('/publish') ? parsePublisherMessage : parseListenerMessage;
    socket.on('message', (message: RawData, isBinary: boolean) => {
      if (isBinary) {
        this.frames.push(decodeFrame(new Uint8Array(message as Buffer)));
        return;
      }
      const parsed = parse(message.toString());
      this.heard.push(parsed);
      if (parsed.type === 'bye' && this.closesAtBye !== null) this.close(this.closesAtBye);
      if (parsed.type === 'ping' && !mute())
        this.say({ ...parsed, type: 'pong', received: clock(), replied: clock() });
    });
    socket.on('close', (code: number) => {
      this.closedWith = code;
    });
    socket.on('error', () => {});
  }

  say(message: Said): void {
    this.#socket.send(JSON.stringify(message));
  }

  write(message: string | Uint8Array): void {
    this.#socket.send(message);
  }

  /** What a publisher is answered with. */
  welcome(epoch: number, next: number, recording?: string | null): void {
    const limits = { frame: 1516, control: 4096, lead: 5000 };
    this.say({ type: 'welcome', session: 'small', epoch, next, limits, ping: 5000, recording });
  }

  heardOf<K extends Kind>(type: K): Extract<FromClient, { type: K }>[] {
    return this.heard.filter((message) => message.type === type) as Extract<
      FromClient,
      { type: K }
    >[];
  }

  close(code: number, reason = ''): void {
    this.#socket.close(code, reason);
  }

  /** The network goes away: no goodbye. */
  cut(): void {
    this.#raw.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}

/** A `PUT …/recordings/{id}/frames`, as it came. */
export type Upload = {
  readonly recording: string;
  readonly authorization: string;
  /** The newest sequence that the client has of the epoch. */
  readonly last: number;
  readonly frames: readonly Frame[];
};

/** Reads (u16 length, frame) repeated; a torn end is an error, as it is for the real one. */
const framesIn = (body: Buffer): Frame[] => {
  const frames: Frame[] = [];
  for (let at = 0; at < body.length; ) {
    const end = at + 2 + body.readUInt16BE(at);
    if (end > body.length) throw new Error('The last frame is torn.');
    frames.push(decodeFrame(new Uint8Array(body.subarray(at + 2, end))));
    at = end;
  }
  return frames;
};

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
};

/** One server for one test. */
export class SmallServer {
  readonly sessions: ServerSession[] = [];
  /** Authorization headers of the tickets asked for. */
  readonly tickets: string[] = [];
  /** Uploads that were taken, and how many were asked for. */
  readonly uploads: Upload[] = [];
  uploadsAsked = 0;
  /** What an upload is answered with; anything but 200 takes nothing. */
  uploadStatus = 200;
  /** An upload waits so long for its answer, ms. */
  uploadDelay = 0;
  /** A larger upload is answered with 413, bytes. */
  uploadMost = 1 << 20;
  /** Folder of the built pages, to be served like the real ones. */
  pages: string | null = null;
  statusAsked = 0;
  ticketAnswer: { status: number; headers?: Record<string, string>; body?: string } = {
    status: 201,
  };
  status = 200;
  protocol: string | false = SUBPROTOCOL;
  /** Refuses upgrades with this status when not 0. */
  refuseUpgrade = 0;
  /** Leaves pings unanswered. */
  mute = false;
  clock: () => number = Date.now;
  /** Called for every session, in the turn of its upgrade. */
  greet: (session: ServerSession) => void = () => {};
  readonly #http = createServer((request, response) => this.#answer(request, response));
  readonly #sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: () => this.protocol,
  });

  static async open(): Promise<SmallServer> {
    const server = new SmallServer();
    server.#http.on('upgrade', (request, socket, head) => {
      if (server.refuseUpgrade !== 0) {
        socket.end(`HTTP/1.1 ${server.refuseUpgrade} No\r\nconnection: close\r\n\r\n`);
        return;
      }
      server.#sockets.handleUpgrade(request, socket, head, (socket) => {
        const session = new ServerSession(
          socket,
          request,
          () => server.clock(),
          () => server.mute,
        );
        server.sessions.push(session);
        server.greet(session);
      });
    });
    server.#http.listen(0, '127.0.0.1');
    await once(server.#http, 'listening');
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get newest(): ServerSession {
    const session = this.sessions.at(-1);
    if (session === undefined) throw new Error('No session yet.');
    return session;
  }

  async close(): Promise<void> {
    for (const client of this.#sockets.clients) client.terminate();
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.method === 'POST') {
      this.tickets.push(request.headers.authorization ?? '');
      const { status, headers = {}, body } = this.ticketAnswer;
      const ticket = `{"ticket":"t${this.tickets.length}","expiresIn":30}`;
      request.resume();
      response.writeHead(status, headers).end(body ?? ticket);
      return;
    }
    if (request.method === 'PUT') return void this.#upload(request, response);
    if (this.pages !== null && !request.url?.startsWith('/api/'))
      return void this.#page(request, response, this.pages);
    this.statusAsked += 1;
    response.writeHead(this.status).end('{}');
  }

  async #upload(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.uploadsAsked += 1;
    const parts: Buffer[] = [];
    try {
      for await (const part of request) parts.push(part as Buffer);
    } catch {
      return;
    }
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    const [, recording = ''] = /\/recordings\/([^/]+)\/frames$/.exec(pathname) ?? [];
    const last = Number(searchParams.get('last'));
    const authorization = request.headers.authorization ?? '';
    const body = Buffer.concat(parts);
    await new Promise((resolve) => setTimeout(resolve, this.uploadDelay));
    if (response.destroyed) return;
    const status = body.length > this.uploadMost ? 413 : this.uploadStatus;
    const frames = framesIn(body);
    if (status === 200)
      this.uploads.push({ recording: decodeURIComponent(recording), authorization, last, frames });
    const answer = { accepted: frames.length, repeated: 0, complete: false, missing: 0 };
    response.writeHead(status).end(JSON.stringify(answer));
  }

  async #page(request: IncomingMessage, response: ServerResponse, pages: string): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', this.url);
    const path = pathname.startsWith('/studio/') ? '/studio.html' : pathname;
    try {
      const bytes = await readFile(join(pages, normalize(path)));
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'text/plain' }).end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  }
}
