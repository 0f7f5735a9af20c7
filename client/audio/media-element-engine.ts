/** How a media element comes to play HLS: by hls.js, or by the browser itself. */
import type Hls from 'hls.js';
import type { ErrorData, FragBufferedData, HlsConfig } from 'hls.js';
import { Scope } from '../scope.ts';
import type { LiveSource, Variant } from './media-element-source.ts';

/** One play of a live source on an element, until it breaks or is closed. */
export interface Engine {
  /** UTC of capture of the sample at the element's position, ms; null while unknown. */
  readonly playing: number | null;
  /** The same of the oldest sample that stays in the window when one goes there; null: no way back. */
  readonly oldest: number | null;
  /** Name of the variant that plays; null while unknown. */
  readonly variant: string | null;
  /** Sound between the position and where one is at live, seconds; null while unknown. */
  readonly behindLive: number | null;
  /** How far behind the live edge it aims, seconds; 0 where the browser decides. */
  readonly target: number;
  /** Parts or segments received. */
  readonly received: number;
  /** Whether `select` is heard as no more than another quality. */
  readonly changesSmoothly: boolean;
  /** Leaves out what is in hand beyond the target: nobody plays faster to catch up. */
  catchUp(): void;
  /** Position of the element at a time of capture in the window; null while unknown. */
  positionOf(at: number): number | null;
  /** Whether what is heard is the past, where nothing may pull it to live. */
  hold(past: boolean): void;
  /** Goes to the live edge. */
  goLive(): void;
  /** Pins a variant; null lets hls.js follow the network. */
  select(variant: string | null): void;
  close(): void;
}

export type EngineOptions = {
  readonly source: LiveSource;
  /**
   * Length of the parts that are played, s, as close to live as players can; null: whole segments,
   * three target durations behind.
   */
  readonly part: number | null;
  readonly variant: string | null;
  /** It cannot go on; a new engine may. */
  readonly broken: () => void;
};

/** Parts behind the live edge: closer than four to five hls.js stalls (MEASURED). */
const CLOSE = 5;
/** Further behind than so many parts it leaves some out. */
const CLOSE_MOST = 19;
const SEGMENTS_BEHIND = 3;
const SEGMENTS_MOST = 8;
/** So much of the oldest sound leaves the window before it would be heard, target durations. */
const LEAVING = 2.5;

/** hls.js that finds a part shorter than the playlist said may fetch it without end: so often it may. */
const AGAIN_MOST = 4;

/** What a browser that plays by itself may still let go of at the window's beginning, seconds. */
const SPARE = 10;

const NATIVE = 'application/vnd.apple.mpegurl';
const AAC = 'audio/mp4; codecs="mp4a.40.2"';

/** Whether Media Source takes AAC here; where it does, hls.js is closer to live than a browser. */
const hasMediaSource = (): boolean => {
  const sources = globalThis as { ManagedMediaSource?: typeof MediaSource };
  const source = globalThis.MediaSource ?? sources.ManagedMediaSource;
  return source?.isTypeSupported?.(AAC) ?? false;
};

/** Whether the browser plays HLS by itself here, and then chooses the variant by itself, too. */
export const playsByItself = (): boolean => !hasMediaSource();

/** Whether parts are played: by hls.js, and by WebKit, which alone has a `getStartDate`. */
export const canPlayParts = (): boolean =>
  hasMediaSource() || 'getStartDate' in HTMLMediaElement.prototype;

/** Whether this browser can play the channel's HLS at all. */
export const canPlayHls = (): boolean =>
  hasMediaSource() || document.createElement('audio').canPlayType(NATIVE) !== '';

/** Loads hls.js before it is needed, where it will be; a failure shows when it is. */
export const preloadEngine = (): void => {
  if (hasMediaSource()) import('hls.js/light').catch(() => {});
};

/** Makes the element play. @throws {Error} when hls.js could not be loaded. */
export const openEngine = async (
  element: HTMLAudioElement,
  url: string,
  options: EngineOptions,
): Promise<Engine> => {
  if (!hasMediaSource()) return new NativeEngine(element, url, options);
  const { default: Library } = await import('hls.js/light');
  return new HlsJsEngine(element, url, { ...options, Library });
};

class HlsJsEngine implements Engine {
  readonly #hls: Hls;
  readonly #variants: readonly Variant[];
  readonly changesSmoothly: boolean;
  readonly #most: number | undefined;
  #newest = '';
  #again = 0;
  received = 0;

