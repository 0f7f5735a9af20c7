/** What is measured of one channel, for its status, its publisher's tally and its alarms. */
import type { Loudness } from '../../shared/control.ts';
import type { Frame } from '../../shared/frame.ts';
import type { Millis, Samples } from '../../shared/time.ts';
import { BitrateMeter } from './bitrate-meter.ts';
import type { Channel, Sink } from './channel.ts';
import type { FanOut } from './fan-out.ts';
import { type HttpClient, PlaylistClients } from './playlist-clients.ts';
import type { Now } from './session.ts';

/** What whoever decodes the channel's sound knows of it. */
export interface SoundSource {
  /** LUFS and dBTP, -Infinity where there is no sound; null while nothing is measured. */
  readonly loudness: {
    readonly momentary: number;
    readonly shortTerm: number;
    readonly integrated: number;
    readonly truePeak: number;
    /** Highest of the last second, dBTP. */
    readonly peak: number;
    /** Since when nothing was above -60 dBTP, track time; null while there is sound. */
    readonly silentSince: Samples | null;
  } | null;
  /** Whether AAC can be made here; null while nobody knows. */
  readonly aac: boolean | null;
  /** Frames of this broadcast that were damaged, and concealed. */
  readonly damaged: number;
  /** Decoders that were replaced because they died or hung. */
  readonly restarts: number;
}

/** Listeners by the way they get their sound. */
export type ListenerCounts = {
  readonly total: number;
  readonly websocket: number;
  /** Over HLS and DASH; an estimate. */
  readonly hls: number;
};

/** What vitals are made of. */
export type VitalsOptions = {
  readonly fanOut: FanOut;
  readonly sound: SoundSource;
  readonly now: Now;
  /** A client of playlists is gone when it asked for nothing in so long. */
  readonly fetchesWithin: Millis;
};

const finite = (level: number): number | null =>
  Number.isFinite(level) ? Math.round(level * 10) / 10 : null;

/** One channel's measurements; reads the time from `now`. */
export class Vitals implements Sink {
  readonly #channel: Channel;
  readonly #options: VitalsOptions;
  readonly #clients: PlaylistClients;
  readonly #bitrate = new BitrateMeter();

  constructor(channel: Channel, options: VitalsOptions) {
    this.#channel = channel;
    this.#options = options;
    this.#clients = new PlaylistClients({ within: options.fetchesWithin });
    channel.subscribe(this);
  }

  push(frame: Frame): void {
    this.#bitrate.enter(frame, this.#options.now());
  }

  end(): void {}

  /** Somebody asked for a playlist, a manifest or media. */
  fetched(client: HttpClient): void {
    this.#clients.enter(client, this.#options.now());
  }

  get listeners(): ListenerCounts {
    const websocket = this.#options.fanOut.count;
    const hls = this.#clients.count(this.#options.now());
    return { total: websocket + hls, websocket, hls };
  }

  /** Of the publisher's own sound, bit/s; null while none comes. */
  get bitrate(): number | null {
    return this.#channel.onAir ? this.#bitrate.read(this.#options.now()) : null;
  }

  /** Of the broadcast, to a tenth; null while nothing is measured. */
  get loudness(): Loudness | null {
    const { loudness } = this.#options.sound;
    if (loudness === null) return null;
    const { momentary, shortTerm, integrated, truePeak } = loudness;
    return {
      momentary: finite(momentary),
      shortTerm: finite(shortTerm),
      integrated: finite(integrated),
      truePeak: finite(truePeak),
    };
  }

  /** Median of what listeners report, microphone to ear, s; null when none does. */
  get latency(): number | null {
    const { latency } = this.#options.fanOut;
    return latency === null ? null : Math.round(latency * 1000) / 1000;
  }

  /** Whether there are AAC renditions; null while nobody knows. */
  get aac(): boolean | null {
    return this.#options.sound.aac;
  }

  /** Frames of this broadcast that came damaged and were concealed. */
  get damaged(): number {
    return this.#options.sound.damaged;
  }
}
