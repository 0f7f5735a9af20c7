/**
 * The media element: the way of the sound over HLS. It asks the playlists first, plays while there
 * is something to play, and begins anew, by itself and for ever, after whatever goes wrong.
 */
import { Backoff } from '../../shared/backoff.ts';
import { type Utc, utc } from '../../shared/time.ts';
import { RenditionChoice } from '../net/rendition-choice.ts';
import { Scope } from '../scope.ts';
import { Insistence } from './insistence.ts';
import { canPlayParts, type Engine, openEngine, playsByItself } from './media-element-engine.ts';
import { type ElementEvent, type ElementOptions, NOTHING_TO_PLAY } from './media-element-events.ts';
import { ElementPast } from './media-element-past.ts';
import { type LiveSource, readSource, type Variant } from './media-element-source.ts';
import { Watch } from './media-element-watch.ts';
import { ServerClock } from './server-clock.ts';

/** How a play came to its end. */
type Outcome = 'ended' | 'broken' | 'stuck' | 'changed' | 'unplayable';

/** While there is nothing to play the playlist is asked this often, ms. */
const ASK_EVERY = 2000;
const READ_EVERY = 250;
/** Without any progress for so long playing begins anew, ms. */
const STUCK_CLOSE = 5000;
const STUCK_SAFE = 12_000;
/** After so long of play the next trouble waits shortly again, ms. */
const SETTLED_AFTER = 15_000;
/** Close to live so much more in hand than aimed at is left out after so long without a stall: s, ms. */
const TOO_MUCH = 1.2;
const CALM = 12_000;
/** What lies between an element's position and the ear, where no browser tells it, seconds. */
const OUTPUT_LATENCY = 0.04;

/** Plays a channel's HLS on an element until it is closed. */
export class MediaElementPlayer {
  readonly #element: HTMLAudioElement;
  readonly #url: string;
  readonly #lowLatency: boolean;
  readonly #post: (event: ElementEvent) => void;
  readonly #scope = new Scope();
  readonly #aborter = new AbortController();
  readonly #clock: ServerClock;
  readonly #backoff = new Backoff({ least: 500, most: 8000 });
  readonly #choice = new RenditionChoice();
  readonly #insistence = new Insistence();
  readonly #past: ElementPast;
  /** The present play, or the wait for the next. */
  #turn = new Scope();
  #variants: readonly Variant[] = [];
  #pinned: string | null = null;
  #engine: Engine | null = null;
  /** Ends the present play. */
  #end: (outcome: Outcome) => void = () => {};
  /** The browser keeps the sound back, or something else has paused it. */
  #awaitsPress = false;
  #stalls = 0;
  #jumps = 0;
  #received = 0;

