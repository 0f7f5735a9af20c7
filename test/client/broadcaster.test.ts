import { describe, expect, it } from 'vitest';
import { en } from '../../client/locales/en.ts';
import { clockText } from '../../client/locales/format.ts';
import {
  type Broadcaster,
  type BroadcasterEvent,
  broadcaster,
  OFF,
} from '../../client/state/broadcaster.ts';
import { noticesOf, remarksOf, studioPill } from '../../client/state/broadcaster-words.ts';
import { ALARM_KINDS } from '../../shared/control.ts';
import { millis } from '../../shared/time.ts';

const since = millis(1000);
const at = millis(61_000);

const STATES = {
  off: OFF,
  arming: { is: 'arming', goLive: false, takeover: false },
  armingToGoLive: { is: 'arming', goLive: true, takeover: false },
  ready: { is: 'ready', ended: null },
  connecting: { is: 'connecting', takeover: false, tries: 0, microphone: 'ok' },
  connectingUnplugged: { is: 'connecting', takeover: false, tries: 0, microphone: 'lost' },
  live: { is: 'live', since, ending: false, microphone: 'ok' },
  liveUnplugged: { is: 'live', since, ending: false, microphone: 'lost' },
  ending: { is: 'live', since, ending: true, microphone: 'ok' },
  reconnecting: { is: 'reconnecting', since, ending: false, microphone: 'ok' },
  failed: { is: 'failed', trouble: 'microphone-denied', armed: false },
  refused: { is: 'failed', trouble: 'taken', armed: true },
} as const satisfies Record<string, Broadcaster>;

const EVENTS = {
  arm: { type: 'arm' },
  goLive: { type: 'go-live', takeover: false },
  takeOver: { type: 'go-live', takeover: true },
  tokenMissing: { type: 'token-missing' },
  armed: { type: 'armed' },
  armFailed: { type: 'arm-failed', trouble: 'microphone-busy' },
  lost: { type: 'lost' },
  taken: { type: 'refused', why: 'taken' },
  token: { type: 'refused', why: 'token' },
  onAir: { type: 'on-air', at },
  end: { type: 'end' },
  ended: { type: 'ended', at },
  unplugged: { type: 'microphone-lost' },
  back: { type: 'microphone-back' },
} as const satisfies Record<string, BroadcasterEvent>;

type StateName = keyof typeof STATES;
type EventName = keyof typeof EVENTS;

const arming = STATES.arming;
const toGoLive = STATES.armingToGoLive;
const toTakeOver: Broadcaster = { is: 'arming', goLive: true, takeover: true };
const connecting = STATES.connecting;
const takingOver: Broadcaster = { ...connecting, takeover: true };
const failed = (trouble: Extract<Broadcaster, { is: 'failed' }>['trouble'], armed: boolean) =>
  ({ is: 'failed', trouble, armed }) as const;
const after = (ended: number | null): Broadcaster => ({
  is: 'ready',
  ended: ended === null ? null : millis(ended),
});

/** What is not written here changes nothing, and that is claimed too. */
const CHANGES: Record<StateName, Partial<Record<EventName, Broadcaster>>> = {
  off: {
    arm: arming,
    goLive: toGoLive,
    takeOver: toTakeOver,
    tokenMissing: failed('token-missing', false),
  },
  arming: {
    goLive: toGoLive,
    takeOver: toTakeOver,
    armed: after(null),
    armFailed: failed('microphone-busy', false),
    end: OFF,
  },
  armingToGoLive: {
    takeOver: toTakeOver,
    armed: connecting,
    armFailed: failed('microphone-busy', false),
    end: OFF,
  },
  ready: {
    arm: arming,
    goLive: connecting,
    takeOver: takingOver,
    tokenMissing: failed('token-missing', true),
    unplugged: failed('microphone-lost', false),
  },
  connecting: {
    lost: { ...connecting, tries: 1 },
    taken: failed('taken', true),
    token: failed('token', true),
    onAir: { ...STATES.live, since: at },
    end: after(null),
    ended: after(null),
    unplugged: STATES.connectingUnplugged,
  },
  connectingUnplugged: {
    lost: { ...STATES.connectingUnplugged, tries: 1 },
    taken: failed('taken', false),
    token: failed('token', false),
    onAir: { ...STATES.liveUnplugged, since: at },
    end: failed('microphone-lost', false),
    ended: failed('microphone-lost', false),
    back: connecting,
  },
  live: {
    lost: STATES.reconnecting,
    taken: failed('superseded', true),
    token: failed('token', true),
    end: STATES.ending,
    ended: after(60_000),
    unplugged: STATES.liveUnplugged,
  },
  liveUnplugged: {
    lost: { ...STATES.reconnecting, microphone: 'lost' },
    taken: failed('superseded', false),
    token: failed('token', false),
    end: { ...STATES.liveUnplugged, ending: true },
    ended: failed('microphone-lost', false),
    back: STATES.live,
  },
  ending: {
    lost: { ...STATES.reconnecting, ending: true },
    taken: failed('superseded', true),
    token: failed('token', true),
    ended: after(60_000),
    unplugged: { ...STATES.ending, microphone: 'lost' },
  },
  reconnecting: {
    taken: failed('superseded', true),
    token: failed('token', true),
    onAir: STATES.live,
    end: { ...STATES.reconnecting, ending: true },
    ended: after(60_000),
    unplugged: { ...STATES.reconnecting, microphone: 'lost' },
  },
  failed: {
    arm: arming,
    goLive: toGoLive,
    takeOver: toTakeOver,
    tokenMissing: failed('token-missing', false),
  },
  refused: {
    arm: arming,
    goLive: connecting,
    takeOver: takingOver,
    tokenMissing: failed('token-missing', true),
    unplugged: failed('taken', false),
  },
};

