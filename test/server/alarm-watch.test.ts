import { describe, expect, it } from 'vitest';
import {
  areRepeated,
  type Repeats,
  repeats,
  type Watch,
  WELL,
  watch,
} from '../../server/relay/alarm-watch.ts';
import { type Alarm, Alarms } from '../../server/relay/alarms.ts';
import { EventRing } from '../../server/relay/event-ring.ts';
import { utc } from '../../shared/time.ts';

/** Beginnings and ends of what a watch sees: `wrong` gives what is wrong at each tenth of a second. */
const course = (
  wrong: (tenth: number) => boolean,
  { raise = 1000, clear = 500, tenths = 100 } = {},
): string => {
  let state: Watch = WELL;
  let told = '';
  for (let tenth = 0; tenth < tenths; tenth += 1) {
    const before = state;
    state = watch(before, { wrong: wrong(tenth), now: utc(tenth * 100) }, { raise, clear });
    if (before.is !== 'raised' && state.is === 'raised') told += `+${tenth}`;
    if (before.is === 'raised' && state.is !== 'raised') told += `-${tenth}`;
  }
  return told;
};

describe('a watch', () => {
  it.each([
    ['never wrong', () => false, {}, ''],
    ['wrong for ever', () => true, {}, '+10'],
    ['wrong too briefly', (tenth: number) => tenth < 10, {}, ''],
    ['wrong just long enough', (tenth: number) => tenth <= 10, {}, '+10-16'],
    ['now and then', (tenth: number) => tenth % 5 !== 0, {}, ''],
    // Raised, it takes more than a moment of well to end it, and then it may begin anew.
    ['well for a moment', (tenth: number) => tenth !== 30, {}, '+10'],
    ['well for a while', (tenth: number) => tenth < 30 || tenth > 40, {}, '+10-35+51'],
    ['told at once', (tenth: number) => tenth === 3, { raise: 0, clear: 0 }, '+3-4'],
    ['told at once, over late', (tenth: number) => tenth === 3, { raise: 0, clear: 1000 }, '+3-14'],
  ])('that sees %s', (_name, wrong, patience, told) => {
    expect(course(wrong, patience)).toBe(told);
  });

  it('is the same object while nothing changes', () => {
    const patience = { raise: 1000, clear: 1000 };
    const suspected = watch(WELL, { wrong: true, now: utc(0) }, patience);
    expect(watch(suspected, { wrong: true, now: utc(500) }, patience)).toBe(suspected);
    const raised = watch(suspected, { wrong: true, now: utc(1000) }, patience);
    expect(watch(raised, { wrong: true, now: utc(2000) }, patience)).toBe(raised);
    expect(watch(WELL, { wrong: false, now: utc(0) }, patience)).toBe(WELL);
  });
});

describe('what happens repeatedly', () => {
  const since = (...times: number[]): Repeats =>
    times.reduce<Repeats>((known, time) => repeats(known, true, utc(time)), []);

  it.each([
    ['nothing', [], 0, false],
    ['twice', [0, 2000], 2000, false],
    ['thrice within ten seconds', [0, 4000, 9000], 9000, true],
    ['thrice, but the first was long ago', [0, 9000, 10_500], 10_500, false],
    ['one that lasts for a second', [0, 100, 200, 900, 1400], 1400, false],
    ['thrice, and nothing since', [0, 2000, 4000], 10_001, false],
    ['again and again', [0, 2000, 4000, 6000, 8000, 10_000, 12_000], 12_000, true],
  ])('%s', (_name, times, now, claim) => {
    expect(areRepeated(since(...times), utc(now))).toBe(claim);
    expect(since(...times).length).toBeLessThanOrEqual(3);
  });
});

describe('alarms', () => {
  it('begin once and end once, in the log and for those who watch', () => {
    const lines: string[] = [];
    const told: Alarm[] = [];
    let now = 5000;
    const log = (level: string) => (fields: unknown, sentence?: string) =>
      void lines.push(`${level} ${JSON.stringify(fields)} ${sentence}`);
    const alarms = new Alarms({
      log: { info: log('info'), warn: log('warn') },
      now: () => utc(now),
      tell: (alarm) => void told.push(alarm),
    });
    const raise = alarms.raiser('live');
    for (let times = 0; times < 10; times += 1) raise('disk', `${80 - times} MB are left.`);
    alarms.raiser(null)('database', 'It cannot be written.');
    alarms.raiser('other')('disk', 'Full.');
    expect(alarms.standing('live').map(({ kind }) => kind)).toEqual(['disk', 'database']);
    expect(alarms.standing()).toHaveLength(3);
    now = 8500;
    for (let times = 0; times < 10; times += 1) raise('disk', null);
    alarms.forget('other');
    expect(alarms.standing().map(({ kind }) => kind)).toEqual(['database']);
    expect(told.map(({ kind, channel, since, until }) => [kind, channel, since, until])).toEqual([
      ['disk', 'live', 5000, null],
      ['database', null, 5000, null],
      ['disk', 'other', 5000, null],
      ['disk', 'live', 5000, 8500],
      ['disk', 'other', 5000, 8500],
    ]);
    expect(lines[0]).toBe('warn {"alarm":"disk","channel":"live"} 80 MB are left.');
    expect(lines[3]).toBe('info {"alarm":"disk","channel":"live"} It is over after 3.5 s.');
    expect(lines).toHaveLength(5);
  });
});

describe('the ring of events', () => {
  const ring = new EventRing({ most: 10 });
  const ids = [ring.newest];
  for (let index = 1; index <= 25; index += 1) {
    ring.push({ kind: 'listeners', body: { index } });
    ids.push(ring.newest);
  }
  const since = (id: string): unknown[] | undefined =>
    ring.after(id)?.map(({ text }) => (JSON.parse(text) as { index: number }).index);

  it('gives what came after an id, as far as it reaches', () => {
    expect(since(ids[25] ?? '')).toEqual([]);
    expect(since(ids[22] ?? '')).toEqual([23, 24, 25]);
    expect(since(ids[15] ?? '')).toHaveLength(10);
    expect(since(ids[14] ?? '')).toBeUndefined();
  });

  it.each(['', 'x', '1', `${ids[25]}1`, ids[25]?.replace(/^./, '~') ?? '', '______.3'])(
    'knows nothing of an id it never gave: %s',
    (id) => {
      expect(ring.after(id)).toBeUndefined();
    },
  );
});