  constructor(element: HTMLAudioElement, options: ElementOptions) {
    this.#element = element;
    this.#url = options.url;
    this.#clock = new ServerClock(options.timeUrl, options.clockOffset);
    this.#lowLatency = options.lowLatency;
    this.#post = (event) => {
      if (!this.#scope.disposed) options.post(event);
    };
    this.#past = new ElementPast(element, {
      now: () => utc(Date.now() + this.clockOffset),
      from: options.from,
      post: this.#post,
    });
    this.#scope.add(() => this.#aborter.abort());
    this.#scope.add(() => this.#turn.dispose());
  }

  /** The server's clock less this browser's, ms. */
  get clockOffset(): number {
    return this.#clock.offset;
  }

  /** Begins, and goes on until `close`. */
  start(): void {
    void this.#run();
  }

  /** Linear, 0 to 1; iPhones leave it to their buttons. */
  set volume(linear: number) {
    this.#element.volume = Math.min(1, Math.max(0, linear));
  }

  /** Pins a variant; null chooses by what the network carries. */
  select(variant: string | null): void {
    this.#pinned = variant;
    this.#choice.interrupt();
    this.#change();
  }

  /** Goes so far behind live, seconds, as far as the window reaches; 0 is live. */
  seek(behind: number): void {
    this.#past.seek(behind);
  }

  /** Plays the past so much faster, without a change of pitch, until it has come to live. */
  setRate(rate: number): void {
    this.#past.setRate(rate);
  }

  /** Stops the sound and gives the element back. */
  close(): void {
    this.#scope.dispose();
    this.#element.playbackRate = 1;
    this.#element.pause();
  }

  async #run(): Promise<void> {
    while (!this.#scope.disposed) {
      const source = await this.#read();
      if (this.#scope.disposed) return;
      if (source.is !== 'live') {
        if (source.is === 'ended' || source.is === 'missing') this.#past.forget();
        this.#post({ type: NOTHING_TO_PLAY[source.is] });
        await this.#wait(source.is === 'unreachable' ? this.#backoff.next() : ASK_EVERY);
        continue;
      }
      const outcome = await this.#play(source);
      if (this.#scope.disposed) return;
      if (outcome === 'changed') continue;
      if (outcome === 'unplayable') return this.#post({ type: outcome });
      if (outcome === 'ended') this.#past.forget();
      if (outcome === 'ended' || outcome === 'stuck') this.#post({ type: outcome });
      await this.#wait(outcome === 'ended' ? ASK_EVERY : this.#backoff.next());
    }
  }

  #read(): ReturnType<typeof readSource> {
    const { signal } = this.#aborter;
    void this.#clock.ask(signal);
    return readSource(this.#url, signal);
  }

  /** One play, from the live edge until it ends or breaks. */
  async #play(source: LiveSource): Promise<Outcome> {
    const play = this.#nextTurn();
    this.#variants = source.variants;
    this.#choice.offer(source.variants.length);
    this.#choice.interrupt();
    const part = this.#lowLatency && canPlayParts() ? source.part : null;
    const lowLatency = part !== null;
    this.#post({ type: 'live', variants: source.variants, lowLatency });
    try {
      return await new Promise((resolve) => {
        this.#end = resolve;
        const broken = (): void => resolve('broken');
        play.add(broken);
        const options = { source, part, variant: this.#wanted, broken };
        openEngine(this.#element, this.#url, options).then(
          (engine) => {
            if (play.disposed) engine.close();
            else this.#watch(play, play.own(engine), lowLatency);
          },
          () => resolve('unplayable'),
        );
      });
    } finally {
      this.#received += this.#engine?.received ?? 0;
      this.#engine = null;
      play.dispose();
    }
  }

  #watch(play: Scope, engine: Engine, lowLatency: boolean): void {
    const element = this.#element;
    this.#engine = engine;
    const watch = new Watch(element, { stuckAfter: lowLatency ? STUCK_CLOSE : STUCK_SAFE });
    this.#past.attach(engine, () => watch.moved());
    play.on(element, 'ended', () => this.#end('ended'));
    const blocked = (): void => {
      this.#awaitsPress = true;
      this.#post({ type: 'blocked' });
    };
    play.on(element, 'playing', () => {
      this.#awaitsPress = false;
      this.#post({ type: 'unblocked' });
    });
    play.on(element, 'pause', () => {
      // Not ours: a call, an unplugged headset, the system. The end of a broadcast pauses, too.
      if (element.paused && !element.ended) blocked();
    });
    play.add(() => {
      this.#stalls += watch.stalls;
      this.#jumps += watch.jumps;
    });
    play.every(READ_EVERY, () => {
      if (!this.#clock.isKnown) void this.#clock.ask(this.#aborter.signal);
      watch.look(performance.now(), { awaitsPress: this.#awaitsPress });
      this.#past.look();
      if (watch.playedFor > SETTLED_AFTER) this.#backoff.reset();
      this.#tell(engine, watch);
      if (watch.isStuck) this.#end('stuck');
      else if (lowLatency) {
        if (!this.#past.shifted) this.#stayClose(engine, watch);
        this.#judge(watch);
      }
      this.#insist(engine);
    });
    // What a person or the system has silenced does not begin to sound by itself.
    if (this.#awaitsPress) return;
    element.play().catch((error: unknown) => {
      if (play.disposed || !(error instanceof DOMException)) return;
      if (error.name === 'NotAllowedError') blocked();
    });
  }

  #tell(engine: Engine, watch: Watch): void {
    const { playing } = engine;
    const now = Date.now() + this.clockOffset;
    const hears = playing !== null && (watch.phase === 'playing' || this.#past.shifted);
    this.#post({
      type: 'reading',
      reading: {
        phase: watch.phase,
        delay: hears ? (now - playing) / 1000 + OUTPUT_LATENCY : null,
        buffered: watch.buffered * 1000,
        target: engine.target * 1000,
        stalls: this.#stalls + watch.stalls,
        jumps: this.#jumps + watch.jumps,
        received: this.#received + engine.received,
        variant: engine.variant,
      },
    });
  }

  /** What a stall left in hand is left out again once the network has been calm for a while. */
  #stayClose(engine: Engine, watch: Watch): void {
    const tooMuch = engine.target > 0 && watch.buffered - engine.target > TOO_MUCH;
    if (tooMuch && watch.playedFor > CALM) engine.catchUp();
  }

  /** Close to live hls.js's own choice loses the thread (MEASURED): a stall or two decide instead. */
  #judge(watch: Watch): void {
    if (this.#chosen !== null || playsByItself()) return;
    const before = this.#choice.step;
    const at = performance.now() as Utc;
    const skips = this.#stalls + watch.stalls;
    this.#choice.judge({ at, received: 0, concealed: 0, skips, target: 0 });
    if (this.#choice.step !== before) this.#change();
  }

  /** After requests that failed hls.js has chosen another variant, and keeps to that. */
  #insist({ variant }: Engine): void {
    const wanted = this.#wanted ?? variant;
    if (this.#insistence.isDue(performance.now(), (variant ?? wanted) === wanted)) this.#change();
  }

  /**
   * Goes over to the variant wanted. Close to live hls.js often stops fetching parts when it
   * changes inside a segment, whichever way it is asked; a new beginning is a much shorter gap.
   */
  #change(): void {
    const engine = this.#engine;
    if (engine === null) return;
    if (engine.changesSmoothly) {
      engine.select(this.#wanted);
      // There it is another address, and begins at live.
      if (playsByItself()) this.#past.again();
    } else if (engine.variant !== this.#wanted) this.#end('changed');
  }

  /** What a person has chosen, as long as it is there: after a restart the ladder may be another. */
  get #chosen(): string | null {
    return this.#variants.find(({ name }) => name === this.#pinned)?.name ?? null;
  }

  /** With hls.js close to live a variant is always pinned; else a person's choice, or the player's. */
  get #wanted(): string | null {
    if (this.#chosen !== null || playsByItself()) return this.#chosen;
    return this.#lowLatency ? (this.#variants[this.#choice.step]?.name ?? null) : null;
  }

  #wait(ms: number): Promise<void> {
    const turn = this.#nextTurn();
    return new Promise((resolve) => {
      turn.after(ms, resolve);
      turn.add(resolve);
    });
  }

  #nextTurn(): Scope {
    this.#turn.dispose();
    this.#turn = new Scope();
    return this.#turn;
  }
}
