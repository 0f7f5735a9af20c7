/** The platform with time running faster, so that claims about seconds are checked in no time. */
import { type Platform, platform } from '../../client/net/platform.ts';
import { type Utc, utc } from '../../shared/time.ts';

/** The real network, with clock and timers `speed` times as fast, and chance as given. */
export const quickPlatform = ({ speed = 1, random = (): number => 0.5 } = {}): Platform => {
  const began = Date.now();
  const now = (): Utc => utc(began + (Date.now() - began) * speed);
  return {
    ...platform,
    now,
    wall: now,
    random,
    setTimeout: (action, delay) => platform.setTimeout(action, delay / speed),
  };
};
