/** A publisher's session against the small server, and the capture worklet's end of its port. */
import { expect, vi } from 'vitest';
import type { ReplayLimits, UplinkEvent } from '../../client/net/messages.ts';
import type { Platform } from '../../client/net/platform.ts';
import { Uplink } from '../../client/net/uplink.ts';
import type { Frame } from '../../shared/frame.ts';
import { millis, samples, samplesToMillis, utc } from '../../shared/time.ts';
import type { CapturedPacket, EncoderCommand } from '../../worklets/port.ts';
import { type ServerSession, SmallServer } from './small-server.ts';

/** Samples in a frame. */
export const FRAME = 960;
/** Frames in the two minutes that are kept. */
export const KEPT = 6000;
/** What is published. */
export const RENDITION = {
  codec: 'opus',
  channels: 2,
  bitrate: 128_000,
  frame: FRAME,
  fec: false,
  dtx: false,
} as const;

/** What the capture worklet does: numbered packets of 20 ms, of the run it was told. */
export class Capture {
  readonly told: EncoderCommand[] = [];
  /** Packets still made of the old run when it is told to begin another. */
  lag = 0;
  readonly #port: MessagePort;
  #run = 0;
  #count = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<EncoderCommand>) => {
      this.told.push(data);
      if (data.type !== 'start') return;
      this.record(this.lag);
      this.begin(data.run);
    };
  }

  get run(): number {
    return this.#run;
  }

  begin(run: number): void {
    this.#run = run;
    this.#count = 0;
  }

  /** Captures so many packets, the last one at `at`; each names its run and number in its own bytes. */
  record(count: number, { bytes = 60, at = Date.now() } = {}): void {
    for (let made = 0; made < count; made += 1) {
      const packet = new Uint8Array(bytes);
      new DataView(packet.buffer).setUint32(1, this.#run);
      new DataView(packet.buffer).setUint32(5, this.#count);
      packet[0] = 0xfc;
      const message: CapturedPacket = {
        type: 'packet',
        run: this.#run,
        flags: 0,
        duration: samples(FRAME),
        timestamp: samples(this.#count * FRAME),
        captured: utc(at - (count - 1 - made) * samplesToMillis(samples(FRAME))),
        packet,
      };
      this.#count += 1;
      this.#port.postMessage(message, [packet.buffer]);
    }
  }

  commands(type: EncoderCommand['type']): EncoderCommand[] {
    return this.told.filter((command) => command.type === type);
  }
}

/** Waits until a claim holds. */
export const until = (claim: () => void | Promise<void>) =>
  vi.waitFor(claim, { timeout: 8000, interval: 5 });

/** The whole numbers from one to another, which is excluded. */
export const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => from + index);

export const hello = (session: ServerSession) => session.heardOf('hello')[0];

export const sequences = (frames: readonly Frame[]) => frames.map((frame) => frame.sequence);

/** Which run and which number in it a packet was captured as. */
export const origin = ({ packet }: Frame) => {
  const view = new DataView(packet.buffer, packet.byteOffset);
  return [view.getUint32(1), view.getUint32(5)];
};

/** One server and one publisher for one test. */
export class Publishing {
  readonly server: SmallServer;
  readonly capture: Capture;
  readonly events: UplinkEvent[] = [];
  readonly #ports = new MessageChannel();
  #uplink: Uplink | null = null;

  readonly #ownsServer: boolean;

  private constructor(server: SmallServer, ownsServer: boolean) {
    this.server = server;
    this.#ownsServer = ownsServer;
    this.capture = new Capture(this.#ports.port2);
  }

  /** On a server of its own, or on that of another. */
  static async open({ server }: { server?: SmallServer } = {}): Promise<Publishing> {
    return new Publishing(server ?? (await SmallServer.open()), server === undefined);
  }

  get last(): UplinkEvent | undefined {
    return this.events.at(-1);
  }

  /** The server's newest session. */
  get session(): ServerSession {
    return this.server.newest;
  }

  of<T extends UplinkEvent['type']>(type: T): Extract<UplinkEvent, { type: T }>[] {
    return this.events.filter((event) => event.type === type) as Extract<
      UplinkEvent,
      { type: T }
    >[];
  }

  /** Goes live; capture has been told to start when this resolves. */
  async start(
    platform: Platform,
    { takeover = false, replay = {} }: { takeover?: boolean; replay?: Partial<ReplayLimits> } = {},
  ): Promise<void> {
    this.#uplink = new Uplink(
      {
        type: 'publish',
        server: this.server.url,
        channel: 'live',
        token: 'a token',
        rendition: RENDITION,
        takeover,
        replay: { kept: millis(120_000), spoolAfter: millis(10_000), ...replay },
        port: this.#ports.port1,
      },
      { post: (event) => this.events.push(event), platform },
    );
    this.#uplink.start();
    await until(() => expect(this.capture.told[0]?.type).toBe('start'));
  }

  /** Waits for the server's session of that number to have said hello. */
  async hello(number: number): Promise<void> {
    await until(() => {
      expect(this.server.sessions).toHaveLength(number);
      expect(this.session.heardOf('hello')).toHaveLength(1);
    });
  }

  leave(): void {
    this.#uplink?.leave();
  }

  async close(): Promise<void> {
    this.leave();
    if (this.#uplink !== null)
      await until(() => expect(['ended', 'refused']).toContain(this.last?.type));
    this.#ports.port2.close();
    if (this.#ownsServer) await this.server.close();
  }
}
