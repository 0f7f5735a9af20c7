/** Runs the player: chooses the way of the sound, owns it, and changes it when it does not work. */
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { ChannelStateName } from '../../shared/control.ts';
import { utc } from '../../shared/time.ts';
import { canPlayHls } from '../audio/media-element-engine.ts';
import { lackOfSpeaker, type SpeakerErrorCode } from '../audio/speaker-error.ts';
import { Scope } from '../scope.ts';
import { ChannelNews } from './channel-news.ts';
import { ComingWay } from './coming-way.ts';
import { Feed } from './feed.ts';
import type { Heard, PathEvent } from './listen-path.ts';
import { type Kept, Past } from './past.ts';
import { IDLE, isSound, type Player, type PlayerEvent, player } from './player.ts';
import * as preferences from './preferences.ts';
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
import { isMute, NOTHING, type Way, Ways } from './ways.ts';

/** The listener's controller: facts to show, and what the listener can do. */
export class ListenController implements ReactiveController {
  /** What can be heard again, and the ways there. */
  readonly past = new Past(() => this.#way?.path);
  /** Linear peaks, about ten a second. */
  readonly peaks = new Feed<number>();
  quality: Quality = preferences.rememberedQuality();
  /** Why it is not as close to live as chosen; null when it is. */
  obstacle: Obstacle | null = null;
  /** Name of the rendition a person chose; null leaves it to the network. */
  pinned: string | null = null;
  volume = preferences.rememberedVolume();
  /** Why it can be heard no way at all; null when it can. */
  failure: SpeakerErrorCode | null = null;

  readonly #host: ReactiveControllerHost;
  readonly #channel: () => string;
  readonly #ways = new Ways({
    channel: () => this.#channel(),
    volume: () => this.volume,
    clockOffset: () => this.#clockOffset,
    post: (way, event) => this.#onEvent(way, event),
  });
  readonly #news = new ChannelNews();
  readonly #wayBack = new WayBack({ go: () => this.#return() });
  #state: Player = IDLE;
  #way: Way | null = null;
  readonly #coming = new ComingWay();
  /** What a pause has left. */
  #left: Transport | null = null;
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
    const kept = this.past.take();
    // A place without a frame is known to HLS alone, which was taken for a reason that may still hold.
    const same = kept?.at === null ? this.#left : null;
    if (same === null) this.obstacle = lackOfSpeaker();
    else if (mayPass(this.obstacle)) this.#wayBack.wait();
    this.#ways.unlock();
    this.#dispatch({ type: 'listen' });
    this.#go(same ?? transportFor(this.quality, this.obstacle), kept);
  }

  /** Stops listening; Listen goes on at this sample where that can be, else at the live edge. */
  pause(): void {
    this.#wayBack.stop();
    if (this.#state.is !== 'idle' && this.#state.is !== 'blocked')
      this.past.keep(this.heard, utc(Date.now()));
    this.#left = this.#way?.asked ?? null;
    this.#leave();
    this.#dispatch({ type: 'pause' });
  }

  /** Within a press: the sound goes on the other way, and the next visit begins with it. */
  choose(quality: Quality): void {
    this.quality = quality;
    preferences.rememberQuality(quality);
    this.obstacle = lackOfSpeaker();
    this.#wayBack.stop();
    this.#wayBack.forgive();
    if (this.#state.is === 'playing')
      this.#move(transportFor(quality, this.obstacle), { insist: true });
    else if (this.#state.is !== 'idle') {
      this.pause();
      this.#left = null;
      this.listen();
    } else this.#left = null;
    this.#host.requestUpdate();
  }

  /** Pins a rendition by name; null lets the network decide. */
  pin(rendition: string | null): void {
    this.pinned = rendition;
    this.#way?.path.select(rendition);
    this.#host.requestUpdate();
  }

  /** What the API says of the channel, where the way itself does not tell. */
  follow(channel: ChannelStateName): void {
    const isNews = this.#news.is(channel, this);
    // The socket tells it by itself, at the very frame.
    if (isNews && this.#way?.asked !== 'websocket') this.#dispatch({ type: 'state', channel });
  }

  setVolume(volume: number): void {
    this.volume = volume;
    preferences.rememberVolume(volume);
    for (const way of [this.#way, this.#coming.way]) way?.path.setVolume(volume);
    this.#host.requestUpdate();
  }

  #dispatch(event: PlayerEvent): void {
    const before = this.#state;
    this.#state = player(before, event);
    if (this.#state !== before) this.#host.requestUpdate();
  }

  #leave(): void {
    this.#coming.drop();
    const way = this.#way;
    this.#way = null;
    way?.path.leave();
    this.pinned = null;
    this.peaks.push(null);
  }

  /** Takes a way at once. */
  #go(transport: Transport, from?: Kept): void {
    this.#leave();
    this.past.forget();
    if (transport === 'websocket' || canPlayHls()) this.#way = this.#ways.open(transport, from);
    else this.#fail(lackOfSpeaker() ?? 'browser');
  }

  /** Changes to another way; where both can sound side by side the old one ends when the new plays. */
  #move(transport: Transport, { insist }: { readonly insist: boolean }): void {
    this.#coming.drop();
    if (this.#way?.asked === transport) return;
    const shareElement = this.#way?.asked !== 'websocket' && transport !== 'websocket';
    // The past goes over by its place, which HLS alone can find.
    const keepsPlace = this.past.shifted && transport !== 'websocket';
    if (this.#state.is !== 'playing' || shareElement || keepsPlace || !canPlayHls()) {
      this.#dispatch({ type: 'moved' });
      if (this.past.shifted) this.past.keep(this.heard, utc(Date.now()));
      return this.#go(transport, this.past.take());
    }
    this.#coming.begin(this.#ways.open(transport), {
      insist,
      late: (way) => (insist && !isMute(way) ? this.#promote(way) : this.#giveUp('unreachable')),
    });
  }

  #promote(coming: Way): void {
    this.#coming.release();
    this.#leave();
    this.#way = coming;
    this.past.forget();
    for (const said of [coming.place, coming.reach]) if (said !== null) this.past.hears(said);
    if (coming.asked === 'websocket') {
      this.obstacle = null;
      this.#wayBack.stop();
    }
    this.#dispatch({ type: 'unblocked' });
    this.#dispatch({ type: 'moved' });
    for (const event of coming.said) this.#dispatch(event);
  }

  #onEvent(way: Way, event: PathEvent): void {
    // What a way still says after it was left is no longer true.
    if (way !== this.#way && way !== this.#coming.way) return;
    switch (event.type) {
      case 'offer':
        return this.#host.requestUpdate();
      case 'heard':
        return way === this.#way ? this.#heard(event.heard) : undefined;
      case 'place':
      case 'reach':
      case 'rate':
        if (way !== this.#way) return;
        this.past.hears(event);
        // Another way that nobody asked for would begin at live.
        if (this.past.shifted && this.#coming.isTried) {
          this.#coming.drop();
          this.#wayBack.wait();
        }
        return this.#host.requestUpdate();
      case 'unfit':
        return this.#unfit(way, event.obstacle);
      case 'player':
        if (way === this.#coming.way && isSound(event.event)) this.#promote(way);
        if (way === this.#way) this.#dispatch(event.event);
    }
  }

  #heard(heard: Heard): void {
    this.#clockOffset = heard.clockOffset ?? this.#clockOffset;
    this.peaks.push(heard.peak);
    // The properties are always current; the page follows once a second.
    if (performance.now() - this.#shownAt < 1000) return;
    this.#shownAt = performance.now();
    this.#host.requestUpdate();
  }

  #unfit(way: Way, obstacle: Obstacle | null): void {
    if (way === this.#coming.way) return this.#giveUp(obstacle);
    // A socket that is slow or away tries on by itself where nothing else is to be had.
    if (obstacle === null) return this.#fail('files');
    if (!canPlayHls()) return isOfSpeaker(obstacle) ? this.#fail(obstacle) : undefined;
    if (this.#coming.way !== null) return;
    this.obstacle = obstacle;
    this.#move(transportFor(this.quality, obstacle), { insist: true });
    if (mayPass(obstacle)) this.#wayBack.failed();
    this.#host.requestUpdate();
  }

  /** The way that was to come does not; the present one goes on, or what is as close without it. */
  #giveUp(why: Obstacle | null): void {
    if (this.#coming.drop()?.asked !== 'websocket') return;
    this.obstacle ??= why ?? 'unreachable';
    if (mayPass(this.obstacle)) this.#wayBack.failed();
    this.#move(transportFor(this.quality, this.obstacle), { insist: true });
    this.#host.requestUpdate();
  }

  /** Whether another way may be tried beside the present one: none leads into the same past. */
  get #mayTry(): boolean {
    return this.#state.is === 'playing' && this.#coming.way === null && !this.past.shifted;
  }

  /** Tries the closest way beside the present one, which is left only when the other is heard. */
  #return(): void {
    if (this.#mayTry) this.#move('websocket', { insist: false });
    else this.#wayBack.wait();
  }

  /** The page is seen again: a browser that stopped Web Audio meanwhile may play it now. */
  #wake(): void {
    const rested = !document.hidden && this.obstacle === 'asleep' && this.quality === 'closest';
    if (rested && this.#mayTry) this.#move('websocket', { insist: false });
  }

  #fail(why: SpeakerErrorCode): void {
    this.failure = why;
    this.pause();
    this.#host.requestUpdate();
  }
}
