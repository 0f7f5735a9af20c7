/**
 * Back in the window of a playlist and to live again. The place is kept as the time of capture, so
 * that it outlives an engine: one that begins anew goes on where the last one was heard.
 */
import { type Utc, utc } from '../../shared/time.ts';
import type { Engine } from './media-element-engine.ts';

/** A place closer to live than this is live, and so is who catches up and has come so close, seconds. */
const LIVE_WITHIN = 1;
const ARRIVED_WITHIN = 0.5;
/** The window moves on in steps of a segment; smaller ones are no news, ms. */
const REACH_STEP = 500;

/** What is told of the past; times are those of capture, by the server's clock. */
export type PastEvent =
  | { readonly type: 'place'; readonly shifted: boolean }
  /** The oldest that can be heard again. */
  | { readonly type: 'reach'; readonly since: Utc }
  | { readonly type: 'rate'; readonly rate: number };

type Element = Pick<HTMLMediaElement, 'currentTime' | 'playbackRate'>;

/** Where an element hears, over all its engines. */
export class ElementPast {
  readonly #element: Element;
  readonly #now: () => Utc;
  readonly #post: (event: PastEvent) => void;
  #engine: Engine | null = null;
  #moved: () => void = () => {};
  /** What is heard, or will be once it can; null at live. */
  #place: Utc | null;
  /** The engine has not gone there yet. */
  #due: boolean;
  #since: Utc | null = null;

  constructor(
    element: Element,
    options: {
      /** UTC by the server's clock. */
      readonly now: () => Utc;
      /** Where to begin; null: live. */
      readonly from: Utc | null;
      readonly post: (event: PastEvent) => void;
    },
  ) {
    this.#element = element;
    this.#now = options.now;
    this.#post = options.post;
    this.#place = options.from;
    this.#due = options.from !== null;
  }

  get shifted(): boolean {
    return this.#place !== null;
  }

  /** Another engine plays from now on; `moved` is called when its position was set. */
  attach(engine: Engine, moved: () => void): void {
    this.#engine = engine;
    this.#moved = moved;
    this.again();
  }

  /** What plays is over: the next is heard at live. */
  forget(): void {
    if (this.#place !== null) this.#arrive();
    this.#engine = null;
    this.#since = null;
  }

  /** The engine begins anew by itself. */
  again(): void {
    this.#due = this.#place !== null;
  }

  /** Goes so far behind the microphone, seconds; 0 is live. */
  seek(behind: number): void {
    if (behind === 0) return this.#goLive();
    this.#place = utc(this.#now() - behind * 1000);
    this.#due = true;
    this.look();
  }

  /** Plays the past so much faster; browsers keep the pitch. */
  setRate(rate: number): void {
    if (this.#place === null) return;
    this.#element.playbackRate = rate;
    this.#post({ type: 'rate', rate });
  }

  /** Looks at what is heard, several times a second. */
  look(): void {
    const engine = this.#engine;
    if (engine === null) return;
    const { playing, oldest } = engine;
    if (playing === null) return;
    if (oldest !== null && Math.abs(oldest - (this.#since ?? 0)) > REACH_STEP) {
      this.#since = utc(oldest);
      this.#post({ type: 'reach', since: this.#since });
    }
    if (this.#place === null) return;
    if (this.#due && oldest !== null) this.#go(engine, Math.max(this.#place, oldest));
    else if (!this.#due) this.#follow(engine, playing);
  }

  #go(engine: Engine, place: number): void {
    const { behindLive } = engine;
    const position = engine.positionOf(place);
    if (behindLive === null || position === null) return;
    this.#due = false;
    const live = this.#element.currentTime + behindLive;
    if (live - position <= LIVE_WITHIN) return this.#goLive();
    engine.hold(true);
    this.#place = utc(place);
    this.#element.currentTime = position;
    this.#moved();
    this.#element.playbackRate = 1;
    this.#post({ type: 'place', shifted: true });
  }

  /** Who catches up comes to live, and so does whoever was taken there from what has left the window. */
  #follow(engine: Engine, playing: number): void {
    this.#place = utc(playing);
    if (engine.behindLive !== null && engine.behindLive <= ARRIVED_WITHIN) this.#arrive();
  }

  #goLive(): void {
    this.#arrive();
    this.#engine?.goLive();
    this.#moved();
  }

  #arrive(): void {
    this.#place = null;
    this.#due = false;
    this.#element.playbackRate = 1;
    this.#engine?.hold(false);
    this.#post({ type: 'place', shifted: false });
  }
}
