/** Runs the player: owns the speaker, the session and their ends. */
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { Catalog } from '../../shared/catalog.ts';
import type { Samples } from '../../shared/time.ts';
import { Speaker } from '../audio/speaker.ts';
import type { DownlinkEvent, NetworkCommand } from '../net/messages.ts';
import { Scope } from '../scope.ts';
import { Feed } from './feed.ts';
import { IDLE, type Player, type PlayerEvent, player } from './player.ts';
import {
  rememberedTarget,
  rememberedVolume,
  rememberTarget,
  rememberVolume,
} from './preferences.ts';

/** The sample being heard. */
export type Position = { readonly epoch: number; readonly timestamp: Samples };

/** Counts of the playout since Listen; `buffered` and `target` in ms. */
export type PlayoutStats = {
  readonly buffered: number;
  readonly target: number;
  readonly concealed: number;
  readonly skipped: number;
  readonly received: number;
};

type PlayoutEvent = Extract<DownlinkEvent, { type: 'playout' }>;

const NO_STATS: PlayoutStats = { buffered: 0, target: 0, concealed: 0, skipped: 0, received: 0 };
/** How long a goodbye may take before the worker is ended, ms. */
const GOODBYE = 500;
/** How long the browser may take to let sound out before the page asks for a press, ms. */
const UNBLOCKED_WITHIN = 400;

/** The listener's controller: facts to show, and what the listener can do. */
export class ListenController implements ReactiveController {
  /** Linear peaks, about ten a second. */
  readonly peaks = new Feed<number>();
  catalog: Catalog = [];
  /** Seconds from microphone to ear; null while unknown. */
  latency: number | null = null;
  position: Position | null = null;
  stats: PlayoutStats = NO_STATS;
  volume = rememberedVolume();
  /** True after the browser refused to play at all. */
  failed = false;

  readonly #host: ReactiveControllerHost;
  readonly #channel: () => string;
  #state: Player = IDLE;
  #session = new Scope();
  #speaker: Speaker | null = null;
  #spare: Worker | null = null;
  #remembered = 0;
  #shownAt = 0;

  constructor(host: ReactiveControllerHost, channel: () => string) {
    this.#host = host;
    this.#channel = channel;
    host.addController(this);
  }

  get state(): Player {
    return this.#state;
  }

  /** Everything slow happens before the press: the codec's bytes come, the worker starts. */
  hostConnected(): void {
    Speaker.preload();
    this.#spare ??= startWorker();
  }

  hostDisconnected(): void {
    this.pause();
    this.#spare?.terminate();
    this.#spare = null;
  }

  /** Within a press: browsers make a context that sounds only there. */
  listen(): void {
    // What gathered while the browser kept the sound back is old: join again at the live edge.
    if (this.#state.is === 'blocked') this.pause();
    if (this.#state.is !== 'idle') return;
    this.failed = false;
    this.stats = NO_STATS;
    const session = new Scope();
    this.#session = session;
    const opening = Speaker.open({ target: rememberedTarget() });
    const { port1, port2 } = new MessageChannel();
    const say = this.#join(session, port2);
    this.#dispatch({ type: 'listen' });
    void this.#sound(session, opening, port1, say);
  }

  /** Stops listening; Listen joins again at the live edge. */
  pause(): void {
    this.#session.dispose();
    this.latency = null;
    this.position = null;
    this.peaks.push(null);
    this.#dispatch({ type: 'pause' });
  }

  setVolume(volume: number): void {
    this.volume = volume;
    rememberVolume(volume);
    if (this.#speaker) this.#speaker.volume = volume;
    this.#host.requestUpdate();
  }

  #dispatch(event: PlayerEvent): void {
    const before = this.#state;
    this.#state = player(before, event);
    if (this.#state !== before) this.#host.requestUpdate();
  }

  /** The socket opens while the speaker does; frames wait in the port until it is there. */
  #join(session: Scope, port: MessagePort): (command: NetworkCommand) => void {
    const worker = this.#spare ?? startWorker();
    this.#spare = null;
    const say = (command: NetworkCommand): void => worker.postMessage(command);
    session.on(worker, 'message', (event) => {
      this.#onEvent((event as MessageEvent<DownlinkEvent>).data);
    });
    const channel = this.#channel();
    worker.postMessage(
      { type: 'listen', server: location.origin, channel, port } satisfies NetworkCommand,
      [port],
    );
    session.add(() => {
      say({ type: 'leave' });
      setTimeout(() => worker.terminate(), GOODBYE);
      this.#spare ??= startWorker();
    });
    return say;
  }

  async #sound(
    session: Scope,
    opening: Promise<Speaker>,
    port: MessagePort,
    say: (command: NetworkCommand) => void,
  ): Promise<void> {
    try {
      const speaker = session.own(await opening);
      if (session.disposed) return;
      this.#speaker = speaker;
      session.add(() => {
        this.#speaker = null;
      });
      speaker.volume = this.volume;
      speaker.connect(port);
      const tellLatency = (): void => say({ type: 'output', latency: speaker.outputLatency });
      tellLatency();
      session.every(1000, tellLatency);
      speaker.onstatechange = () => this.#noticeBlock(speaker);
      session.after(UNBLOCKED_WITHIN, () => this.#noticeBlock(speaker));
    } catch {
      if (session.disposed) return;
      this.failed = true;
      this.pause();
      this.#host.requestUpdate();
    }
  }

  #noticeBlock(speaker: Speaker): void {
    if (this.#speaker !== speaker) return;
    this.#dispatch({ type: speaker.running ? 'unblocked' : 'blocked' });
  }

  #onEvent(event: DownlinkEvent): void {
    switch (event.type) {
      case 'connecting':
      case 'lost':
        this.#dispatch({ type: event.type });
        break;
      case 'refused':
        this.#dispatch({ type: 'refused', why: event.why });
        break;
      case 'welcome':
        this.catalog = event.catalog;
        this.#dispatch({ type: 'welcome', onAir: event.onAir });
        this.#host.requestUpdate();
        break;
      case 'state':
        this.#dispatch({ type: 'state', channel: event.is });
        break;
      case 'playout':
        this.#onPlayout(event);
        break;
    }
  }

  #onPlayout({ reading, latency }: PlayoutEvent): void {
    const { buffered, target, concealed, skipped, received, epoch, timestamp, phase } = reading;
    this.stats = { buffered, target, concealed, skipped, received };
    this.position = { epoch, timestamp };
    this.latency = latency;
    this.peaks.push(reading.peak);
    this.#dispatch({ type: 'playout', phase });
    const now = performance.now();
    if (phase === 'playing' && now - this.#remembered > 5000) {
      this.#remembered = now;
      rememberTarget(target);
    }
    // The properties are always current; the page follows once a second.
    if (now - this.#shownAt < 1000) return;
    this.#shownAt = now;
    this.#host.requestUpdate();
  }
}

const startWorker = (): Worker =>
  new Worker(new URL('../net/network.worker.ts', import.meta.url), { type: 'module' });
