import { describe, expect, it } from 'vitest';
import { Watch } from '../../client/audio/media-element-watch.ts';

const LOOK = 250;

/** An element that does what it is told, under fake time. */
const watched = () => {
  const ranges: [number, number][] = [];
  const element = {
    currentTime: 0,
    paused: false,
    ended: false,
    playbackRate: 1,
    buffered: {
      get length() {
        return ranges.length;
      },
      start: (range: number) => ranges[range]?.[0] ?? 0,
      end: (range: number) => ranges[range]?.[1] ?? 0,
    },
  };
  const watch = new Watch(element, { stuckAfter: 5000 });
  let now = 10_000;
  const pass = (ms: number, rate: number, options = {}): void => {
    for (let passed = 0; passed < ms; passed += LOOK) {
      now += LOOK;
      element.currentTime += (rate * LOOK) / 1000;
      watch.look(now, options);
    }
  };
  watch.look(now);
  return { element, watch, ranges, pass, sleep: (ms: number) => (now += ms) };
};

describe('the watch on a media element', () => {
  it('says priming until the first sound, then playing', () => {
    const { watch, pass } = watched();
    pass(1000, 0);
    expect([watch.phase, watch.stalls]).toEqual(['priming', 0]);
    pass(1000, 1);
    expect([watch.phase, watch.isStuck]).toEqual(['playing', false]);
  });

  it('takes the way to the live edge at the start for neither sound nor a jump', () => {
    const { element, watch, pass } = watched();
    element.currentTime = 34;
    pass(250, 0);
    expect([watch.phase, watch.jumps]).toEqual(['priming', 0]);
    pass(500, 1);
    expect([watch.phase, watch.jumps]).toEqual(['playing', 0]);
  });

  it('counts a stall once, and is stuck after its patience', () => {
    const { watch, pass } = watched();
    pass(2000, 1);
    pass(4500, 0);
    expect([watch.phase, watch.stalls, watch.isStuck]).toEqual(['starved', 1, false]);
    pass(1000, 0);
    expect([watch.stalls, watch.isStuck]).toEqual([1, true]);
    pass(500, 1);
    expect([watch.phase, watch.isStuck, watch.playedFor]).toEqual(['playing', false, 500]);
  });

  it('counts a jump to the live edge', () => {
    const { element, watch, pass } = watched();
    pass(1000, 1);
    element.currentTime += 4;
    pass(1000, 1);
    expect([watch.jumps, watch.stalls]).toEqual([1, 0]);
  });

  it('does not hold a wait for a press, the end or the sleep of the page against it', () => {
    const { element, watch, pass, sleep } = watched();
    pass(1000, 1);
    element.paused = true;
    pass(20_000, 0, { awaitsPress: true });
    expect([watch.phase, watch.isStuck, watch.stalls]).toEqual(['starved', false, 0]);
    element.paused = false;
    sleep(60_000);
    pass(250, 0);
    expect(watch.isStuck).toBe(false);
  });

  it.each([
    { what: 'it is paused and no press would help', paused: true, awaitsPress: false },
    { what: 'the system lets it go on and nothing comes', paused: false, awaitsPress: true },
  ])('is stuck when $what', ({ paused, awaitsPress }) => {
    const { element, watch, pass } = watched();
    pass(1000, 1);
    element.paused = paused;
    pass(4500, 0, { awaitsPress });
    expect(watch.isStuck).toBe(false);
    pass(1000, 0, { awaitsPress });
    expect(watch.isStuck).toBe(true);
  });

  it('knows the sound in hand around the position, and none in a hole', () => {
    const { element, watch, ranges } = watched();
    ranges.push([0, 3], [10, 12.5]);
    element.currentTime = 11;
    expect(watch.buffered).toBeCloseTo(1.5, 9);
    element.currentTime = 5;
    expect(watch.buffered).toBe(0);
  });
});
