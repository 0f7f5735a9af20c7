/** What the broadcaster's state is called, and the notices it asks for. */
import type { Texts } from '../locales/en.ts';
import type { Broadcaster, MicrophoneTrouble } from './broadcaster.ts';
import type { Tally } from './uplink-report.ts';

/** States of the pill that a host can meet. */
export type StudioPill =
  | 'off'
  | 'ready'
  | 'connecting'
  | 'on-air'
  | 'reconnecting'
  | 'offline'
  | 'ended';

export const studioPill = (state: Broadcaster): StudioPill => {
  switch (state.is) {
    case 'off':
      return 'off';
    case 'arming':
      return state.goLive ? 'connecting' : 'off';
    case 'ready':
      return state.ended === null ? 'ready' : 'ended';
    case 'connecting':
      return 'connecting';
    case 'live':
      return 'on-air';
    case 'reconnecting':
      return 'reconnecting';
    case 'failed':
      return isServerTrouble(state) ? 'offline' : 'off';
  }
};

const isServerTrouble = ({ trouble }: Extract<Broadcaster, { is: 'failed' }>): boolean =>
  !(trouble.startsWith('microphone') || trouble === 'insecure' || trouble === 'unsupported');

/** What gets the host out of trouble by one press. */
export type Remedy = 'take-over' | 'arm' | null;

/** An amber line. */
export type Notice = { readonly sentence: string; readonly remedy: Remedy };

const isKnown = (kind: string, { alarms }: Texts): kind is keyof Texts['alarms'] =>
  Object.hasOwn(alarms, kind);

/** What beside the state asks for notices. */
export type NoticeFacts = {
  readonly muted: boolean;
  readonly refusedChange: MicrophoneTrouble | null;
  readonly tally: Pick<Tally, 'alarms'> | null;
};

/** Everything that needs the host now, the worst first. */
export const noticesOf = (
  state: Broadcaster,
  { muted, refusedChange, tally }: NoticeFacts,
  t: Texts,
): Notice[] => {
  const notices: Notice[] = [];
  const tell = (sentence: string, remedy: Remedy = null): void => {
    notices.push({ sentence, remedy });
  };
  if (state.is === 'failed') tell(t.trouble[state.trouble], remedyOf(state));
  if ('microphone' in state && state.microphone === 'lost') {
    tell(t.trouble['microphone-lost']);
  }
  if (refusedChange !== null) tell(t.trouble[refusedChange]);
  if (state.is === 'connecting' && state.tries > 0) tell(t.serverAway);
  if (muted && (state.is === 'live' || state.is === 'reconnecting')) tell(t.muted);
  // What the server saw before the connection was lost may be over.
  const alarms = state.is === 'live' ? (tally?.alarms ?? []) : [];
  for (const kind of alarms)
    if (isKnown(kind, t) && !(kind === 'silence' && muted)) tell(t.alarms[kind]);
  return notices;
};

/** What the server knows of the sound and the host may want to know, though there is nothing to do. */
export const remarksOf = (tally: Tally | null, t: Texts): string[] => [
  ...(tally?.aac === false ? [t.withoutAac] : []),
  ...(tally !== null && tally.damaged > 0 ? [t.damaged(tally.damaged, String(tally.damaged))] : []),
];

const remedyOf = ({ trouble }: Extract<Broadcaster, { is: 'failed' }>): Remedy => {
  if (trouble === 'taken' || trouble === 'superseded' || trouble === 'other-tab')
    return 'take-over';
  return trouble.startsWith('microphone') ? 'arm' : null;
};
