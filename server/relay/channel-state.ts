/** The life of a channel, as a pure reducer: idle, live, holding, filling, ended. */
import type { ChannelStateName } from '../../shared/control.ts';
import type { Millis } from '../../shared/time.ts';

/** No frame for so long while a broadcast is on: the channel holds, and listeners are told, ms. */
export const HOLD_AFTER = 480;

/** No frame for so long: the packager no longer waits but fills with silence, ms (ARCHITECTURE). */
export const FILL_AFTER = 960;

/** No publisher for so long: the broadcast has ended, ms. */
export const GRACE = 90_000;

/** What can happen to a channel. */
export type ChannelEvent =
  | { readonly type: 'frame' }
  /** Time passed since the newest frame. */
  | { readonly type: 'silence'; readonly lasted: Millis }
  | { readonly type: 'bye' };

/** The state after an event; the same state where the event changes nothing. */
export const nextChannelState = (
  state: ChannelStateName,
  event: ChannelEvent,
): ChannelStateName => {
  if (event.type === 'frame') return 'live';
  if (state === 'idle' || state === 'ended') return state;
  if (event.type === 'bye' || event.lasted >= GRACE) return 'ended';
  if (event.lasted >= FILL_AFTER) return 'filling';
  if (event.lasted >= HOLD_AFTER) return 'holding';
  return state;
};
