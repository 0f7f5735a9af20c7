/** The way over the WebSocket: network worker, playback worklet, speaker, and when to give it up. */
import type { Catalog } from '../../shared/catalog.ts';
import { CLOSE } from '../../shared/codes.ts';
import type { Millis } from '../../shared/time.ts';
import { readSource } from '../audio/media-element-source.ts';
import { Speaker } from '../audio/speaker.ts';
import { asSpeakerError } from '../audio/speaker-error.ts';
import type { DownlinkEvent, HeardAt, NetworkCommand } from '../net/messages.ts';
import { channelExists } from '../net/ticket.ts';
import { Scope } from '../scope.ts';
import { hlsUrl } from './element-path.ts';
import type { ListenPath, PathEvent } from './listen-path.ts';
import { rememberedTarget, rememberTarget } from './preferences.ts';
import type { Obstacle } from './quality.ts';
import { SocketPatience } from './socket-patience.ts';

type PlayoutEvent = Extract<DownlinkEvent, { type: 'playout' }>;

/** How long a goodbye may take before the worker is ended, ms. */
const GOODBYE = 500;
/** How long the browser may take to let sound out before the page asks for a press, ms. */
const UNBLOCKED_WITHIN = 400;
const REMEMBER_EVERY = 5000;

/** Listens to a channel on a socket, from now on; made within a press, or the sound stays blocked. */
export class SocketPath implements ListenPath {
  readonly #channel: string;
  readonly #post: (event: PathEvent) => void;
  readonly #scope = new Scope();
  readonly #worker: Worker;
  readonly #aborter = new AbortController();
  readonly #patience: SocketPatience;
  #speaker: Speaker | null = null;
  #volume: number;
  #remembered = 0;

  constructor(options: {
    readonly channel: string;
    readonly volume: number;
    /** Started before the press, so that the press does not wait for it. */
    readonly worker: Worker;
    /** Where a pause has stopped. */
    readonly from?: HeardAt | undefined;
    readonly post: (event: PathEvent) => void;
  }) {
    this.#channel = options.channel;
    this.#volume = options.volume;
    this.#worker = options.worker;
    this.#post = (event) => {
      if (!this.#scope.disposed) options.post(event);
    };
    this.#scope.add(() => this.#aborter.abort());
    this.#patience = new SocketPatience({
      httpWorks: () => this.#httpWorks(),
      hurry: () => this.#say({ type: 'hurry' }),
      giveUp: () => this.#giveUp('unreachable'),
    });
    this.#scope.own(this.#patience);
    const opening = Speaker.open({ target: rememberedTarget() });
    const { port1, port2 } = new MessageChannel();
    this.#join(port2, options.from);
    void this.#sound(opening, port1);
  }

  setVolume(volume: number): void {
    this.#volume = volume;
    if (this.#speaker) this.#speaker.volume = volume;
  }

  select(rendition: string | null): void {
    this.#say({ type: 'select', rendition: rendition === null ? null : Number(rendition) });
  }

  seek(behind: Millis): void {
    this.#say({ type: 'seek', behind });
  }

  setRate(rate: number): void {
    this.#say({ type: 'rate', rate });
  }

  leave(): void {
    this.#scope.dispose();
  }

  #say(command: NetworkCommand): void {
    this.#worker.postMessage(command);
  }

  /** The socket opens while the speaker does; frames wait in the port until it is there. */
  #join(port: MessagePort, from: HeardAt | undefined): void {
    const worker = this.#worker;
    this.#scope.on(worker, 'message', (event) => {
      this.#onEvent((event as MessageEvent<DownlinkEvent>).data);
    });
    this.#scope.on(worker, 'error', () => this.#giveUp('files'));
    const channel = this.#channel;
    const command = { type: 'listen', server: location.origin, channel, port } as const;
    worker.postMessage({ ...command, ...(from && { from }) } satisfies NetworkCommand, [port]);
    this.#scope.add(() => {
      this.#say({ type: 'leave' });
      setTimeout(() => worker.terminate(), GOODBYE);
    });
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
      const look = (): void => void this.#look(speaker);
      speaker.onstatechange = look;
      scope.after(UNBLOCKED_WITHIN, look);
      // A call that is over, another headset: browsers leave it to the page to go on.
      scope.on(document, 'visibilitychange', look);
      if (navigator.mediaDevices) scope.on(navigator.mediaDevices, 'devicechange', look);
    } catch (error) {
      this.#giveUp(asSpeakerError(error).code);
    }
  }

  /** Whether sound goes out; an interruption is ended here where the browser allows it. */
  async #look(speaker: Speaker): Promise<void> {
    const sounds = await speaker.resume();
    // Where a hidden page may not use Web Audio, a media element may still sound.
    if (!sounds && document.hidden) this.#giveUp('asleep');
    else this.#post({ type: 'player', event: { type: sounds ? 'unblocked' : 'blocked' } });
  }

  #giveUp(obstacle: Obstacle): void {
    this.#post({ type: 'unfit', obstacle });
  }

  async #httpWorks(): Promise<boolean> {
    const destination = { server: location.origin, channel: this.#channel };
    const fetching = { fetch: globalThis.fetch.bind(globalThis), signal: this.#aborter.signal };
    return (await channelExists(destination, fetching)) === true;
  }

  /** Too slow for the socket is not too slow for HLS, if there is any. */
  async #tooSlow(): Promise<void> {
    const { is } = await readSource(hlsUrl(this.#channel), this.#aborter.signal);
    if (is === 'live') this.#giveUp('slow');
  }

  #onEvent(event: DownlinkEvent): void {
    switch (event.type) {
      case 'connecting':
        this.#post({ type: 'player', event });
        break;
      case 'lost':
        this.#post({ type: 'player', event });
        this.#patience.lost();
        if (event.code === CLOSE.tooSlow) void this.#tooSlow();
        break;
      case 'refused':
        this.#patience.close();
        this.#post({ type: 'player', event });
        break;
      case 'welcome':
        this.#patience.welcomed();
        this.#offer(event.catalog);
        this.#post({ type: 'place', shifted: event.shifted, since: event.since });
        this.#post({ type: 'player', event });
        break;
      case 'place':
      case 'rate':
        this.#post(event);
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

  #onPlayout({ reading, latency, rendition, clockOffset, at }: PlayoutEvent): void {
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
        at,
      },
    });
    this.#post({ type: 'player', event: { type: 'playout', phase } });
    const now = performance.now();
    if (phase !== 'playing' || now - this.#remembered <= REMEMBER_EVERY) return;
    this.#remembered = now;
    rememberTarget(target);
  }
}
