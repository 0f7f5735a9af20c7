/** What a listener's session is doing. */
import type { FrameId, ListenerMessage, ToListenerMessage } from '../../shared/control.ts';
import type { Millis } from '../../shared/time.ts';
import type { TimeShift } from './time-shift.ts';

/** hello, entering, priming, following, lagging; shifted into the past; paused, closed. */
export type ListenerState =
  | { readonly is: 'hello' }
  /** Has said hello, and where it wants to be is being looked for; what it wants then, after that. */
  | {
      readonly is: 'entering';
      readonly wished: Extract<ListenerMessage, { type: 'pause' | 'seek' }> | null;
    }
  /** Frames up to `live` are priming or replay; they are owed in one go and not held against it. */
  | { readonly is: 'priming'; readonly live: FrameId; readonly replay: Millis }
  | { readonly is: 'following' }
  | { readonly is: 'lagging' }
  | { readonly is: 'shifted'; readonly shift: TimeShift }
  | { readonly is: 'paused' }
  | { readonly is: 'closed' };

/** At the live edge, where what is still to be replayed comes first. */
export const startingAt = (live: FrameId | null, replay: Millis): ListenerState =>
  live === null ? { is: 'following' } : { is: 'priming', live, replay };

/** Whether what the channel tells everybody belongs to a moment that this listener has yet to hear. */
export const isYetToCome = (message: ToListenerMessage, state: ListenerState): boolean => {
  if (state.is !== 'shifted') return false;
  if (message.type === 'clock') return message.epoch !== state.shift.epoch;
  return message.type === 'state' || message.type === 'metadata';
};

/** Whether it hears, or is about to hear, what is said now. */
export const isLive = ({ is }: ListenerState): boolean =>
  is === 'priming' || is === 'following' || is === 'lagging';
