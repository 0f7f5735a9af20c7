/** Time and lengths as the process has them, for what is told both. */
import { type Millis, type Samples, samples } from '../../shared/time.ts';
import type { Timers } from './reload.ts';

/** Length of a window given in seconds. */
export const windowSamples = (seconds: number): Samples => samples(Math.round(seconds * 48_000));

/** Timers of the process, for whoever waits. */
export const processTimers = (now: () => Millis): Timers => ({
  now,
  after: (span, act) => {
    const timer = setTimeout(act, span);
    timer.unref();
    return () => clearTimeout(timer);
  },
});
