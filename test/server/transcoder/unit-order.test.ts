import { describe, expect, it } from 'vitest';
import { KeptPieces } from '../../../server/transcoder/kept-pieces.ts';
import type { Feed } from '../../../server/transcoder/messages.ts';
import { UnitOrder } from '../../../server/transcoder/unit-order.ts';
import { samples } from '../../../shared/time.ts';

const at = (units: number): ReturnType<typeof samples> => samples(units * 1024);

describe('the order of units', () => {
  it('goes from the end of a stretch to the beginning of the next', () => {
    const order = new UnitOrder();
    expect(order.next).toBeUndefined();
    order.begin(at(180));
    expect(order.take(at(180))).toEqual([]);
    // The last unit is filled up.
    order.end(samples(182 * 1024 + 1));
    order.begin(at(360));
    expect(order.take(at(181))).toEqual([]);
    expect(order.take(at(182))).toEqual([]);
    expect(order.next).toBe(at(360));
    expect(order.take(at(360))).toEqual([]);
    order.end(at(361));
    expect(order.next).toBeUndefined();
  });

  it('tells units that never came, also over the border of a stretch', () => {
    const order = new UnitOrder();
    order.begin(at(0));
    order.end(at(3));
    order.begin(at(180));
    expect(order.take(at(1))).toEqual([at(0)]);
    expect(order.take(at(181))).toEqual([at(2), at(180)]);
    expect(order.skip(at(183))).toEqual([at(182)]);
    expect(order.next).toBe(at(183));
  });

  it('knows no unit twice, off the grid, or between stretches', () => {
    const order = new UnitOrder();
    order.begin(at(0));
    order.end(at(3));
    order.begin(at(180));
    order.take(at(0));
    for (const stray of [at(0), samples(1500), at(3), at(90)])
      expect(order.take(stray)).toBeUndefined();
    expect(order.next).toBe(at(1));
  });

  it('passes over a stretch in which there was nothing', () => {
    const order = new UnitOrder();
    order.begin(at(0));
    order.end(at(0));
    order.begin(at(180));
    expect(order.next).toBe(at(180));
  });
});

const piece = (index: number): Feed => ({
  kind: 'silence',
  at: samples(index * 960),
  duration: samples(960),
});

/** At live pace: the moment of each piece is that of its sound, ms. */
const fill = (kept: KeptPieces, count: number): void => {
  for (let index = 0; index < count; index += 1) kept.push(piece(index), index * 20);
};

describe('the pieces that are kept', () => {
  it('go out until 2 s are under way, and on as they are taken', () => {
    const kept = new KeptPieces();
    fill(kept, 150);
    expect(kept.next()).toHaveLength(100);
    expect(kept.next()).toEqual([]);
    kept.taken(samples(10 * 960));
    expect(kept.next().map((one) => one.at / 960)).toEqual([
      100, 101, 102, 103, 104, 105, 106, 107, 108, 109,
    ]);
    expect(kept.behind).toBe(140 * 960);
  });

  it('stay for a second after they are done, for the next child', () => {
    const kept = new KeptPieces();
    fill(kept, 100);
    kept.next();
    kept.taken(samples(90 * 960));
    kept.done(samples(80 * 960));
    expect(kept.begin).toBe(30 * 960);
    kept.rewind();
    expect(kept.behind).toBe(70 * 960);
    expect(kept.next()[0]!.at).toBe(30 * 960);
  });

  it('are 8 s at most at live pace: then 4 s remain', () => {
    const kept = new KeptPieces();
    fill(kept, 400);
    expect(kept.behind).toBe(8 * 48_000);
    const gone = kept.push(piece(400), 8000);
    expect(gone).toHaveLength(201);
    expect(kept.behind).toBe(4 * 48_000);
    expect(kept.begin).toBe(201 * 960);
  });

  it('may be 130 s when they come at once, but not for longer than 7 s', () => {
    const kept = new KeptPieces();
    const push = (index: number, now: number) => kept.push(piece(index), now);
    for (let index = 0; index < 6500; index += 1) expect(push(index, 0)).toEqual([]);
    expect(kept.behind).toBe(130 * 48_000);
    expect(push(6500, 10)).toHaveLength(6301);
    expect(kept.behind).toBe(4 * 48_000);
    for (let index = 6501; index < 7000; index += 1) expect(push(index, 6999)).toEqual([]);
    expect(push(7000, 7010)).toHaveLength(500);
  });

  it('may wait for longer than that while they become fewer', () => {
    const kept = new KeptPieces();
    for (let index = 0; index < 3000; index += 1) kept.push(piece(index), 0);
    // Codecs twice as fast as the sound, which goes on.
    for (let index = 3000, taken = 0; kept.behind > 4 * 48_000; index += 1) {
      expect(kept.push(piece(index), (index - 3000) * 20)).toEqual([]);
      kept.next();
      taken += 2 * 960;
      kept.taken(samples(taken));
      kept.done(samples(taken));
    }
    // None keeps up any more.
    const index = 10_000;
    let gone = 0;
    for (let more = 0; more < 500; more += 1)
      gone += kept.push(piece(index + more), 100_000 + more * 20).length;
    expect(gone).toBeGreaterThan(150);
  });

  it('have not waited while they were only the pre-roll of what comes', () => {
    const kept = new KeptPieces();
    fill(kept, 100);
    kept.next();
    kept.taken(samples(100 * 960));
    kept.done(samples(100 * 960));
    // A minute later the publisher is back, and sends what it kept.
    for (let index = 100; index < 1000; index += 1)
      expect(kept.push(piece(index), 60_000)).toEqual([]);
    expect(kept.begin).toBe(50 * 960);
    expect(kept.behind).toBe(900 * 960);
  });

  it('hold a long silence in pieces of 100 ms', () => {
    const kept = new KeptPieces();
    const silence = { kind: 'silence', at: samples(0), duration: samples(60 * 48_000) } as const;
    expect(kept.push(silence, 0)).toEqual([]);
    expect(kept.next()[0]).toMatchObject({ duration: 4800 });
    expect(kept.behind).toBe(60 * 48_000);
  });
});
