/**
 * The broadcaster: what a studio page is doing, as a pure reducer. Settings (mode, gain, mute) and
 * readings (levels, uplink) are no part of it: they never decide what happens next.
 */
import { type Millis, millis } from '../../shared/time.ts';
import type { UplinkRefusal } from '../net/messages.ts';

/** Why a microphone could not be had, or went. */
export type MicrophoneTrouble =
  | 'microphone-denied'
  | 'microphone-missing'
  | 'microphone-busy'
  | 'microphone-lost'
  | 'microphone-failed'
  | 'insecure'
  | 'unsupported';

/** Everything that can stand in the way of a broadcast; each has its own sentence. */
export type Trouble = MicrophoneTrouble | UplinkRefusal | 'token-missing' | 'superseded';

/** Whether the microphone of a session still delivers. */
export type MicrophoneHealth = 'ok' | 'lost';

/** What the studio is doing. Times are readings of one clock with an arbitrary origin, ms. */
export type Broadcaster =
  | { readonly is: 'off' }
  | { readonly is: 'arming'; readonly goLive: boolean; readonly takeover: boolean }
  /** `ended` is the length of the broadcast that has just ended here. */
  | { readonly is: 'ready'; readonly ended: Millis | null }
  | {
      readonly is: 'connecting';
      readonly takeover: boolean;
      readonly tries: number;
      readonly microphone: MicrophoneHealth;
    }
  | {
      readonly is: 'live' | 'reconnecting';
      readonly since: Millis;
      readonly ending: boolean;
      readonly microphone: MicrophoneHealth;
    }
  | { readonly is: 'failed'; readonly trouble: Trouble; readonly armed: boolean };

/** What the host does, and what happens to them. */
export type BroadcasterEvent =
  | { readonly type: 'arm' }
  | { readonly type: 'go-live'; readonly takeover: boolean }
  | { readonly type: 'token-missing' }
  | { readonly type: 'armed' }
  | { readonly type: 'arm-failed'; readonly trouble: MicrophoneTrouble }
  | { readonly type: 'lost' }
  | { readonly type: 'refused'; readonly why: UplinkRefusal }
  | { readonly type: 'on-air'; readonly at: Millis }
  | { readonly type: 'end' }
  | { readonly type: 'ended'; readonly at: Millis }
  | { readonly type: 'microphone-lost' }
  | { readonly type: 'microphone-back' };

type In<S extends Broadcaster['is']> = Extract<Broadcaster, { is: S }>;

/** The studio as it is when the page opens. */
export const OFF: Broadcaster = { is: 'off' };

const ARMING: Broadcaster = { is: 'arming', goLive: false, takeover: false };

/** What the studio is doing after an event; the same object when the event changes nothing. */
export const broadcaster = (state: Broadcaster, event: BroadcasterEvent): Broadcaster => {
  switch (state.is) {
    case 'off':
      return whenOff(state, event);
    case 'arming':
      return whenArming(state, event);
    case 'ready':
      return whenReady(state, event);
    case 'connecting':
      return whenConnecting(state, event);
    case 'live':
    case 'reconnecting':
      return whenOnAir(state, event);
    case 'failed':
      return whenFailed(state, event);
  }
};

const connecting = (takeover: boolean): Broadcaster => ({
  is: 'connecting',
  takeover,
  tries: 0,
  microphone: 'ok',
});

const whenOff = (state: In<'off'>, event: BroadcasterEvent): Broadcaster => {
  if (event.type === 'arm') return ARMING;
  if (event.type === 'go-live') return { is: 'arming', goLive: true, takeover: event.takeover };
  if (event.type === 'token-missing')
    return { is: 'failed', trouble: 'token-missing', armed: false };
  return state;
};

const whenArming = (state: In<'arming'>, event: BroadcasterEvent): Broadcaster => {
  if (event.type === 'go-live') return { is: 'arming', goLive: true, takeover: event.takeover };
  if (event.type === 'armed')
    return state.goLive ? connecting(state.takeover) : { is: 'ready', ended: null };
  if (event.type === 'arm-failed') return { is: 'failed', trouble: event.trouble, armed: false };
  // The microphone may still come; it is then closed unheard.
  if (event.type === 'end') return OFF;
  return state;
};

const whenReady = (state: In<'ready'>, event: BroadcasterEvent): Broadcaster => {
  if (event.type === 'go-live') return connecting(event.takeover);
  // Anew: an encoder keeps the mode it was made with.
  if (event.type === 'arm') return ARMING;
  if (event.type === 'token-missing')
    return { is: 'failed', trouble: 'token-missing', armed: true };
  if (event.type === 'microphone-lost')
    return { is: 'failed', trouble: 'microphone-lost', armed: false };
  return state;
};

const whenConnecting = (state: In<'connecting'>, event: BroadcasterEvent): Broadcaster => {
  const { microphone } = state;
  switch (event.type) {
    case 'lost':
      return { ...state, tries: state.tries + 1 };
    case 'on-air':
      return { is: 'live', since: event.at, ending: false, microphone };
    case 'refused':
      return { is: 'failed', trouble: event.why, armed: microphone === 'ok' };
    case 'end':
    case 'ended':
      return afterwards(microphone, null);
    case 'microphone-lost':
      return { ...state, microphone: 'lost' };
    case 'microphone-back':
      return { ...state, microphone: 'ok' };
    default:
      return state;
  }
};

const whenOnAir = (state: In<'live' | 'reconnecting'>, event: BroadcasterEvent): Broadcaster => {
  const { microphone } = state;
  switch (event.type) {
    case 'lost':
      return state.is === 'reconnecting' ? state : { ...state, is: 'reconnecting' };
    case 'on-air':
      return state.is === 'live' ? state : { ...state, is: 'live' };
    case 'refused':
      return {
        is: 'failed',
        trouble: event.why === 'taken' ? 'superseded' : event.why,
        armed: microphone === 'ok',
      };
    case 'end':
      return state.ending ? state : { ...state, ending: true };
    case 'ended':
      return afterwards(microphone, millis(event.at - state.since));
    case 'microphone-lost':
      return { ...state, microphone: 'lost' };
    case 'microphone-back':
      return { ...state, microphone: 'ok' };
    default:
      return state;
  }
};

const whenFailed = (state: In<'failed'>, event: BroadcasterEvent): Broadcaster => {
  switch (event.type) {
    case 'arm':
      return ARMING;
    case 'go-live':
      return state.armed
        ? connecting(event.takeover)
        : { is: 'arming', goLive: true, takeover: event.takeover };
    case 'token-missing':
      return { ...state, trouble: 'token-missing' };
    case 'microphone-lost':
      return { ...state, armed: false };
    default:
      return state;
  }
};

const afterwards = (microphone: MicrophoneHealth, ended: Millis | null): Broadcaster =>
  microphone === 'ok'
    ? { is: 'ready', ended }
    : { is: 'failed', trouble: 'microphone-lost', armed: false };
