/** Time that moves when it is told to. */
import type { Timers } from '../../server/packager/reload.ts';
import { type Millis, millis } from '../../shared/time.ts';

/** Timers of nobody's clock; those due run when `pass` is called. */
export class HandClock implements Timers {
  #now = 0;
  readonly #due = new Map<() => void, number>();

  readonly now = (): Millis => millis(this.#now);
  readonly after = (span: Millis, act: () => void): (() => void) => {
    const run = (): void => act();
    this.#due.set(run, this.#now + span);
    return () => this.#due.delete(run);
  };

  get timers(): number {
    return this.#due.size;
  }

  pass(span: number): void {
    this.#now += span;
    for (const [act, due] of [...this.#due]) {
      if (due > this.#now) continue;
      this.#due.delete(act);
      act();
    }
  }
}