describe('the broadcaster', () => {
  for (const stateName of Object.keys(STATES) as StateName[])
    for (const eventName of Object.keys(EVENTS) as EventName[]) {
      const [state, event] = [STATES[stateName], EVENTS[eventName]];
      const expected = CHANGES[stateName][eventName];
      if (expected === undefined)
        it(`${stateName} is not changed by ${eventName}`, () => {
          const next = broadcaster(state, event);
          expect(next).toEqual(state);
        });
      else
        it(`${stateName} becomes ${expected.is} by ${eventName}`, () => {
          expect(broadcaster(state, event)).toEqual(expected);
        });
    }

  it('keeps the time of the broadcast through a lost connection', () => {
    const lost = broadcaster(STATES.live, EVENTS.lost);
    const back = broadcaster(lost, { type: 'on-air', at: millis(99_000) });
    expect(back).toEqual(STATES.live);
  });

  it('goes on the air from the first press when the microphone was off', () => {
    const events = [EVENTS.goLive, EVENTS.armed, EVENTS.onAir];
    const state = events.reduce<Broadcaster>(broadcaster, OFF);
    expect(studioPill(state)).toBe('on-air');
  });

  it('has a pill for every state', () => {
    const pills = Object.values(STATES).map(studioPill);
    expect(pills).toEqual([
      'off',
      'off',
      'connecting',
      'ready',
      'connecting',
      'connecting',
      'on-air',
      'on-air',
      'on-air',
      'reconnecting',
      'off',
      'offline',
    ]);
  });

  it('shows elapsed time with hours only when there are some', () => {
    expect([0, 7.9, 754, 4367].map(clockText)).toEqual(['0:00', '0:07', '12:34', '1:12:47']);
  });
});

describe('what the server knows of the sound', () => {
  const tally = { type: 'tally', live: true, listeners: 0, loudness: null, alarms: [] } as const;

  it.each([
    ['nothing known', null, []],
    ['all well', { ...tally, aac: true, damaged: 0 }, []],
    ['not known yet', { ...tally, aac: null, damaged: 0 }, []],
    ['damage', { ...tally, aac: true, damaged: 12 }, ['12 damaged frames were concealed.']],
    ['one frame', { ...tally, aac: true, damaged: 1 }, ['1 damaged frame was concealed.']],
    ['no encoder', { ...tally, aac: false, damaged: 0 }, [en.withoutAac]],
  ])('is said in a sentence each: %s', (_name, known, sentences) => {
    expect(remarksOf(known, en)).toEqual(sentences);
  });
});

describe('what the server says needs somebody', () => {
  const sentences = (state: Broadcaster, alarms: string[], muted = false): string[] =>
    noticesOf(state, { muted, refusedChange: null, tally: { alarms } }, en).map(
      ({ sentence }) => sentence,
    );

  it('is a notice each while on the air, and one of a newer server is passed over', () => {
    expect(sentences(STATES.live, ['disk', 'constructor', 'flood', 'clipping'])).toEqual([
      en.alarms.disk,
      en.alarms.clipping,
    ]);
    for (const kind of ALARM_KINDS) expect(sentences(STATES.live, [kind])).toHaveLength(1);
  });

  it('is not said of the past, and silence not to one who is muted', () => {
    expect(sentences(STATES.reconnecting, ['uplink', 'silence'])).toEqual([]);
    expect(sentences(STATES.live, ['silence'], true)).toEqual([en.muted]);
  });
});
