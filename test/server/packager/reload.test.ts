import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mediaPlaylist } from '../../../server/packager/hls.ts';
import { type Awaited, judgeReload, satisfied, Waiters } from '../../../server/packager/reload.ts';
import { RenderCache } from '../../../server/packager/render-cache.ts';
import { millis } from '../../../shared/time.ts';
import { GrowingWindow, viewOf } from '../../helpers/channel-window.ts';
import { HandClock } from '../../helpers/hand-clock.ts';

const SEED = 20_260_103;
const PATIENCE = millis(12_000);

/** Segments 100 to 104 whole, 105 with three parts. */
const standing = (): GrowingWindow => {
  const window = new GrowingWindow();
  window.growBy(5);
  for (let part = 0; part < 3; part += 1) window.grow();
  return window;
};
const judge = (query: string, window = standing()) =>
  judgeReload(new URLSearchParams(query), window);
const wait = (msn: number, part: number | null, skip = false): Awaited => ({
  kind: 'wait',
  msn,
  part,
  skip,
});

describe('the query of a playlist request', () => {
  it.each([
    ['', { kind: 'now', skip: false }],
    ['token=x&other=1&other=2', { kind: 'now', skip: false }],
    ['_HLS_skip=YES', { kind: 'now', skip: true }],
    ['_HLS_skip=v2', { kind: 'now', skip: true }],
    ['_HLS_skip=no', { kind: 'now', skip: false }],
    ['_HLS_msn=0', { kind: 'now', skip: false }],
    ['_HLS_msn=104', { kind: 'now', skip: false }],
    ['_HLS_msn=105', wait(105, null)],
    ['_HLS_msn=105&_HLS_part=2', { kind: 'now', skip: false }],
    ['_HLS_msn=105&_HLS_part=3&_HLS_skip=YES', wait(105, 3, true)],
    ['_HLS_msn=104&_HLS_part=11', { kind: 'now', skip: false }],
    ['_HLS_msn=104&_HLS_part=12', { kind: 'now', skip: false }],
    ['_HLS_msn=105&_HLS_part=12', wait(105, 12)],
    ['_HLS_msn=107', wait(107, null)],
  ])('%s is understood', (query, expected) => {
    expect(judge(query)).toEqual(expected);
  });

  it.each([
    '_HLS_part=1',
    '_HLS_part=',
    '_HLS_msn=',
    '_HLS_msn=-1',
    '_HLS_msn=1.5',
    '_HLS_msn=0x10',
    '_HLS_msn=+105',
    '_HLS_msn=105&_HLS_part=x',
    '_HLS_msn=99999999999999999999',
    '_HLS_msn=108',
    '_HLS_msn=105&_HLS_msn=105',
    '_HLS_msn=105&_HLS_part=1&_HLS_part=2',
    '_HLS_skip=YES&_HLS_skip=YES',
  ])('%s is refused with a sentence', (query) => {
    expect(judge(query)).toMatchObject({ kind: 'bad', sentence: expect.stringMatching(/\.$/) });
  });

  it('is ignored once the playlist has ended', () => {
    const window = standing();
    window.end();
    for (const query of ['_HLS_msn=900', '_HLS_part=1', '_HLS_skip=YES'])
      expect(judge(query, window)).toEqual({ kind: 'now', skip: false });
  });

  it('never throws, never waits for what is far or there, whatever it says', () => {
    const window = standing();
    const value = fc.oneof(fc.string(), fc.integer().map(String), fc.double().map(String));
    const name = fc.constantFrom('_HLS_msn', '_HLS_part', '_HLS_skip', '_HLS_x');
    const entry = fc.tuple(name, fc.oneof(value, fc.integer({ min: 95, max: 110 }).map(String)));
    fc.assert(
      fc.property(fc.oneof(fc.array(entry), fc.string()), (query) => {
        const reload = judgeReload(new URLSearchParams(query), window);
        if (reload.kind !== 'wait') return;
        expect(reload.msn).toBeLessThanOrEqual(107);
        expect(satisfied(window, reload)).toBe(false);
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });

  it('is satisfied exactly when the part it names, or a later one, is listed', () => {
    const place = fc.record({
      grown: fc.integer({ min: 1, max: 80 }),
      msn: fc.integer({ min: 100, max: 108 }),
      part: fc.integer({ min: 0, max: 14 }),
    });
    fc.assert(
      fc.property(place, ({ grown, msn, part }) => {
        const window = new GrowingWindow();
        for (let count = 0; count < grown; count += 1) window.grow();
        // Twelve parts a segment: part 12 and beyond are the next segment's first.
        const needed = (msn - 100) * 12 + Math.min(part, 12) + 1;
        expect(satisfied(window, { msn, part })).toBe(grown >= needed);
        expect(satisfied(window, { msn, part: null })).toBe(grown >= (msn - 99) * 12);
      }),
      { seed: SEED },
    );
  });
});

describe('requests that wait', () => {
  const cacheOn = (window: GrowingWindow) => {
    const texts = new RenderCache<boolean>();
    return {
      texts,
      get: (version: number, skip: boolean) =>
        texts.get(skip, version, () => mediaPlaylist(viewOf(window), { skip })),
    };
  };

  it('1,000 of them share one text and one compression', async () => {
    const window = standing();
    const cache = cacheOn(window);
    const clock = new HandClock();
    const waiters = new Waiters(PATIENCE, { timers: clock });
    const waiting = Array.from({ length: 1000 }, () => waiters.wait(wait(105, 3)));
    expect(clock.timers).toBe(1);
    window.grow();
    waiters.release(window, (skip) => cache.get(1, skip));
    const answers = await Promise.all(waiting.map(({ answer }) => answer));
    const [first] = answers;
    if (first?.kind !== 'rendered') throw new Error('Nothing was rendered.');
    for (const answer of answers) expect(answer).toBe(first);
    expect(cache.texts.costs).toEqual({ renders: 1, compressions: 0 });
    expect(cache.get(1, false)).toBe(first.rendered);
    for (const answer of answers)
      if (answer.kind === 'rendered')
        expect(answer.rendered.in('gzip').bytes).toBe(first.rendered.in('gzip').bytes);
    expect(cache.texts.costs).toEqual({ renders: 1, compressions: 1 });
    expect(gunzipSync(first.rendered.in('gzip').bytes)).toEqual(first.rendered.text);
    expect(brotliDecompressSync(first.rendered.in('br').bytes)).toEqual(first.rendered.text);
    expect(first.rendered.in('br').bytes.length).toBeLessThan(
      first.rendered.in('gzip').bytes.length,
    );
    expect(cache.texts.costs).toEqual({ renders: 1, compressions: 2 });
    expect(first.rendered.text.toString()).toContain('105.3.m4s');
    expect(waiters.size).toBe(0);
  });

  it('are answered when their own part comes, in full or as a delta update', async () => {
    const window = new GrowingWindow();
    window.growBy(15);
    const cache = cacheOn(window);
    const waiters = new Waiters(PATIENCE, { timers: new HandClock() });
    const early = waiters.wait(wait(115, 0, true));
    const later = waiters.wait(wait(115, 1));
    window.grow();
    waiters.release(window, (skip) => cache.get(1, skip));
    const answer = await early.answer;
    if (answer.kind !== 'rendered') throw new Error('Nothing was rendered.');
    expect(answer.rendered.text.toString()).toContain('EXT-X-SKIP');
    expect(waiters.size).toBe(1);
    window.grow();
    waiters.release(window, (skip) => cache.get(2, skip));
    expect(await later.answer).toMatchObject({ kind: 'rendered' });
    expect(cache.texts.costs.renders).toBe(2);
  });

  it('are told after three target durations that nothing came, each in its turn', async () => {
    const clock = new HandClock();
    const waiters = new Waiters(PATIENCE, { timers: clock });
    const one = waiters.wait(wait(105, 3));
    clock.pass(5000);
    const other = waiters.wait(wait(105, 3));
    clock.pass(7000);
    expect(await one.answer).toEqual({ kind: 'late' });
    expect([waiters.size, clock.timers]).toEqual([1, 1]);
    clock.pass(5000);
    expect(await other.answer).toEqual({ kind: 'late' });
    expect([waiters.size, clock.timers, waiters.counts.late]).toEqual([0, 0, 2]);
  });

  it('are bounded, leave when their client does, and are told when the channel goes', async () => {
    const clock = new HandClock();
    const waiters = new Waiters(PATIENCE, { timers: clock, limit: 2 });
    const one = waiters.wait(wait(105, 3));
    const two = waiters.wait(wait(105, 3));
    expect(await waiters.wait(wait(105, 3)).answer).toEqual({ kind: 'full' });
    expect(waiters.counts.refused).toBe(1);
    one.cancel();
    const three = waiters.wait(wait(105, 3));
    waiters.close();
    expect(await two.answer).toEqual({ kind: 'gone' });
    expect(await three.answer).toEqual({ kind: 'gone' });
    expect([waiters.size, clock.timers]).toEqual([0, 0]);
  });

  it('are answered by the end', async () => {
    const window = standing();
    const cache = cacheOn(window);
    const waiters = new Waiters(PATIENCE, { timers: new HandClock() });
    const { answer } = waiters.wait(wait(107, null));
    window.end();
    waiters.release(window, (skip) => cache.get(1, skip));
    expect(await answer).toMatchObject({ kind: 'rendered' });
  });
});

describe('rendered playlists', () => {
  it('change their ETag with their text and with nothing else', () => {
    let text = 'a';
    const texts = new RenderCache<string>();
    const at = (version: number) => texts.get('a playlist', version, () => text);
    const one = at(1);
    expect(one.etag).toMatch(/^W\/"[\w-]{16}"$/);
    expect(at(2).etag).toBe(one.etag);
    text = 'b';
    expect(at(2).etag).toBe(one.etag);
    expect(at(3).etag).not.toBe(one.etag);
  });
});
