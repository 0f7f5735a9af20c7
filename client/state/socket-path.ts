/** The way over the WebSocket: network worker, playback worklet, speaker, and when to give it up. */
import type { Catalog } from '../../shared/catalog.ts';
import { CLOSE } from '../../shared/codes.ts';
import { readSource } from '../audio/media-element-source.ts';
import { Speaker } from '../audio/speaker.ts';
import type { DownlinkEvent, NetworkCommand } from '../net/messages.ts';
import { Scope } from '../scope.ts';
import { hlsUrl } from './element-path.ts';
import type { ListenPath, PathEvent } from './listen-path.ts';
import { rememberedTarget, rememberTarget } from './preferences.ts';
import type { Obstacle } from './quality.ts';

type PlayoutEvent = Extract<DownlinkEvent, { type: 'playout' }>;

/** How long a goodbye may take before the worker is ended, ms. */
const GOODBYE = 500;
/** How long the browser may take to let sound out before the page asks for a press, ms. */
const UNBLOCKED_WITHIN = 400;
/** Without a welcome for so long HTTP is asked; where that works, the socket has as long again, ms. */
const WELCOME_WITHIN = 4000;
const REMEMBER_EVERY = 5000;

/** Listens to a channel on a socket, from now on; made within a press, or the sound stays blocked. */
export class SocketPath implements ListenPath {
  readonly #channel: string;
  readonly #post: (event: PathEvent) => void;
  readonly #scope = new Scope();
  readonly #worker: Worker;
  #waiting = new Scope();
  #speaker: Speaker | null = null;
  #volume: number;
  #remembered = 0;

  constructor(options: {
    readonly channel: string;
    readonly volume: number;
    /** Started before the press, so that the press does not wait for it. */
    readonly worker: Worker;
    readonly post: (event: PathEvent) => void;
  }) {
    this.#channel = options.channel;
    this.#volume = options.volume;
    this.#worker = options.worker;
    this.#post = (event) => {
      if (!this.#scope.disposed) options.post(event);
    };
    const opening = Speaker.open({ target: rememberedTarget() });
    const { port1, port2 } = new MessageChannel();
    this.#join(port2);
    void this.#sound(opening, port1);
  }

  setVolume(volume: number): void {
    this.#volume = volume;
    if (this.#speaker) this.#speaker.volume = volume;
  }

  select(rendition: string | null): void {
    this.#say({ type: 'select', rendition: rendition === null ? null : Number(rendition) });
  }

  leave(): void {
    this.#scope.dispose();
  }

  #say(command: NetworkCommand): void {
    this.#worker.postMessage(command);
  }

  /** The socket opens while the speaker does; frames wait in the port until it is there. */
  #join(port: MessagePort): void {
    const worker = this.#worker;
    this.#scope.on(worker, 'message', (event) => {
      this.#onEvent((event as MessageEvent<DownlinkEvent>).data);
    });
    const channel = this.#channel;
    worker.postMessage(
      { type: 'listen', server: location.origin, channel, port } satisfies NetworkCommand,
      [port],
    );
    this.#scope.add(() => {
      this.#say({ type: 'leave' });
      setTimeout(() => worker.terminate(), GOODBYE);
    });
    this.#scope.add(() => this.#waiting.dispose());
    this.#awaitWelcome();
  }

  async #sound(opening: Promise<Speaker>, port: MessagePort): Promise<void> {
    try {
      const scope = this.#scope;
      const speaker = scope.own(await opening);
      if (scope.disposed) return;
      this.#speaker = speaker;
      speaker.volume = this.#volume;
      speaker.connect(port);
      const tellLatency = (): void => this.#say({ type: 'output', latency: speaker.outputLatency });
      tellLatency();
      scope.every(1000, tellLatency);
      speaker.onstatechange = () => this.#noticeBlock(speaker);
      scope.after(UNBLOCKED_WITHIN, () => this.#noticeBlock(speaker));
    } catch {
      this.#giveUp('browser');
    }
  }

  #noticeBlock(speaker: Speaker): void {
    // Where a hidden page may not use Web Audio, a media element may still sound.
    if (!speaker.running && document.hidden) this.#giveUp('asleep');
    else this.#post({ type: 'player', event: { type: speaker.running ? 'unblocked' : 'blocked' } });
  }

  #giveUp(obstacle: Obstacle): void {
    this.#post({ type: 'unfit', obstacle });
  }

  /** Where HTTP works and the socket does not, for twice the patience, another way is taken. */
  #awaitWelcome(): void {
    this.#waiting.dispose();
    const waiting = new Scope();
    this.#waiting = waiting;
    const ask = async (): Promise<void> => {
      const works = await this.#httpWorks();
      if (waiting.disposed) return;
      if (!works) return waiting.after(WELCOME_WITHIN, () => void ask());
      this.#say({ type: 'hurry' });
      waiting.after(WELCOME_WITHIN, () => this.#giveUp('unreachable'));
    };
    waiting.after(WELCOME_WITHIN, () => void ask());
  }

  async #httpWorks(): Promise<boolean> {
    const aborter = new AbortController();
    this.#scope.add(() => aborter.abort());
    const source = await readSource(hlsUrl(this.#channel), {
      fetch: globalThis.fetch.bind(globalThis),
      signal: aborter.signal,
    });
    return source.is === 'live';
  }

  async #lost(code: number): Promise<void> {
    if (this.#waiting.disposed) this.#awaitWelcome();
    if (code === CLOSE.tooSlow && (await this.#httpWorks())) this.#giveUp('slow');
  }

  #onEvent(event: DownlinkEvent): void {
    switch (event.type) {
      case 'connecting':
        this.#post({ type: 'player', event });
        break;
      case 'lost':
        this.#post({ type: 'player', event });
        void this.#lost(event.code);
        break;
      case 'refused':
        this.#waiting.dispose();
        this.#post({ type: 'player', event });
        break;
      case 'welcome':
        this.#waiting.dispose();
        this.#offer(event.catalog);
        this.#post({ type: 'player', event });
        break;
      case 'catalog':
        this.#offer(event.catalog);
        break;
      case 'state':
        this.#post({ type: 'player', event: { type: 'state', channel: event.is } });
        break;
      case 'playout':
        this.#onPlayout(event);
        break;
    }
  }

  #offer(catalog: Catalog): void {
    const renditions = [...catalog]
      .sort((a, b) => b.bitrate - a.bitrate)
      .map(({ id, bitrate }) => ({ name: String(id), codec: 'Opus' as const, bitrate }));
    this.#post({ type: 'offer', transport: 'websocket', renditions });
  }

  #onPlayout({ reading, latency, rendition, clockOffset }: PlayoutEvent): void {
    const { buffered, target, concealed, skipped, received, epoch, timestamp, phase } = reading;
    this.#post({
      type: 'heard',
      heard: {
        latency,
        position: { epoch, timestamp },
        stats: { buffered, target, concealed, skipped, received },
        peak: reading.peak,
        rendition: String(rendition),
        clockOffset,
      },
    });
    this.#post({ type: 'player', event: { type: 'playout', phase } });
    const now = performance.now();
    if (phase !== 'playing' || now - this.#remembered <= REMEMBER_EVERY) return;
    this.#remembered = now;
    rememberTarget(target);
  }
}
