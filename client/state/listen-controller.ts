/** Runs the player: chooses the way of the sound, owns it, and changes it when it does not work. */
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { ChannelStateName } from '../../shared/control.ts';
import { canPlayHls } from '../audio/media-element-engine.ts';
import { lackOfSpeaker, type SpeakerErrorCode } from '../audio/speaker-error.ts';
import { Scope } from '../scope.ts';
import { Feed } from './feed.ts';
import type { Heard, PathEvent } from './listen-path.ts';
import { IDLE, type Player, type PlayerEvent, player } from './player.ts';
import {
  rememberedQuality,
  rememberedVolume,
  rememberQuality,
  rememberVolume,
} from './preferences.ts';
import {
  isOfSpeaker,
  mayPass,
  type Obstacle,
  type OfferedRendition,
  type Quality,
  type Transport,
  transportFor,
} from './quality.ts';
import { WayBack } from './way-back.ts';
import { NOTHING, type Way, Ways } from './ways.ts';

/** So long the old way plays on while one that was asked for gets ready, or one that may come, ms. */
const READY_WITHIN = 8000;
const BACK_WITHIN = 20_000;

/** The listener's controller: facts to show, and what the listener can do. */
export class ListenController implements ReactiveController {
  /** Linear peaks, about ten a second. */
  readonly peaks = new Feed<number>();
  quality: Quality = rememberedQuality();
  /** Why it is not as close to live as was chosen; null when it is. */
  obstacle: Obstacle | null = null;
  /** Name of the rendition a person chose; null leaves it to the network. */
  pinned: string | null = null;
  volume = rememberedVolume();
  /** Why it can be heard no way at all; null when it can. */
  failure: SpeakerErrorCode | null = null;

  readonly #host: ReactiveControllerHost;
  readonly #channel: () => string;
  readonly #ways = new Ways();
  readonly #wayBack = new WayBack({ go: () => this.#return() });
  #state: Player = IDLE;
  #way: Way | null = null;
  /** The way that gets ready while the present one plays on. */
  #coming: Way | null = null;
  #clockOffset: number | null = null;
  #visits = new Scope();
  #shownAt = 0;

  constructor(host: ReactiveControllerHost, channel: () => string) {
    this.#host = host;
    this.#channel = channel;
    host.addController(this);
  }

  get state(): Player {
    return this.#state;
  }

  /** Which way the sound comes, or will with the next Listen. */
  get transport(): Transport {
    return this.#way?.transport ?? transportFor(this.quality, lackOfSpeaker());
  }

  /** What is heard at this moment. */
  get heard(): Heard {
    return this.#way?.heard ?? NOTHING;
  }

  /** What may be chosen on the present way, the best first. */
  get renditions(): readonly OfferedRendition[] {
    return this.#way?.renditions ?? [];
  }

  /** The rendition that plays; null while unknown. */
  get rendition(): OfferedRendition | null {
    return this.renditions.find(({ name }) => name === this.heard.rendition) ?? null;
  }

  hostConnected(): void {
    this.#visits = new Scope();
    this.#visits.on(document, 'visibilitychange', () => this.#wake());
    this.#visits.on(globalThis, 'online', () => this.#wayBack.forgive());
    this.#ways.prepare(this.transport);
  }

  hostDisconnected(): void {
    this.#visits.dispose();
    this.pause();
    this.#ways.close();
  }

