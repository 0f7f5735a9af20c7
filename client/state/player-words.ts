/** What the player's state is called: the pill's state, and one plain sentence. */
import type { Texts } from '../locales/en.ts';
import type { Answer, ChannelStatus } from './channel-status.ts';
import type { Player } from './player.ts';

/** States of the pill that a listener can meet. */
export type ListenerPill =
  | 'off'
  | 'connecting'
  | 'on-air'
  | 'reconnecting'
  | 'buffering'
  | 'stalled'
  | 'offline'
  | 'ended';

/** The pill of a channel nobody here listens to. */
export const PILL_OF_CHANNEL = {
  idle: 'offline',
  live: 'on-air',
  holding: 'stalled',
  filling: 'stalled',
  ended: 'ended',
} as const;

/** The pill; before Listen it shows the channel as the API last knew it. */
export const pillOf = (state: Player, answer: Answer<ChannelStatus>): ListenerPill => {
  switch (state.is) {
    case 'idle':
      if (answer === null) return 'off';
      return typeof answer === 'string' ? 'offline' : PILL_OF_CHANNEL[answer.state];
    case 'connecting':
      return state.again ? 'reconnecting' : 'connecting';
    case 'playing':
      return 'on-air';
    case 'blocked':
      return pillOf(state.under, answer);
    default:
      return state.is;
  }
};

/** A sentence; `trouble` says that a person may have to do something. */
export type PlayerSentence = { readonly sentence: string; readonly trouble: boolean };

const plain = (sentence: string): PlayerSentence => ({ sentence, trouble: false });
const trouble = (sentence: string): PlayerSentence => ({ sentence, trouble: true });

/** What happens, in one sentence; empty while the sound simply plays. */
export const sentenceOf = (
  state: Player,
  answer: Answer<ChannelStatus>,
  title: string,
  t: Texts,
): PlayerSentence => {
  switch (state.is) {
    case 'idle':
      return beforeListen(answer, title, t);
    case 'connecting':
      return plain(state.again ? t.reconnectingSentence : t.connectingSentence);
    case 'buffering':
      return plain(t.bufferingSentence);
    case 'playing':
      return plain('');
    case 'stalled':
      return trouble(state.why === 'network' ? t.stuckSentence : t.stalledSentence);
    case 'ended':
      return plain(t.endedSentence);
    case 'blocked':
      return plain(t.blockedSentence);
    case 'offline':
      return state.why === 'off-air'
        ? plain(t.offAirListening(title))
        : trouble(t.silence[state.why]);
  }
};

const beforeListen = (answer: Answer<ChannelStatus>, title: string, t: Texts): PlayerSentence => {
  if (answer === null) return plain('');
  if (answer === 'missing') return trouble(t.silence.channel);
  if (answer === 'unreachable') return trouble(t.silence.server);
  if (answer.state === 'live') return plain(t.onAirIdle(title));
  if (answer.state === 'holding' || answer.state === 'filling') return plain(t.stalledIdle(title));
  return plain(t.offAir(title));
};

/** A delay in seconds; hundredths mean something close to live only. */
export const delayText = (delay: number): string => Math.max(delay, 0).toFixed(delay < 1 ? 2 : 1);
