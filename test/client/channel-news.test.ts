import { describe, expect, it } from 'vitest';
import { ChannelNews } from '../../client/state/channel-news.ts';
import type { Player } from '../../client/state/player.ts';
import type { ChannelStateName } from '../../shared/control.ts';

const PLAYING: Player = { is: 'playing' };
const BUFFERING: Player = { is: 'buffering' };
const STALLED: Player = { is: 'stalled', why: 'broadcaster' };
const OFF_AIR: Player = { is: 'offline', why: 'off-air' };
const SERVER_AWAY: Player = { is: 'offline', why: 'server' };
const ENDED: Player = { is: 'ended' };

/** Answers at seconds of a clock, with a player that hears so many seconds behind. */
const followed = () => {
  let time = 0;
  const news = new ChannelNews({ now: () => time });
  return (
    seconds: number,
    channel: ChannelStateName,
    state: Player,
    { latency = 1.9 as number | null, shifted = false } = {},
  ): boolean => {
    time = seconds * 1000;
    return news.is(channel, { state, heard: { latency }, past: { shifted } });
  };
};

describe('what the API says over HLS is news', () => {
  it('when silence is put in, and when sound comes again', () => {
    const says = followed();
    expect(says(0, 'live', PLAYING)).toBe(false);
    expect(says(5, 'holding', PLAYING)).toBe(false);
    expect(says(10, 'filling', PLAYING)).toBe(true);
    expect(says(15, 'live', STALLED)).toBe(true);
  });

  it('when a broadcast has ended and its channel plays on', () => {
    const says = followed();
    expect(says(0, 'ended', PLAYING)).toBe(false);
    expect(says(5, 'ended', PLAYING)).toBe(false);
    expect(says(10, 'ended', PLAYING)).toBe(true);
  });

  it('only when what is further behind would have come to its end, too', () => {
    const says = followed();
    const far = { latency: 13 };
    expect([0, 5, 10, 15].map((at) => says(at, 'ended', PLAYING, far))).not.toContain(true);
    expect(says(20, 'ended', PLAYING, far)).toBe(true);
  });

  it('not when another broadcast began in between', () => {
    const says = followed();
    says(0, 'ended', PLAYING);
    says(5, 'live', PLAYING);
    expect(says(10, 'ended', PLAYING)).toBe(false);
  });

  it('between broadcasts, from the first sound on', () => {
    const says = followed();
    expect(says(0, 'idle', PLAYING, { latency: null })).toBe(false);
    expect(says(5, 'idle', BUFFERING)).toBe(true);
  });

  it.each([ENDED, OFF_AIR])('when the next broadcast is heard: %o', (state) => {
    const says = followed();
    expect(says(0, 'live', state, { latency: null })).toBe(false);
    expect(says(5, 'live', state)).toBe(true);
    expect(says(10, 'ended', state)).toBe(false);
  });

  it('when a publisher who vanished does not come back', () => {
    const says = followed();
    expect(says(0, 'ended', STALLED)).toBe(true);
    expect(says(5, 'idle', STALLED)).toBe(true);
  });

  it('also while the browser keeps the sound back', () => {
    const says = followed();
    expect(says(0, 'ended', { is: 'blocked', under: BUFFERING })).toBe(true);
    expect(says(5, 'live', { is: 'blocked', under: STALLED })).toBe(true);
  });

  it('never in the past, to which it does not apply', () => {
    const says = followed();
    const past = { latency: 300, shifted: true };
    expect(says(0, 'filling', PLAYING, past)).toBe(false);
    expect(says(90, 'ended', PLAYING, past)).toBe(false);
    expect(says(900, 'ended', PLAYING, past)).toBe(false);
  });

  it('and nothing where the server is away, or nobody listens', () => {
    const says = followed();
    for (const channel of ['live', 'holding', 'ended', 'idle'] as const)
      for (const state of [SERVER_AWAY, { is: 'idle' } as const])
        expect(says(0, channel, state)).toBe(false);
  });
});