  /** Within a press: browsers make a context that sounds only there. */
  listen(): void {
    // What gathered while the browser kept the sound back is old: join again at the live edge.
    if (this.#state.is === 'blocked') this.pause();
    if (this.#state.is !== 'idle') return;
    this.failure = null;
    this.obstacle = lackOfSpeaker();
    this.#ways.unlock();
    this.#dispatch({ type: 'listen' });
    this.#go(transportFor(this.quality, this.obstacle));
  }

  /** Stops listening; Listen joins again at the live edge. */
  pause(): void {
    this.#wayBack.stop();
    this.#leave();
    this.#dispatch({ type: 'pause' });
  }

  /** Within a press: the sound goes on the other way, and the next visit begins with it. */
  choose(quality: Quality): void {
    this.quality = quality;
    rememberQuality(quality);
    this.obstacle = lackOfSpeaker();
    this.#wayBack.stop();
    const transport = transportFor(quality, this.obstacle);
    if (this.#state.is === 'playing') this.#move(transport, { insist: true });
    else if (this.#state.is !== 'idle') {
      this.pause();
      this.listen();
    }
    this.#host.requestUpdate();
  }

  /** Pins a rendition by name; null lets the network decide. */
  pin(rendition: string | null): void {
    this.pinned = rendition;
    this.#way?.path.select(rendition);
    this.#host.requestUpdate();
  }

  /** What the API says of the channel: over HLS nothing else tells that silence is put in, or that no more comes. */
  follow(channel: ChannelStateName): void {
    if (this.#way === null || this.#way.asked === 'websocket') return;
    const { is } = this.#state;
    const [stalled, waits] = [is === 'stalled', is === 'stalled' || is === 'buffering'];
    const isNews = { filling: true, live: stalled, ended: waits, idle: false, holding: false };
    if (isNews[channel]) this.#dispatch({ type: 'state', channel });
  }

  setVolume(volume: number): void {
    this.volume = volume;
    rememberVolume(volume);
    this.#way?.path.setVolume(volume);
    this.#coming?.path.setVolume(volume);
    this.#host.requestUpdate();
  }

  #dispatch(event: PlayerEvent): void {
    const before = this.#state;
    this.#state = player(before, event);
    if (this.#state !== before) this.#host.requestUpdate();
  }

  #leave(): void {
    this.#drop();
    const way = this.#way;
    this.#way = null;
    way?.path.leave();
    this.pinned = null;
    this.peaks.push(null);
  }

  #drop(): void {
    const coming = this.#coming;
    this.#coming = null;
    coming?.path.leave();
  }

  /** Takes a way at once. */
  #go(transport: Transport): void {
    this.#leave();
    if (transport === 'websocket' || canPlayHls()) this.#way = this.#open(transport);
    else this.#fail(lackOfSpeaker() ?? 'browser');
  }

  /** Changes to another way; where both can sound side by side the old one ends when the new plays. */
  #move(transport: Transport, { insist }: { readonly insist: boolean }): void {
    this.#drop();
    if (this.#way?.asked === transport) return;
    const shareElement = this.#way?.asked !== 'websocket' && transport !== 'websocket';
    if (this.#state.is !== 'playing' || shareElement || !canPlayHls()) {
      this.#dispatch({ type: 'moved' });
      return this.#go(transport);
    }
    const coming = this.#open(transport);
    this.#coming = coming;
    this.#visits.after(insist ? READY_WITHIN : BACK_WITHIN, () => {
      if (this.#coming !== coming) return;
      if (insist) this.#promote(coming);
      else this.#giveUp();
    });
  }

  #promote(coming: Way): void {
    this.#coming = null;
    this.#leave();
    this.#way = coming;
    if (coming.asked === 'websocket') {
      this.obstacle = null;
      this.#wayBack.stop();
    }
    this.#dispatch({ type: 'unblocked' });
    this.#dispatch({ type: 'moved' });
  }

  #open(transport: Transport): Way {
    return this.#ways.open(transport, {
      channel: this.#channel(),
      volume: this.volume,
      clockOffset: this.#clockOffset,
      post: (way, event) => this.#onEvent(way, event),
    });
  }

  #onEvent(way: Way, event: PathEvent): void {
    // What a way still says after it was left is no longer true.
    if (way !== this.#way && way !== this.#coming) return;
    switch (event.type) {
      case 'offer':
        way.transport = event.transport;
        way.renditions = event.renditions;
        this.#host.requestUpdate();
        break;
      case 'heard':
        way.heard = event.heard;
        this.#clockOffset = event.heard.clockOffset ?? this.#clockOffset;
        if (way === this.#way) this.#show(event.heard);
        break;
      case 'unfit':
        this.#unfit(way, event.obstacle);
        break;
      case 'player':
        this.#said(way, event.event);
        break;
    }
  }

  #said(way: Way, event: PlayerEvent): void {
    const plays = event.type === 'playout' && event.phase === 'playing';
    if (way === this.#coming && plays) this.#promote(way);
    if (way === this.#way) this.#dispatch(event);
  }

  #show({ peak }: Heard): void {
    this.peaks.push(peak);
    // The properties are always current; the page follows once a second.
    const now = performance.now();
    if (now - this.#shownAt < 1000) return;
    this.#shownAt = now;
    this.#host.requestUpdate();
  }

  #unfit(way: Way, obstacle: Obstacle | null): void {
    if (way === this.#coming) return this.#giveUp();
    // A socket that is slow or away tries on by itself where nothing else is to be had.
    if (obstacle === null) return this.#fail('files');
    if (!canPlayHls()) return isOfSpeaker(obstacle) ? this.#fail(obstacle) : undefined;
    if (this.#coming !== null) return;
    this.obstacle = obstacle;
    this.#move(transportFor(this.quality, obstacle), { insist: true });
    if (mayPass(obstacle)) this.#wayBack.failed();
    this.#host.requestUpdate();
  }

  /** The way that was to come does not; the present one goes on. */
  #giveUp(): void {
    const back = this.#coming?.asked === 'websocket' && mayPass(this.obstacle);
    this.#drop();
    if (back) this.#wayBack.failed();
  }

  /** Tries the closest way beside the present one, which is left only when the other is heard. */
  #return(): void {
    if (this.#state.is !== 'playing' || this.#coming !== null) this.#wayBack.wait();
    else this.#move('websocket', { insist: false });
  }

  /** The page is seen again: a browser that stopped Web Audio meanwhile may play it now. */
  #wake(): void {
    if (document.hidden || this.obstacle !== 'asleep' || this.quality !== 'closest') return;
    if (this.#state.is !== 'playing') return;
    this.#move('websocket', { insist: false });
  }

  #fail(why: SpeakerErrorCode): void {
    this.failure = why;
    this.pause();
    this.#host.requestUpdate();
  }
}
