/** A listener as on the page, without the loudspeaker: it comes back by itself. */
import { Downlink } from '../../client/net/downlink.ts';
import { platform } from '../../client/net/platform.ts';
import { decodeFrame } from '../../shared/frame.ts';
import type { DownlinkMessage } from '../../worklets/port.ts';

/** Listens until closed. */
export class Ear {
  /** When it last got a frame, on the monotonic clock, ms; 0 before the first. */
  heardAt = 0;
  /** Frames got, and those that never came between them. */
  heard = 0;
  missed = 0;
  /** Longest time between two frames since `listen` was called last, ms. */
  pause = 0;
  readonly #close: () => void;
  #newest: { readonly epoch: number; readonly sequence: number } | undefined;

  constructor(server: string) {
    const ports = new MessageChannel();
    ports.port2.onmessage = ({ data }: MessageEvent<DownlinkMessage>) => {
      if (data.type === 'frame') this.#hear(data.bytes);
    };
    const downlink = new Downlink(
      { type: 'listen', server, channel: 'live', port: ports.port1 },
      { post: () => {}, platform },
    );
    downlink.start();
    this.#close = () => {
      downlink.leave();
      ports.port2.close();
    };
  }

  /** Sequence of the newest frame; -1 before any. */
  get newest(): number {
    return this.#newest?.sequence ?? -1;
  }

  /** Forgets what it measured. */
  listen(): void {
    this.missed = 0;
    this.pause = 0;
  }

  close(): void {
    this.#close();
  }

  #hear(bytes: Uint8Array): void {
    const { epoch, sequence } = decodeFrame(bytes);
    const now = performance.now();
    if (this.heardAt > 0) this.pause = Math.max(this.pause, now - this.heardAt);
    if (this.#newest?.epoch === epoch && sequence > this.#newest.sequence)
      this.missed += sequence - this.#newest.sequence - 1;
    this.heardAt = now;
    this.heard += 1;
    this.#newest = { epoch, sequence };
  }
}
