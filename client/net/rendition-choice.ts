/** Which of a ladder of renditions a listener's network carries: a pure decision, fed once a second. */
import type { Utc } from '../../shared/time.ts';

/** What a listener's playout says of itself at a moment; counts are since it began. */
export type Evidence = {
  readonly at: Utc;
  /** Frames. */
  readonly received: number;
  readonly concealed: number;
  /** Times the sound jumped, or stood still for want of it. */
  readonly skips: number;
  /** Target delay of the jitter buffer, ms; 0 where there is none. */
  readonly target: number;
};

/** Evidence is looked at over this long, and says nothing of shares before it spans so much, ms. */
const WINDOW = 20_000;
const LEAST_SPAN = 10_000;
/** What is bad: this share of frames concealed, so many skips in the window, such a target delay, ms. */
const CONCEALED_MOST = 0.02;
const SKIPS_MOST = 2;
const TARGET_MOST = 800;
/** The jitter buffer remembers a peak for 28 s: an old target says nothing of a new rendition, ms. */
const TARGET_HOLDS = 30_000;
/** Calm before a higher rendition is tried; doubles up to the most while trying fails, ms. */
const CALM = 30_000;
const CALM_MOST = 480_000;

/** Goes down the ladder when it goes badly, and up again after calm; step 0 is the best rendition. */
export class RenditionChoice {
  #steps = 1;
  #step = 0;
  #window: Evidence[] = [];
  #calmSince: Utc | null = null;
  #patience = CALM;
  #changedAt: Utc | null = null;
  #raisedAt: Utc | null = null;

  /** Which step of the ladder is to be played. */
  get step(): number {
    return this.#step;
  }

  /** Calm that is asked for before the next try upwards, ms. */
  get patience(): number {
    return this.#patience;
  }

  /** So many renditions are on offer now. */
  offer(steps: number): void {
    this.#steps = Math.max(1, steps);
    this.#step = Math.min(this.#step, this.#steps - 1);
  }

  /** What came before says nothing of what comes: a new connection, or nobody was on the air. */
  interrupt(): void {
    this.#window = [];
    this.#calmSince = null;
  }

  /** Enters evidence, not older than any before, and answers with the step to play. */
  judge(evidence: Evidence): number {
    const { at } = evidence;
    this.#enter(evidence);
    if (this.#isBad(evidence)) {
      this.#calmSince = null;
      if (this.#step < this.#steps - 1) this.#lower(at);
      return this.#step;
    }
    this.#calmSince ??= at;
    if (this.#step > 0 && at - this.#calmSince >= this.#patience) this.#raise(at);
    return this.#step;
  }

  #enter(evidence: Evidence): void {
    const before = this.#window.at(-1);
    // Counts that go back are those of a playout that began anew.
    if (before !== undefined && evidence.received < before.received) this.interrupt();
    this.#window.push(evidence);
    while (evidence.at - (this.#window[0]?.at ?? evidence.at) > WINDOW) this.#window.shift();
  }

  #isBad({ at, received, concealed, skips, target }: Evidence): boolean {
    const first = this.#window[0];
    if (first === undefined) return false;
    if (skips - first.skips >= SKIPS_MOST) return true;
    const played = received - first.received + (concealed - first.concealed);
    if (at - first.at >= LEAST_SPAN && concealed - first.concealed > CONCEALED_MOST * played)
      return true;
    const counts = this.#changedAt === null || at - this.#changedAt >= TARGET_HOLDS;
    return counts && target >= TARGET_MOST;
  }

  /** A rendition that was gone up to and did not last makes the next try wait twice as long. */
  #lower(at: Utc): void {
    const failed =
      this.#raisedAt !== null && at - this.#raisedAt < Math.max(2 * CALM, this.#patience);
    this.#patience = failed ? Math.min(this.#patience * 2, CALM_MOST) : CALM;
    this.#raisedAt = null;
    this.#change(this.#step + 1, at);
  }

  #raise(at: Utc): void {
    this.#raisedAt = at;
    this.#change(this.#step - 1, at);
  }

  #change(step: number, at: Utc): void {
    this.#step = step;
    this.#changedAt = at;
    this.interrupt();
  }
}
