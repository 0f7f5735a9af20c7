/** The way over HLS: the media element, told to the player in the player's own words. */

import type { Millis, Utc } from '../../shared/time.ts';
import type { ElementLevel } from '../audio/element-level.ts';
import { MediaElementPlayer } from '../audio/media-element.ts';
import type { ElementEvent, ElementReading } from '../audio/media-element-events.ts';
import { Scope } from '../scope.ts';
import type { Heard, ListenPath, PathEvent } from './listen-path.ts';
import type { PlayerEvent } from './player.ts';

const SAID: Record<
  Exclude<ElementEvent['type'], 'live' | 'reading' | 'unplayable' | 'place' | 'reach' | 'rate'>,
  PlayerEvent
> = {
  'off-air': { type: 'welcome', onAir: false },
  ended: { type: 'state', channel: 'ended' },
  lost: { type: 'lost' },
  stuck: { type: 'stuck' },
  refused: { type: 'refused', why: 'token' },
  blocked: { type: 'blocked' },
  unblocked: { type: 'unblocked' },
};

/** Peaks come so often as over the socket, ms. */
const PEAK_EVERY = 100;

/** Plays a channel on the element given, from now on. */
export class ElementPath implements ListenPath {
  readonly #player: MediaElementPlayer;
  readonly #post: (event: PathEvent) => void;
  readonly #level: ElementLevel;
  readonly #scope = new Scope();
  #heardLast: Heard | null = null;
  #plays = false;

  constructor(
    element: HTMLAudioElement,
    options: {
      readonly channel: string;
      readonly level: ElementLevel;
      readonly lowLatency: boolean;
      readonly volume: number;
      readonly clockOffset: number | null;
      /** Time of capture, by the server's clock, at which a pause has stopped. */
      readonly from: Utc | null;
      readonly post: (event: PathEvent) => void;
    },
  ) {
    this.#post = options.post;
    this.#level = options.level;
    this.#player = new MediaElementPlayer(element, {
      url: hlsUrl(options.channel),
      timeUrl: addressOf(options.channel, 'dash/time'),
      lowLatency: options.lowLatency,
      clockOffset: options.clockOffset,
      from: options.from,
      post: (event) => this.#heard(event),
    });
    this.#player.volume = options.volume;
    this.#player.start();
    this.#level.onstatechange = (sounds) => this.#heard({ type: sounds ? 'unblocked' : 'blocked' });
    this.#scope.add(() => {
      this.#level.onstatechange = null;
    });
    this.#scope.every(PEAK_EVERY, () => this.#look());
  }

  setVolume(volume: number): void {
    this.#player.volume = volume;
  }

  select(rendition: string | null): void {
    this.#player.select(rendition);
  }

  seek(behind: Millis): void {
    this.#player.seek(behind / 1000);
  }

  setRate(rate: number): void {
    this.#player.setRate(rate);
  }

  leave(): void {
    this.#scope.dispose();
    this.#player.close();
  }

  #heard(event: ElementEvent): void {
    switch (event.type) {
      case 'live': {
        const transport = event.lowLatency ? 'll-hls' : 'hls';
        this.#post({ type: 'offer', transport, renditions: event.variants });
        this.#post({ type: 'player', event: { type: 'welcome', onAir: true } });
        break;
      }
      case 'reading':
        this.#plays = event.reading.phase === 'playing';
        this.#tell(event.reading);
        this.#post({ type: 'player', event: { type: 'playout', phase: event.reading.phase } });
        break;
      case 'place':
        this.#post(event);
        // The past is heard, whatever the channel has become since.
        if (event.shifted)
          this.#post({ type: 'player', event: { type: 'state', channel: 'live' } });
        break;
      case 'rate':
        this.#post(event);
        break;
      case 'reach':
        this.#post({ ...event, clockOffset: this.#player.clockOffset });
        break;
      case 'unplayable':
        this.#post({ type: 'unfit', obstacle: null });
        break;
      case 'blocked':
      case 'unblocked':
        this.#post({ type: 'player', event: SAID[event.type] });
        break;
      default:
        this.#plays = false;
        // Nothing is heard any more, so nothing is behind the microphone.
        if (this.#heardLast !== null)
          this.#post({ type: 'heard', heard: { ...this.#heardLast, latency: null } });
        this.#post({ type: 'player', event: SAID[event.type] });
    }
  }

  get #peak(): number | null {
    return this.#plays ? this.#level.peak : null;
  }

  #look(): void {
    if (this.#heardLast === null || !this.#plays || document.hidden) return;
    const peak = this.#peak;
    if (peak !== null) this.#post({ type: 'heard', heard: { ...this.#heardLast, peak } });
  }

  #tell({ delay, buffered, target, stalls, jumps, received, variant }: ElementReading): void {
    this.#heardLast = {
      latency: delay,
      position: null,
      stats: { buffered, target, concealed: stalls, skipped: jumps, received },
      peak: this.#peak,
      rendition: variant,
      clockOffset: null,
      at: null,
    };
    this.#post({ type: 'heard', heard: this.#heardLast });
  }
}

const addressOf = (channel: string, path: string): string =>
  `${location.origin}/c/${encodeURIComponent(channel)}/${path}`;

/** Address of a channel's multivariant playlist. */
export const hlsUrl = (channel: string): string => addressOf(channel, 'hls/index.m3u8');
