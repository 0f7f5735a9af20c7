/** A real service on a free port with a data folder of its own, and plain clients that talk to it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { type AppOptions, createApp, type Service } from '../../server/app.ts';
import type { Config } from '../../server/config.ts';
import {
  parseToListenerMessage,
  parseToPublisherMessage,
  SUBPROTOCOL,
} from '../../shared/control.ts';
import { encodeFrame } from '../../shared/frame.ts';
import { samples } from '../../shared/time.ts';

/** A service under test. */
export type TestService = Service & {
  /** `http://127.0.0.1:PORT` */
  readonly base: string;
  readonly data: string;
  readonly stop: () => Promise<void>;
};

/** Where a service answers and its admin token: all that a plain client needs of it. */
export type Door = Pick<TestService, 'base' | 'token'>;

/** The configuration of a test: nothing outside loopback, nothing logged. */
export const testConfig = (data: string, overrides: Partial<Config> = {}): Config => ({
  host: '127.0.0.1',
  port: 0,
  data,
  publicUrl: undefined,
  adminToken: undefined,
  trustProxy: false,
  tls: undefined,
  allowedOrigins: [],
  logLevel: 'silent',
  ladder: [
    { name: 'aac128', codec: 'aac', channels: 2, bitrate: 128_000 },
    { name: 'aac64', codec: 'aac', channels: 2, bitrate: 64_000 },
  ],
  grid: { part: samples(15_360), segment: samples(184_320) },
  window: 60,
  record: true,
  recordMinFree: 1_000_000,
  ...overrides,
});

/** Starts a service; `data` keeps the folder of an earlier one. */
export const startService = async (
  overrides: Partial<Config> = {},
  { data, ...options }: { data?: string } & AppOptions = {},
): Promise<TestService> => {
  const folder = data ?? (await mkdtemp(join(tmpdir(), 'skywave-')));
  const service = await createApp(testConfig(folder, overrides), options);
  await service.app.listen({ host: '127.0.0.1', port: overrides.port ?? 0 });
  const bound = service.app.server.address();
  const port = typeof bound === 'object' ? bound?.port : 0;
  const stop = async (): Promise<void> => {
    await service.shutDown();
    if (data === undefined) await rm(folder, { recursive: true, force: true });
  };
  return { ...service, base: `http://127.0.0.1:${port}`, data: folder, stop };
};

