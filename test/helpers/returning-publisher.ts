/** The studio's own uplink in Node, fed with real Opus at real time: it comes back by itself. */
import type { NetworkCommand, UplinkEvent } from '../../client/net/messages.ts';
import { type Platform, platform } from '../../client/net/platform.ts';
import { Uplink } from '../../client/net/uplink.ts';
import { millis, samples, utc } from '../../shared/time.ts';
import type { CapturedPacket, EncoderCommand } from '../../worklets/port.ts';
import { HELLO } from './service.ts';

const FRAME = 960;
const ENDS_WITHIN = 70_000;

type Replay = Extract<NetworkCommand, { type: 'publish' }>['replay'];

/** Packets handed over in one run of the media clock: from which on, and how many. */
export type CapturedRun = { readonly first: number; readonly count: number };

/** Publishes packets, over and over, until told to end. */
export class ReturningPublisher {
  readonly events: UplinkEvent[] = [];
  readonly #uplink: Uplink;
  readonly #port: MessagePort;
  readonly #packets: readonly Buffer[];
  readonly #runs: { first: number; count: number }[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** `openFolder` is where the spool goes; without one nothing is spooled. */
  constructor(
    { server, token }: { server: string; token: string },
    {
      packets,
      replay = { kept: millis(120_000), spoolAfter: millis(10_000) },
      openFolder = platform.openFolder,
    }: {
      packets: readonly Buffer[];
      replay?: Replay;
      openFolder?: Platform['openFolder'];
    },
  ) {
    const ports = new MessageChannel();
    this.#packets = packets;
    this.#port = ports.port2;
    this.#port.onmessage = ({ data }: MessageEvent<EncoderCommand>) => {
      if (data.type === 'start') this.#begin(data.run);
    };
    const { type: _, role: __, ...hello } = HELLO;
    const publish = { token, ...hello, takeover: false, replay, port: ports.port1 };
    this.#uplink = new Uplink(
      { type: 'publish', server, channel: 'live', ...publish },
      { post: (event) => this.events.push(event), platform: { ...platform, openFolder } },
    );
    this.#uplink.start();
  }

  /** Epochs in which it was on the air, one for each time that the server answered. */
  get epochs(): number[] {
    return this.events.flatMap((event) => (event.type === 'on-air' ? [event.epoch] : []));
  }

  /** Packets captured so far, in runs; the packets go on through all of them. */
  get runs(): readonly CapturedRun[] {
    return this.#runs;
  }

  /** Packets captured so far. */
  get captured(): number {
    return this.#runs.reduce((sum, { count }) => sum + count, 0);
  }

  /** Newest sequence that the server has acknowledged, as told each second; -1 before any. */
  get acked(): number {
    return this.events.findLast((event) => event.type === 'uplink')?.acked ?? -1;
  }

  /** Ends the broadcast. */
  end(): void {
    clearInterval(this.#timer);
    this.#uplink.leave();
    this.#port.close();
  }

  /** Ends the broadcast, and waits until all that was captured is sent, or put away. */
  async finish(): Promise<void> {
    clearInterval(this.#timer);
    this.#uplink.leave();
    for (const since = performance.now(); this.events.at(-1)?.type !== 'ended'; ) {
      if (performance.now() - since > ENDS_WITHIN) throw new Error('The uplink never ended.');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    this.#port.close();
  }

  #begin(run: number): void {
    const began = performance.now();
    const captured = { first: this.captured, count: 0 };
    clearInterval(this.#timer);
    this.#runs.push(captured);
    this.#timer = setInterval(() => {
      const due = Math.floor((performance.now() - began) / 20);
      for (; captured.count < due; captured.count += 1) this.#capture(run, captured);
    }, 5);
  }

  #capture(run: number, { first, count }: CapturedRun): void {
    const message: CapturedPacket = {
      type: 'packet',
      run,
      flags: 0,
      duration: samples(FRAME),
      timestamp: samples(count * FRAME),
      captured: utc(Date.now()),
      packet: new Uint8Array(this.#packets[(first + count) % this.#packets.length] as Buffer),
    };
    this.#port.postMessage(message, [message.packet.buffer]);
  }
}