  constructor(
    element: HTMLAudioElement,
    url: string,
    { source, part, variant, broken, Library }: EngineOptions & { Library: typeof Hls },
  ) {
    this.#variants = source.variants;
    this.changesSmoothly = part === null;
    this.#hls = new Library({ ...COMMON, ...(part === null ? SAFE : closeWith(part)) });
    this.#most = this.#hls.config.liveMaxLatencyDuration;
    const { Events, ErrorDetails } = Library;
    this.#hls.on(Events.ERROR, (_event, { fatal, details }: ErrorData) => {
      // hls.js has given the element another source then, which leaves it paused.
      if (fatal || details === ErrorDetails.MEDIA_SOURCE_REQUIRES_RESET) broken();
    });
    this.#hls.on(Events.FRAG_BUFFERED, (_event, { frag, part }: FragBufferedData) => {
      this.received += 1;
      const piece = `${frag.sn}.${part?.index ?? ''}`;
      this.#again = piece === this.#newest ? this.#again + 1 : 0;
      this.#newest = piece;
      if (this.#again >= AGAIN_MOST) broken();
    });
    this.#hls.on(Events.MANIFEST_PARSED, () => this.select(variant));
    this.#hls.loadSource(url);
    this.#hls.attachMedia(element);
  }

  get playing(): number | null {
    return this.#hls.playingDate?.getTime() ?? null;
  }

  get oldest(): number | null {
    const details = this.#hls.latestLevelDetails;
    const begun = details?.fragments[0]?.programDateTime;
    return begun && details ? begun + LEAVING * details.targetduration * 1000 : null;
  }

  get variant(): string | null {
    const level = this.#hls.levels[this.#hls.currentLevel] ?? this.#hls.levels[this.#hls.loadLevel];
    return this.#variants.find(({ url }) => level?.url.includes(url))?.name ?? null;
  }

  get behindLive(): number | null {
    const { media, liveSyncPosition } = this.#hls;
    return media && liveSyncPosition !== null ? liveSyncPosition - media.currentTime : null;
  }

  get target(): number {
    return this.#hls.targetLatency ?? 0;
  }

  catchUp(): void {
    const { target } = this;
    const { media } = this.#hls;
    const end = media?.buffered.length ? media.buffered.end(media.buffered.length - 1) : 0;
    if (media && end - target > media.currentTime) media.currentTime = end - target;
  }

  positionOf(at: number): number | null {
    const fragments = this.#hls.latestLevelDetails?.fragments ?? [];
    const within = fragments.findLast(({ programDateTime }) => (programDateTime ?? at + 1) <= at);
    if (within?.programDateTime == null) return null;
    const into = Math.min((at - within.programDateTime) / 1000, within.duration);
    return within.start + into;
  }

  hold(past: boolean): void {
    const { config } = this.#hls;
    const most = past ? Number.POSITIVE_INFINITY : this.#most;
    if (most === undefined) delete config.liveMaxLatencyDuration;
    else config.liveMaxLatencyDuration = most;
  }

  goLive(): void {
    const { media, liveSyncPosition } = this.#hls;
    if (media && liveSyncPosition !== null) media.currentTime = liveSyncPosition;
  }

  /** From the next segment on: what is in hand is played first, so nothing is heard of it. */
  select(name: string | null): void {
    const chosen = this.#variants.find((variant) => variant.name === name);
    this.#hls.loadLevel =
      chosen === undefined ? -1 : this.#hls.levels.findIndex(({ url }) => url.includes(chosen.url));
  }

  close(): void {
    this.#hls.destroy();
  }
}

const COMMON: Partial<HlsConfig> = {
  // Its worker is made from a blob, which the server's CSP forbids; there is nothing to transmux.
  enableWorker: false,
  // Playing faster to catch up can be heard on music.
  maxLiveSyncPlaybackRate: 1,
  backBufferLength: 10,
};

const closeWith = (part: number): Partial<HlsConfig> => ({
  lowLatencyMode: true,
  liveSyncDuration: CLOSE * part,
  liveMaxLatencyDuration: CLOSE_MOST * part,
  liveSyncOnStallIncrease: part,
});

const SAFE: Partial<HlsConfig> = {
  lowLatencyMode: false,
  liveSyncDurationCount: SEGMENTS_BEHIND,
  liveMaxLatencyDurationCount: SEGMENTS_MOST,
};

/** Older iPhones, and whatever has no Media Source: the browser plays, buffers and chooses by itself. */
class NativeEngine implements Engine {
  readonly #scope = new Scope();
  readonly #element: HTMLAudioElement & { getStartDate?(): Date };
  readonly #url: string;
  readonly #variants: readonly Variant[];
  readonly target = 0;
  readonly received = 0;
  readonly changesSmoothly = true;
  variant: string | null = null;

  constructor(element: HTMLAudioElement, url: string, { source, variant, broken }: EngineOptions) {
    this.#element = element;
    this.#url = url;
    this.#variants = source.variants;
    this.#scope.on(element, 'error', broken);
    this.select(variant);
  }

  get playing(): number | null {
    const start = this.#element.getStartDate?.().getTime() ?? Number.NaN;
    return Number.isFinite(start) ? start + this.#element.currentTime * 1000 : null;
  }

  get oldest(): number | null {
    const { seekable, currentTime } = this.#element;
    if (this.playing === null || seekable.length === 0) return null;
    return this.playing + (seekable.start(0) + SPARE - currentTime) * 1000;
  }

  get behindLive(): number | null {
    const { seekable, currentTime } = this.#element;
    return seekable.length === 0 ? null : seekable.end(seekable.length - 1) - currentTime;
  }

  /** A variant is pinned by playing its own media playlist. */
  select(name: string | null): void {
    const chosen = this.#variants.find((variant) => variant.name === name);
    const [only] = this.#variants;
    this.variant = chosen?.name ?? (this.#variants.length === 1 ? (only?.name ?? null) : null);
    const address = chosen?.url ?? this.#url;
    if (this.#element.src === address) return;
    const wasPlaying = !this.#element.paused;
    this.#element.src = address;
    if (wasPlaying) this.#element.play().catch(() => {});
  }

  catchUp(): void {}

  positionOf(at: number): number | null {
    const { playing } = this;
    return playing === null ? null : this.#element.currentTime + (at - playing) / 1000;
  }

  hold(): void {}

  goLive(): void {
    const { seekable } = this.#element;
    if (seekable.length > 0) this.#element.currentTime = seekable.end(seekable.length - 1);
  }

  close(): void {
    this.#scope.dispose();
    this.#element.removeAttribute('src');
    this.#element.load();
  }
}