/** Buys a ticket with the admin token. */
export const buyTicket = async (service: Door, role = 'publisher'): Promise<string> => {
  const answer = await fetch(`${service.base}/api/v1/channels/live/tickets`, {
    method: 'POST',
    headers: { authorization: `Bearer ${service.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ role }),
  });
  const { ticket } = (await answer.json()) as { ticket: string };
  return ticket;
};

/** Changes settings of the channel `live`. */
export const changeChannel = async (service: Door, settings: object): Promise<void> => {
  const answer = await fetch(`${service.base}/api/v1/channels/live`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${service.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(settings),
  });
  if (!answer.ok) throw new Error(`PATCH: ${answer.status}`);
};

type Parsed = { type: string; [field: string]: unknown };

/** A plain WebSocket client that keeps all it was told. */
export class TestClient {
  readonly socket: WebSocket;
  readonly texts: Parsed[] = [];
  readonly frames: Buffer[] = [];
  closed: { code: number; reason: string } | undefined;
  #wake: () => void = () => {};

  constructor(
    url: string,
    {
      protocols = [SUBPROTOCOL],
      parse = JSON.parse,
      ...options
    }: {
      protocols?: string[];
      parse?: (text: string) => unknown;
      headers?: Record<string, string>;
      origin?: string;
    } = {},
  ) {
    this.socket = new WebSocket(url.replace(/^http/, 'ws'), protocols, options);
    this.socket.on('message', (message: Buffer, binary: boolean) => {
      if (binary) this.frames.push(message);
      else this.texts.push(parse(message.toString()) as Parsed);
      this.#wake();
    });
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#wake();
    });
    this.socket.on('error', () => {});
  }

  send(message: object | Uint8Array): void {
    this.socket.send(message instanceof Uint8Array ? message : JSON.stringify(message));
  }

  /** Waits until a claim about what was received holds, 10 s at most. */
  async until<T>(claim: () => T | undefined | false | null, within = 10_000): Promise<T> {
    const deadline = Date.now() + within;
    for (;;) {
      const value = claim();
      if (value !== undefined && value !== false && value !== null) return value as T;
      if (Date.now() > deadline)
        throw new Error(`Never true: ${claim}; closed ${JSON.stringify(this.closed)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 50);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Waits until it is connected; fails when it will not be. */
  async opened(): Promise<void> {
    await this.until(() => this.closed ?? this.socket.readyState === WebSocket.OPEN);
    if (this.closed !== undefined) throw new Error(`Closed: ${JSON.stringify(this.closed)}`);
  }

  /** The first message of a type; fails once none can come any more. */
  async text(type: string): Promise<Parsed> {
    const said = (): Parsed | undefined => this.texts.find((message) => message.type === type);
    await this.until(() => said() ?? this.closed);
    const message = said();
    if (message === undefined)
      throw new Error(`Closed without ${type}: ${JSON.stringify(this.closed)}`);
    return message;
  }

  ended(): Promise<{ code: number; reason: string }> {
    return this.until(() => this.closed);
  }

  close(): void {
    this.socket.terminate();
  }
}

/** What a plain publisher says first, unless a test wants something else. */
export const HELLO = {
  type: 'hello',
  role: 'publisher',
  rendition: { codec: 'opus', channels: 1, bitrate: 64_000, frame: 960, fec: false, dtx: false },
} as const;

/** Connects a publisher with a ticket; it has said nothing yet. */
export const connectPublisher = async (service: Door): Promise<TestClient> => {
  const ticket = await buyTicket(service);
  const client = new TestClient(`${service.base}/api/v1/channels/live/publish?ticket=${ticket}`, {
    parse: parseToPublisherMessage,
  });
  await client.opened();
  return client;
};

/** Connects a publisher that is welcome: returns it with its epoch. */
export const startPublisher = async (
  service: Door,
  hello: object = HELLO,
): Promise<{ client: TestClient; epoch: number; next: number }> => {
  const client = await connectPublisher(service);
  client.send(hello);
  const welcome = await client.text('welcome');
  return { client, epoch: Number(welcome.epoch), next: Number(welcome.next) };
};

/** Connects a listener that has said hello; with `reports` it reports progress each 200 ms. */
export const startListener = async (
  service: Pick<TestService, 'base'>,
  { hello = {}, reports = true }: { hello?: object; reports?: boolean } = {},
): Promise<TestClient> => {
  const client = new TestClient(`${service.base}/api/v1/channels/live/listen`, {
    parse: parseToListenerMessage,
  });
  await client.opened();
  client.send({ type: 'hello', role: 'listener', ...hello });
  await client.text('welcome');
  if (reports) {
    const timer = setInterval(() => {
      const newest = client.frames.at(-1);
      if (newest !== undefined && client.socket.readyState === WebSocket.OPEN)
        client.send(reportOf(newest.readUInt32BE(4)));
    }, 200);
    client.socket.once('close', () => clearInterval(timer));
  }
  return client;
};

/** A report of the newest sequence received. */
export const reportOf = (sequence: number): object => ({
  type: 'report',
  sequence,
  buffered: 40,
  target: 40,
  concealed: 0,
  skipped: 0,
  latency: 0.1,
});

/** Opus table-of-contents bytes for CELT, full band, mono, one frame, by duration in samples. */
const TOC: Record<number, number> = { 120: 0xe0, 240: 0xe8, 480: 0xf0, 960: 0xf8 };

/** A frame that the relay accepts, with a packet that names its sequence. */
export const testFrame = (
  sequence: number,
  {
    epoch = 0,
    duration = 960,
    timestamp = sequence * duration,
    flags = 0,
    bytes = 100,
  }: { epoch?: number; duration?: number; timestamp?: number; flags?: number; bytes?: number } = {},
): Uint8Array => {
  const packet = new Uint8Array(bytes);
  packet[0] = TOC[duration] ?? 0xf8;
  new DataView(packet.buffer).setUint32(1, sequence);
  return encodeFrame(
    {
      flags,
      rendition: 0,
      duration: samples(duration),
      sequence,
      epoch,
      timestamp: samples(timestamp),
    },
    packet,
  );
};
