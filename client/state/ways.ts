/** The ways a sound can take, and what they need before a press: a worker, an element, a codec. */
import { ElementLevel } from '../audio/element-level.ts';
import { preloadEngine } from '../audio/media-element-engine.ts';
import { Speaker } from '../audio/speaker.ts';
import type { HeardAt } from '../net/messages.ts';
import { ElementPath } from './element-path.ts';
import type { Heard, ListenPath, PathEvent } from './listen-path.ts';
import type { OfferedRendition, Transport } from './quality.ts';
import { SocketPath } from './socket-path.ts';

/** What is heard while nothing is. */
export const NOTHING: Heard = {
  latency: null,
  position: null,
  stats: { buffered: 0, target: 0, concealed: 0, skipped: 0, received: 0 },
  peak: null,
  rendition: null,
  clockOffset: null,
  at: null,
};

/** A way taken: what was asked for, what it turned out to be, and what it said last. */
export type Way = {
  readonly asked: Transport;
  readonly path: ListenPath;
  transport: Transport;
  renditions: readonly OfferedRendition[];
  heard: Heard;
};

/** Opens ways for one player. */
export class Ways {
  /** One element for the page's life: phones let an element sound that was once pressed for. */
  #element: { readonly audio: HTMLAudioElement; readonly level: ElementLevel } | null = null;
  #spare: Worker | null = null;

  /** Everything slow happens before the press: the codec's bytes come, the worker starts. */
  prepare(transport: Transport): void {
    if (transport !== 'websocket') return preloadEngine();
    Speaker.preload();
    this.#spare ??= startWorker();
  }

  /** Within a press: loading nothing lets a phone's element sound later without another press. */
  unlock(): void {
    const { audio, level } = this.#ownElement();
    audio.load();
    void level.resume();
  }

  /** Takes a way; `post` gets what it says, with the way itself. */
  open(
    asked: Transport,
    options: {
      readonly channel: string;
      readonly volume: number;
      readonly clockOffset: number | null;
      /** Where a pause has stopped, for a way that can go on there. */
      readonly from: HeardAt | undefined;
      readonly post: (way: Way, event: PathEvent) => void;
    },
  ): Way {
    const post = (event: PathEvent): void => options.post(way, event);
    const way: Way = {
      asked,
      path: asked === 'websocket' ? this.#socket(options, post) : this.#hls(asked, options, post),
      transport: asked,
      renditions: [],
      heard: NOTHING,
    };
    return way;
  }

  /** Ends what nobody took. */
  close(): void {
    this.#spare?.terminate();
    this.#spare = null;
    this.#element?.level.close();
    this.#element = null;
  }

  #ownElement(): { readonly audio: HTMLAudioElement; readonly level: ElementLevel } {
    if (this.#element === null) {
      const audio = new Audio();
      this.#element = { audio, level: new ElementLevel(audio) };
    }
    return this.#element;
  }

  #socket(
    {
      channel,
      volume,
      from,
    }: { readonly channel: string; readonly volume: number; readonly from: HeardAt | undefined },
    post: (event: PathEvent) => void,
  ): ListenPath {
    const worker = this.#spare ?? startWorker();
    this.#spare = startWorker();
    return new SocketPath({ channel, volume, from, post, worker });
  }

  #hls(
    asked: Transport,
    options: {
      readonly channel: string;
      readonly volume: number;
      readonly clockOffset: number | null;
    },
    post: (event: PathEvent) => void,
  ): ListenPath {
    const { channel, volume, clockOffset } = options;
    const { audio, level } = this.#ownElement();
    const lowLatency = asked === 'll-hls';
    return new ElementPath(audio, { level, channel, volume, clockOffset, lowLatency, post });
  }
}

const startWorker = (): Worker =>
  new Worker(new URL('../net/network.worker.ts', import.meta.url), { type: 'module' });
