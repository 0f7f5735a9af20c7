/** Programmes that have ended and can still be played although another one has begun. */
import { type Millis, millis, type Samples, samples, samplesToMillis } from '../../shared/time.ts';
import type { Programme } from './programme.ts';
import type { Timers } from './reload.ts';
import type { Grid } from './track.ts';

/** How long each can be played, ms, or as long as its playlist was (RFC 8216bis 6.2.1). */
const KEPT = 120_000;
/** How many there can be besides the newest: each has some segments in memory. */
const MOST = 20;

/** Keeps each for a while, then removes it with its folder. */
export class OldProgrammes {
  readonly #kept = new Map<string, Programme>();
  readonly #keptFor: Millis;
  readonly #timers: Pick<Timers, 'after'>;

  constructor({
    window,
    grid,
    timers,
  }: { window: Samples; grid: Grid; timers: Pick<Timers, 'after'> }) {
    const span = samplesToMillis(samples(window + 3 * grid.segment));
    this.#keptFor = millis(Math.max(KEPT, span));
    this.#timers = timers;
  }

  get(secret: string): Programme | undefined {
    return this.#kept.get(secret);
  }

  get all(): readonly Programme[] {
    return [...this.#kept.values()];
  }

  add(programme: Programme): void {
    this.#kept.set(programme.secret, programme);
    this.#timers.after(this.#keptFor, () => this.#drop(programme));
    const [oldest] = this.#kept.values();
    if (oldest !== undefined && this.#kept.size > MOST) this.#drop(oldest);
  }

  #drop(programme: Programme): void {
    if (this.#kept.get(programme.secret) !== programme) return;
    this.#kept.delete(programme.secret);
    void programme.close().then(() => programme.folder.remove());
  }
}
