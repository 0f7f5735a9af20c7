/**
 * Players of other people, in Chromium, on what the service hands out: all at once, in one browser,
 * for a quarter of a minute. Six of them share two cores here, and what one loses of time while it
 * begins it never gets back: the promised delays are measured by `npm run bench -- players`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
import { PlaylistWatch } from '../helpers/player-playlists.ts';
import { describePlayed, playWith } from '../helpers/player-programs.ts';
import { LOW_LATENCY } from '../helpers/player-settings.ts';
import { RealPublisher } from '../helpers/real-publisher.ts';
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

describe('a broadcast that is interrupted', () => {
  it('is played to its end: over a gap, a title, and a publisher that comes back', async () => {
    const other = await startService();
    const folder = await mkdtemp(join(tmpdir(), 'skywave-players-'));
    const channel = `${other.base}/c/live`;
    let publisher = await RealPublisher.start(other);
    const watch = new PlaylistWatch(channel);
    await sleep(9000);
    const ffmpeg = playWith('ffmpeg', `${channel}/hls/ts.m3u8`, {
      folder,
      seconds: 90,
      within: 60,
    });
    const context = await newListeningContext(browser);
    const player = await openPlayer(context, pages, {
      player: 'hls.js',
      url: `${channel}/hls/index.m3u8`,
      settings: { config: LOW_LATENCY['hls.js'] },
    });
    await sleep(4000);
    publisher.hold();
    await sleep(2500);
    publisher.release();
    await sleep(4000);
    const titled = await fetch(`${other.base}/api/v1/channels/live/metadata`, {
      method: 'POST',
      headers: { authorization: `Bearer ${other.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ title: 'Air', artist: 'Anna' }),
    });
    expect(titled.status).toBe(200);
    await sleep(3000);
    publisher.vanish();
    await sleep(2000);
    publisher = await RealPublisher.start(other);
    await sleep(8000);
    await publisher.end();
    const ended = Date.now();
    let endlist = Number.NaN;
    while (Number.isNaN(endlist) && Date.now() - ended < 6000) {
      await sleep(100);
      const media = [...watch.last].filter(([url]) => url.includes('/media/'));
      if (media.every(([, text]) => text.endsWith('#EXT-X-ENDLIST\n')))
        endlist = Date.now() - ended;
    }
    await sleep(5000);
    const log = await player.log();
    const figures = figuresOf(log);
    const played = await ffmpeg;
    await watch.stop();
    console.log(describePlayer('hls.js, interrupted', figures));
    console.log(describePlayed(played));
    console.log(`  ${watch.fetched} playlists; ENDLIST ${endlist} ms after the end`);
    for (const complaint of watch.complaints) console.log(`  ${complaint}`);
    if (process.env.PLAYER_LOG) console.log(JSON.stringify(log.events), played.said);
    await context.close();
    await other.stop();
    await rm(folder, { recursive: true, force: true });
    expect(figures.fatal).toEqual([]);
    expect(log.events.map(({ name }) => name)).toContain('ended');
    expect(played.seconds).toBeGreaterThan(25);
    expect([...watch.last].some(([, text]) => text.includes('Air'))).toBe(true);
    expect(endlist).toBeLessThan(4000);
    expect(watch.complaints).toEqual([]);
  }, 90_000);
});
