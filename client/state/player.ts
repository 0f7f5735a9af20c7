/** The player: what a listener's page is doing, as a pure reducer. */
import type { ChannelStateName } from '../../shared/control.ts';
import type { PlayoutReading } from '../../worklets/port.ts';
import type { Refusal } from '../net/messages.ts';

/** Why there is nothing to hear although somebody listens. */
export type Silence = 'off-air' | 'server' | Refusal;

/** What the player does between Listen and Pause. */
export type Listening =
  /** `tries` that failed; `again` when there was a connection before. */
  | { readonly is: 'connecting'; readonly tries: number; readonly again: boolean }
  | { readonly is: 'buffering' }
  | { readonly is: 'playing' }
  /** No sound although the channel is on the air: none is sent, or none comes through. */
  | { readonly is: 'stalled'; readonly why: 'broadcaster' | 'network' }
  | { readonly is: 'offline'; readonly why: Silence }
  | { readonly is: 'ended' };

/** What the player is doing. */
export type Player =
  | { readonly is: 'idle' }
  | Listening
  /** The browser keeps the sound back until it is asked by a press; `under` is what goes on. */
  | { readonly is: 'blocked'; readonly under: Listening };

/** What the listener does, and what happens to them. */
export type PlayerEvent =
  | { readonly type: 'listen' }
  | { readonly type: 'pause' }
  | { readonly type: 'blocked' }
  | { readonly type: 'unblocked' }
  | { readonly type: 'connecting' }
  /** The sound comes another way from now on. */
  | { readonly type: 'moved' }
  | { readonly type: 'lost' }
  | { readonly type: 'refused'; readonly why: Refusal }
  | { readonly type: 'welcome'; readonly onAir: boolean }
  | { readonly type: 'state'; readonly channel: ChannelStateName }
  /** The sound stands still for long, while there is some to be had. */
  | { readonly type: 'stuck' }
  | { readonly type: 'playout'; readonly phase: PlayoutReading['phase'] };

/** Whether an event says that something is heard. */
export const isSound = (of: PlayerEvent): boolean =>
  of.type === 'playout' && of.phase === 'playing';

/** Failed tries after which the page stops saying that it is connecting. */
export const PATIENCE = 5;

/** The player as it is when the page opens. */
export const IDLE: Player = { is: 'idle' };

/** What the player is doing after an event; the same object when the event changes nothing. */
export const player = (state: Player, event: PlayerEvent): Player => {
  if (event.type === 'pause') return state.is === 'idle' ? state : IDLE;
  if (state.is === 'idle')
    return event.type === 'listen' ? { is: 'connecting', tries: 0, again: false } : state;
  if (state.is === 'blocked') {
    if (event.type === 'unblocked') return state.under;
    const under = listening(state.under, event);
    return under === state.under ? state : { is: 'blocked', under };
  }
  if (event.type === 'blocked') return { is: 'blocked', under: state };
  return listening(state, event);
};

/** A refusal is final: only Pause and Listen lead out of it. */
const isFinal = (state: Listening): boolean =>
  state.is === 'offline' && state.why !== 'off-air' && state.why !== 'server';

const listening = (state: Listening, event: PlayerEvent): Listening => {
  if (isFinal(state)) return state;
  switch (event.type) {
    case 'moved':
      return become(state, 'buffering');
    case 'lost':
      return afterLoss(state);
    case 'refused':
      return { is: 'offline', why: event.why };
    case 'welcome':
      if (!event.onAir) return silent(state, 'off-air');
      // Another try of a way that is stuck is no news until something is heard.
      return isStuck(state) ? state : become(state, 'buffering');
    case 'state':
      return channelBecame(state, event.channel);
    case 'stuck':
      return state.is === 'buffering' || state.is === 'playing' ? STUCK : state;
    case 'playout':
      return heard(state, event.phase);
    default:
      return state;
  }
};

const STUCK: Listening = { is: 'stalled', why: 'network' };

const isStuck = (state: Listening): boolean => state.is === 'stalled' && state.why === 'network';

const become = (state: Listening, is: 'buffering' | 'playing' | 'ended'): Listening =>
  state.is === is ? state : { is };

const silent = (state: Listening, why: 'off-air' | 'server'): Listening =>
  state.is === 'offline' && state.why === why ? state : { is: 'offline', why };

const afterLoss = (state: Listening): Listening => {
  if (state.is === 'offline' && state.why === 'server') return state;
  if (state.is !== 'connecting') return { is: 'connecting', tries: 1, again: true };
  const tries = state.tries + 1;
  return tries >= PATIENCE ? { is: 'offline', why: 'server' } : { ...state, tries };
};

const channelBecame = (state: Listening, channel: ChannelStateName): Listening => {
  switch (channel) {
    case 'live':
      // Sound that plays on through a short hold never stopped.
      return state.is === 'playing' ? state : become(state, 'buffering');
    case 'holding':
    case 'filling':
      return state.is === 'stalled' && !isStuck(state)
        ? state
        : { is: 'stalled', why: 'broadcaster' };
    case 'idle':
      return silent(state, 'off-air');
    case 'ended':
      return become(state, 'ended');
  }
};

const heard = (state: Listening, phase: PlayoutReading['phase']): Listening => {
  // What is still in hand after a stall, an end or a lost connection does not change the state.
  if (state.is === 'buffering' || isStuck(state))
    return phase === 'playing' ? { is: 'playing' } : state;
  if (state.is === 'playing') return phase === 'playing' ? state : { is: 'buffering' };
  return state;
};
