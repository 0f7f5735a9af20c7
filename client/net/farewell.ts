/** How long a publisher that leaves waits for what was said to be sent. */
import type { PlatformScope } from './platform.ts';

/** What the worklet had under way when it was told to stop arrives within this, ms. */
const STOP_GRACE = 40;
/** A goodbye waits so long for an answer when there is nothing left to send, ms. */
const LEAVE_WITHIN = 2000;
/** And so long, over every reconnect, while something that was said is still here, ms. */
const SEND_WITHIN = 60_000;
const LOOK_EVERY = 250;

/**
 * Calls `stopped` when the last packet must have come, and `over` when nothing is due any more or
 * nobody can wait longer; whoever could say goodbye before then has disposed of the scope.
 */
export const farewell = (
  scope: PlatformScope,
  options: {
    readonly stopped: () => void;
    readonly isDue: () => boolean;
    readonly over: () => void;
  },
): void => {
  const { stopped, isDue, over } = options;
  const look = (waited: number): void => {
    if (!isDue() || waited >= SEND_WITHIN) over();
    else scope.after(LOOK_EVERY, () => look(waited + LOOK_EVERY));
  };
  scope.after(STOP_GRACE, stopped);
  scope.after(LEAVE_WITHIN, () => look(LEAVE_WITHIN));
};
