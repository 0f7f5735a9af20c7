/** The ways a sound can take, and what they need before a press: a worker, an element, a codec. */
import { ElementLevel } from '../audio/element-level.ts';
import { preloadEngine } from '../audio/media-element-engine.ts';
import { Speaker } from '../audio/speaker.ts';
import { ElementPath } from './element-path.ts';
import type { Heard, ListenPath, PathEvent } from './listen-path.ts';
import type { Kept } from './past.ts';
import type { PlayerEvent } from './player.ts';
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
  /** What it said last of its connection and the channel, and that the browser keeps it back. */
  said: readonly PlayerEvent[];
  /** What it said of the past last. */
  place: Extract<PathEvent, { type: 'place' }> | null;
  reach: Extract<PathEvent, { type: 'reach' }> | null;
};

/** Whether it is a socket that has not said a word: nothing is better about that. */
export const isMute = ({ asked, said }: Way): boolean => asked === 'websocket' && said.length === 0;

/** Whose ways they are: what each begins with, and who hears what it says. */
export type WayListener = {
  readonly channel: () => string;
  readonly volume: () => number;
  /** The server's clock less this browser's, ms; null while nobody knows. */
  readonly clockOffset: () => number | null;
  readonly post: (way: Way, event: PathEvent) => void;
};

/** Opens ways for one player. */
export class Ways {
  /** One element for the page's life: phones let an element sound that was once pressed for. */
  #element: { readonly audio: HTMLAudioElement; readonly level: ElementLevel } | null = null;
  #spare: Worker | null = null;
  readonly #listener: WayListener;

  constructor(listener: WayListener) {
    this.#listener = listener;
  }

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

  /** Takes a way, from where a pause has stopped. */
  open(asked: Transport, from?: Kept): Way {
    const post = (event: PathEvent): void => {
      note(way, event);
      this.#listener.post(way, event);
    };
    const way: Way = {
      asked,
      path: asked === 'websocket' ? this.#socket(from, post) : this.#hls(asked, from, post),
      transport: asked,
      renditions: [],
      heard: NOTHING,
      said: [],
      place: null,
      reach: null,
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

  #socket(from: Kept | undefined, post: (event: PathEvent) => void): ListenPath {
    const worker = this.#spare ?? startWorker();
    this.#spare = startWorker();
    const [channel, volume] = [this.#listener.channel(), this.#listener.volume()];
    return new SocketPath({ channel, volume, from: from?.at ?? undefined, post, worker });
  }

  #hls(asked: Transport, from: Kept | undefined, post: (event: PathEvent) => void): ListenPath {
    const { audio, level } = this.#ownElement();
    return new ElementPath(audio, {
      level,
      channel: this.#listener.channel(),
      volume: this.#listener.volume(),
      clockOffset: this.#listener.clockOffset(),
      lowLatency: asked === 'll-hls',
      from: from?.utc ?? null,
      post,
    });
  }
}

const note = (way: Way, event: PathEvent): void => {
  switch (event.type) {
    case 'offer':
      way.transport = event.transport;
      way.renditions = event.renditions;
      break;
    case 'heard':
      way.heard = event.heard;
      break;
    case 'place':
      way.place = event;
      break;
    case 'reach':
      way.reach = event;
      break;
    case 'player':
      way.said = saidWith(way.said, event.event);
  }
};

const saidWith = (said: readonly PlayerEvent[], event: PlayerEvent): readonly PlayerEvent[] => {
  const isBlocked = ({ type }: PlayerEvent): boolean => type === 'blocked';
  const others = said.filter((one) => !isBlocked(one));
  switch (event.type) {
    case 'welcome':
    case 'refused':
    case 'state':
      return [event, ...said.filter(isBlocked)];
    case 'blocked':
      return [...others, event];
    case 'unblocked':
      return others;
    default:
      return said;
  }
};

const startWorker = (): Worker =>
  new Worker(new URL('../net/network.worker.ts', import.meta.url), { type: 'module' });
