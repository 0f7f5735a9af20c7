import { describe, expect, it } from 'vitest';
import { en } from '../../client/locales/en.ts';
import {
  IDLE,
  PATIENCE,
  type Player,
  type PlayerEvent,
  player,
} from '../../client/state/player.ts';
import { pillOf, sentenceOf } from '../../client/state/player-words.ts';

const STATES = {
  idle: IDLE,
  connecting: { is: 'connecting', tries: 0, again: false },
  reconnecting: { is: 'connecting', tries: PATIENCE - 1, again: true },
  buffering: { is: 'buffering' },
  playing: { is: 'playing' },
  stalled: { is: 'stalled', why: 'broadcaster' },
  stuck: { is: 'stalled', why: 'network' },
  offAir: { is: 'offline', why: 'off-air' },
  serverAway: { is: 'offline', why: 'server' },
  noChannel: { is: 'offline', why: 'channel' },
  ended: { is: 'ended' },
  blocked: { is: 'blocked', under: { is: 'buffering' } },
} as const satisfies Record<string, Player>;

const EVENTS = {
  listen: { type: 'listen' },
  pause: { type: 'pause' },
  blocked: { type: 'blocked' },
  unblocked: { type: 'unblocked' },
  connecting: { type: 'connecting' },
  moved: { type: 'moved' },
  lost: { type: 'lost' },
  refused: { type: 'refused', why: 'channel' },
  welcomeOnAir: { type: 'welcome', onAir: true },
  welcomeOffAir: { type: 'welcome', onAir: false },
  live: { type: 'state', channel: 'live' },
  holding: { type: 'state', channel: 'holding' },
  filling: { type: 'state', channel: 'filling' },
  idle: { type: 'state', channel: 'idle' },
  ended: { type: 'state', channel: 'ended' },
  stuck: { type: 'stuck' },
  priming: { type: 'playout', phase: 'priming' },
  playing: { type: 'playout', phase: 'playing' },
  starved: { type: 'playout', phase: 'starved' },
} as const satisfies Record<string, PlayerEvent>;

type StateName = keyof typeof STATES;
type EventName = keyof typeof EVENTS;
type Changes = Partial<Record<EventName, Player>>;

const { buffering, playing, stalled, stuck, offAir, serverAway, noChannel, ended } = STATES;
const again: Player = { is: 'connecting', tries: 1, again: true };
const under = (state: Exclude<Player, { is: 'idle' | 'blocked' }>): Player => ({
  is: 'blocked',
  under: state,
});

/** What the server says, and another way of the sound, means the same in every state between Listen and Pause. */
const SAID: Changes = {
  pause: IDLE,
  moved: buffering,
  refused: noChannel,
  welcomeOnAir: buffering,
  welcomeOffAir: offAir,
  live: buffering,
  holding: stalled,
  filling: stalled,
  idle: offAir,
  ended,
};

/** What is not written here changes nothing, and that is claimed too. */
const CHANGES: Record<StateName, Changes> = {
  idle: { listen: STATES.connecting },
  connecting: {
    ...SAID,
    blocked: under(STATES.connecting),
    lost: { is: 'connecting', tries: 1, again: false },
  },
  reconnecting: { ...SAID, blocked: under(STATES.reconnecting), lost: serverAway },
  buffering: { ...SAID, blocked: under(buffering), lost: again, stuck, playing },
  playing: {
    ...SAID,
    live: playing,
    blocked: under(playing),
    lost: again,
    stuck,
    priming: buffering,
    starved: buffering,
  },
  stalled: { ...SAID, blocked: under(stalled), lost: again },
  // Another try is no news; sound is.
  stuck: { ...SAID, welcomeOnAir: stuck, blocked: under(stuck), lost: again, playing },
  offAir: { ...SAID, blocked: under(offAir), lost: again },
  serverAway: { ...SAID, blocked: under(serverAway) },
  noChannel: { pause: IDLE, blocked: under(noChannel) },
  ended: { ...SAID, blocked: under(ended), lost: again },
  blocked: {
    pause: IDLE,
    unblocked: buffering,
    lost: under({ is: 'connecting', tries: 1, again: true }),
    stuck: under(stuck),
    refused: under(noChannel),
    welcomeOffAir: under(offAir),
    holding: under(stalled),
    filling: under(stalled),
    idle: under(offAir),
    ended: under(ended),
    playing: under(playing),
  },
};

describe('the player', () => {
  for (const stateName of Object.keys(STATES) as StateName[])
    for (const eventName of Object.keys(EVENTS) as EventName[]) {
      const [state, event] = [STATES[stateName], EVENTS[eventName]];
      const expected = CHANGES[stateName][eventName] ?? state;
      const same = JSON.stringify(expected) === JSON.stringify(state);
      it(`${stateName} ${same ? 'is not changed' : `becomes ${expected.is}`} by ${eventName}`, () => {
        const next = player(state, event);
        expect(next).toEqual(expected);
        // An unchanged state is the same object, so that nothing is rendered in vain.
        if (same) expect(next).toBe(state);
      });
    }

  it('plays again by itself when the next broadcast begins', () => {
    const events = [EVENTS.live, EVENTS.priming, EVENTS.playing];
    expect(events.reduce<Player>(player, ended)).toEqual(playing);
  });

  it('says stalled and what is missing when the broadcaster is gone', () => {
    expect(pillOf(stalled, null)).toBe('stalled');
    const { sentence } = sentenceOf(stalled, null, 'Morning Show', en);
    expect(sentence).toContain('No signal from the broadcaster');
    expect(sentenceOf(stuck, null, 'Morning Show', en).sentence).toMatch(/on the air.*network/);
  });

  it('names the channel when it is off the air before Listen', () => {
    const answer = { slug: 'morning', title: 'Morning Show', state: 'idle' } as const;
    expect(sentenceOf(IDLE, answer, 'Morning Show', en).sentence).toBe(
      'Morning Show is off the air. Press Listen and you will hear it as soon as it begins.',
    );
  });

  it('has words for every state before anything is known of the channel', () => {
    for (const state of Object.values(STATES)) {
      expect(en.words[pillOf(state, null)]).toBeTruthy();
      const { sentence } = sentenceOf(state, null, 'Morning Show', en);
      if (state.is !== 'playing' && state.is !== 'idle') expect(sentence).toMatch(/\.$/);
    }
  });
});
