/** Whether an element that should play does: looked at regularly, because its events tell too little. */

/** What is looked at of a media element. */
export type Watched = Pick<
  HTMLMediaElement,
  'currentTime' | 'paused' | 'ended' | 'playbackRate'
> & { readonly buffered: Pick<TimeRanges, 'length' | 'start' | 'end'> };

/** A longer time between two looks is the page's own sleep and not the element's, ms. */
const LONGEST_LOOK = 1000;
/** Standing still so long is a stall that a person hears; the clock itself goes in steps, ms. */
const STALL = 300;
/** The position went on so much further than the time: it jumped, seconds. */
const JUMP = 0.5;

/** Follows one play of an element. */
export class Watch {
  readonly #element: Watched;
  readonly #stuckAfter: number;
  #lookedAt: number | null = null;
  #position: number;
  #stillFor = 0;
  #stalling = false;
  hasPlayed = false;
  /** Time played since the last stall, ms. */
  playedFor = 0;
  stalls = 0;
  jumps = 0;

  constructor(element: Watched, { stuckAfter }: { readonly stuckAfter: number }) {
    this.#element = element;
    this.#stuckAfter = stuckAfter;
    this.#position = element.currentTime;
  }

  /**
   * Has not moved for longer than it may, and no press would help. An element is also paused, without
   * a word, when its source is taken from it.
   */
  get isStuck(): boolean {
    return this.#stillFor >= this.#stuckAfter;
  }

  get phase(): 'priming' | 'playing' | 'starved' {
    if (!this.hasPlayed) return 'priming';
    return this.#stalling || this.#element.paused ? 'starved' : 'playing';
  }

  /** Sound in hand, seconds. */
  get buffered(): number {
    const { buffered, currentTime } = this.#element;
    for (let range = 0; range < buffered.length; range += 1)
      if (buffered.start(range) <= currentTime + 0.1 && currentTime < buffered.end(range))
        return buffered.end(range) - currentTime;
    return 0;
  }

  /** Its position was set: that is neither a jump, nor a stall until it plays there. */
  moved(): void {
    this.#position = this.#element.currentTime;
    this.#stillFor = 0;
    this.#stalling = false;
    this.hasPlayed = false;
  }

  /** Looks at the element at a moment of a steady clock, ms; or it waits for a press. */
  look(now: number, { awaitsPress = false } = {}): void {
    const elapsed = Math.min(now - (this.#lookedAt ?? now), LONGEST_LOOK);
    const moved = this.#element.currentTime - this.#position;
    const real = now - (this.#lookedAt ?? now);
    this.#lookedAt = now;
    this.#position = this.#element.currentTime;
    if ((awaitsPress && this.#element.paused) || this.#element.ended) this.#stillFor = 0;
    else if (moved === 0) this.#still(elapsed);
    else this.#move(moved, real);
  }

  #still(elapsed: number): void {
    this.#stillFor += elapsed;
    if (this.#stillFor < STALL || this.#stalling) return;
    this.#stalling = true;
    this.playedFor = 0;
    if (this.hasPlayed) this.stalls += 1;
  }

  #move(moved: number, elapsed: number): void {
    // The first move is the one to where the live edge was found.
    if (this.hasPlayed && Math.abs(moved - elapsed / 1000) > JUMP && moved > 0 && !this.#stalling)
      this.jumps += 1;
    this.#stillFor = 0;
    this.#stalling = false;
    if (moved < 0 || moved > elapsed / 1000 + JUMP) return;
    this.hasPlayed = true;
    this.playedFor += elapsed;
  }
}
