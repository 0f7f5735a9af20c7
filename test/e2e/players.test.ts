/**
 * Players of other people, in Chromium, on what the service hands out: all at once, in one browser,
 * for a quarter of a minute. Six of them share two cores here, and what one loses of time while it
 * begins it never gets back: the promised delays are measured by `npm run bench -- players`.
 */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installAudioTaps } from '../helpers/audio-taps.ts';
import { launchChromium, newListeningContext } from '../helpers/chromium.ts';
import { IDENTITIES } from '../helpers/measuring-signal.ts';
import { hear, startTimedPublisher, type TimedPublisher } from '../helpers/player-hearing.ts';
import {
  describePlayer,
  figuresOf,
  openPlayer,
  type PlayerName,
  type PlayerPage,
  type PlayerPages,
  servePlayers,
} from '../helpers/player-page.ts';
import { LOW_LATENCY } from '../helpers/player-settings.ts';
import { startService, type TestService } from '../helpers/service.ts';

type Case = {
  readonly player: PlayerName;
  readonly path: string;
  readonly config: object;
  /** Beyond this, s, it is lost, and not only late. */
  readonly within: number;
};

const CASES: readonly Case[] = [
  { player: 'hls.js', path: 'hls/index.m3u8', config: LOW_LATENCY['hls.js'], within: 12 },
  { player: 'hls.js', path: 'hls/opus.m3u8', config: {}, within: 15 },
  { player: 'hls.js', path: 'hls/ts.m3u8', config: {}, within: 40 },
  { player: 'shaka', path: 'hls/index.m3u8', config: LOW_LATENCY.shaka, within: 12 },
  { player: 'shaka', path: 'dash/manifest.mpd', config: LOW_LATENCY.shaka, within: 12 },
  { player: 'dash.js', path: 'dash/manifest.mpd', config: LOW_LATENCY['dash.js'], within: 12 },
];

const PLAY_FOR = 15_000;
/** So long before the players come, so that those that stay three segments behind find them. */
const HEAD_START = 16_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let service: TestService;
let timed: TimedPublisher;
let pages: PlayerPages;
let browser: Browser;
const opened = new Map<Case, PlayerPage | Error>();

beforeAll(async () => {
  service = await startService();
  timed = await startTimedPublisher(service);
  [pages, browser] = await Promise.all([servePlayers(), launchChromium()]);
  await sleep(HEAD_START);
  // One after the other, as people come.
  for (const one of CASES) {
    const context = await newListeningContext(browser);
    await installAudioTaps(context);
    const url = `${service.base}/c/live/${one.path}`;
    const settings = { config: one.config, tap: true };
    const page = await openPlayer(context, pages, { player: one.player, url, settings }).catch(
      (error: Error) => error,
    );
    opened.set(one, page);
  }
  await sleep(PLAY_FOR);
}, 90_000);

afterAll(async () => {
  await browser?.close();
  await pages?.stop();
  await service?.stop();
});

describe('players in a browser', () => {
  it.each(CASES)('$player plays $path', async (one) => {
    const page = opened.get(one);
    if (page === undefined || page instanceof Error) throw page ?? new Error('Not opened.');
    const figures = figuresOf(await page.log());
    const heard = await hear(page.page, timed.saidBefore);
    const ear = `p50 ${heard.p50.toFixed(2)} s, p95 ${heard.p95.toFixed(2)} s (${heard.delays.length}, ${heard.disorder} out of turn)`;
    console.log(describePlayer(`${one.player} ${one.path}`, figures, ear));
    if (process.env.PLAYER_LOG) console.log(JSON.stringify((await page.log()).events));
    expect(figures.fatal).toEqual([]);
    expect(figures.played).toBeGreaterThan(8);
    // Any other speed is audible on music.
    expect(Math.abs(figures.speed - 1)).toBeLessThan(0.01);
    expect(heard.delays.length).toBeGreaterThan(5);
    expect(figures.delays.p50).toBeLessThan(one.within);
    // What a player says of UTC is what was captured then; besides there is the way out of the page.
    // (The ear knows the delay but for whole rounds of the signal.)
    const off = heard.p50 - figures.delays.p50;
    expect(Math.abs(off - IDENTITIES * Math.round(off / IDENTITIES))).toBeLessThan(0.5);
  });
});

describe('the end of a broadcast', () => {
  it('is soon the end in players of the manifest', async () => {
    await timed.publisher.end();
    const said = Date.now();
    const ended = async (page: PlayerPage): Promise<boolean> =>
      (await page.log()).events.some(({ name }) => name === 'ended');
    const waiting = new Map(
      [...opened].flatMap(([{ player, path }, page]) =>
        page instanceof Error || !path.startsWith('dash/') ? [] : [[player, page]],
      ),
    );
    expect(waiting.size).toBe(2);
    for (; waiting.size > 0 && Date.now() - said < 15_000; await sleep(200))
      for (const [name, page] of waiting)
        if (await ended(page)) {
          console.log(`${name}: ended ${Date.now() - said} ms after the publisher`);
          waiting.delete(name);
        }
    expect([...waiting.keys()]).toEqual([]);
  }, 30_000);
});
