/** A child process that is always there: watched, and replaced when it dies or gives no output. */
import type { FastifyBaseLogger } from 'fastify';
import { Backoff } from '../../shared/backoff.ts';
import { SAMPLE_RATE } from '../../shared/time.ts';
import { Child, type ChildOwner } from './child.ts';
import type { AacName, FromChild, Outcome, ToChild } from './messages.ts';

/** How often the watchdog looks, ms. When it comes later than twice that, the parent stood still. */
const WATCH = 250;

/** A child that gave nothing for so long, ms, while it was given so many samples, is stuck. */
const STUCK = 2000;
const STUCK_INPUT = 2 * SAMPLE_RATE;

/** How long a child may take until it is ready, ms. */
const START = 10_000;

/** A child that ran for so long, ms, was a good one: the next may start at once. */
const PROVEN = 10_000;

/** Where the log lines go. */
export type TranscoderLog = Pick<FastifyBaseLogger, 'warn' | 'error'>;

/** What the owner of a lasting child hears. */
export interface LastingChildOwner {
  /**
   * A child is ready for its first messages; all that the one before had is forgotten. False: it has
   * not what it needs, and another one is to try.
   */
  ready(aac: AacName | null): boolean;
  outcome(outcome: Outcome): void;
  /** A child was lost that had got its messages and made nothing of them; `times` in a row. */
  fruitless(times: number): void;
  /** A child was lost before it was ready; `times` in a row. */
  stillborn(times: number): void;
}

/** Keeps one child running until it is closed. */
export class LastingChild {
  readonly #owner: LastingChildOwner;
  readonly #encoders: readonly AacName[];
  readonly #log: TranscoderLog;
  readonly #now: () => number;
  readonly #backoff = new Backoff();
  readonly #watch: NodeJS.Timeout;
  #child: Child | undefined;
  #ready = false;
  #closed = false;
  #restart: NodeJS.Timeout | undefined;
  /** Deaths since a child proved itself. */
  #deaths = 0;
  #fruitless = 0;
  #stillborn = 0;
  #gaveOutput = false;
  #startedAt = 0;
  /** Time without output in which the parent could have heard it, ms. */
  #silent = 0;
  #lookedAt = 0;
  #fed = 0;
  #restarts = 0;
  #stalls = 0;

  constructor(
    owner: LastingChildOwner,
    options: {
      readonly encoders: readonly AacName[];
      readonly log: TranscoderLog;
      readonly now: () => number;
    },
  ) {
    this.#owner = owner;
    this.#encoders = options.encoders;
    this.#log = options.log;
    this.#now = options.now;
    this.#lookedAt = options.now();
    this.#start();
    this.#watch = setInterval(() => this.#judge(), WATCH);
    this.#watch.unref();
  }

  /** Whether messages reach a child that is ready for them. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Process id of the running child. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Children after the first. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Children that were ended because they gave no output. */
  get stalls(): number {
    return this.#stalls;
  }

  send(message: ToChild): void {
    this.#child?.send(message);
  }

  /** There are so many samples more for it to make something of. */
  fed(count: number): void {
    // It cannot answer what nobody asked.
    if (this.#fed === 0) this.#silent = 0;
    this.#fed += count;
  }

  /** It made what was expected of it. */
  heard(): void {
    this.#fed = 0;
    this.#silent = 0;
    this.#gaveOutput = true;
    this.#fruitless = 0;
  }

  /** Ends the running child, if any, because of what the sentence says; another one follows. */
  replace(sentence: string): void {
    if (this.#child === undefined) return;
    this.#stalls += 1;
    this.#child.kill();
    this.#lost(sentence);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#watch);
    clearTimeout(this.#restart);
    const child = this.#child;
    this.#child = undefined;
    this.#ready = false;
    await child?.leave();
  }

  #start(): void {
    this.#startedAt = this.#now();
    this.#silent = 0;
    this.#fed = 0;
    this.#gaveOutput = false;
    const owner: ChildOwner = {
      received: (message) => this.#received(message),
      lost: (reason) => this.#lost(`It ended by itself: ${reason}.`),
    };
    try {
      this.#child = new Child(owner, { encoders: this.#encoders });
    } catch (error) {
      // A machine without memory refuses here; whoever feeds us must not stand in for that.
      this.#restart = setTimeout(() => this.#lost(`It could not be started: ${error}.`));
    }
  }

  #received(message: FromChild): void {
    if (message.kind === 'outcome') {
      this.#owner.outcome(message);
      return;
    }
    this.#ready = true;
    this.#silent = 0;
    if (this.#owner.ready(message.aac)) {
      this.#stillborn = 0;
      return;
    }
    this.#ready = false;
    this.replace('It finds no AAC encoder any more.');
  }

  #lost(sentence: string): void {
    const { ready: wasReady } = this;
    this.#child = undefined;
    this.#ready = false;
    if (this.#closed) return;
    if (this.#gaveOutput && this.#now() - this.#startedAt >= PROVEN) {
      this.#deaths = 0;
      this.#backoff.reset();
    }
    const wait = this.#deaths === 0 ? 0 : this.#backoff.next();
    this.#deaths += 1;
    this.#log.warn({ wait, deaths: this.#deaths }, `A transcoder child is replaced. ${sentence}`);
    if (!wasReady) this.#owner.stillborn(++this.#stillborn);
    else if (!this.#gaveOutput) this.#owner.fruitless(++this.#fruitless);
    this.#restart = setTimeout(() => {
      this.#restarts += 1;
      this.#start();
    }, wait);
  }

  #judge(): void {
    const now = this.#now();
    this.#silent += Math.min(now - this.#lookedAt, 2 * WATCH);
    this.#lookedAt = now;
    if (this.#child === undefined) return;
    const silent = this.#silent;
    if (!this.#ready && silent >= START)
      this.replace(`It was not ready after ${Math.round(silent)} ms.`);
    else if (this.#ready && silent >= STUCK && this.#fed >= STUCK_INPUT)
      this.replace(`It gave nothing for ${Math.round(silent)} ms and ${this.#fed} samples.`);
  }
}
