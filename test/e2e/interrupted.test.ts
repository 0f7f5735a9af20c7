/** A broadcast with everything that happens to one, played to its end by hls.js and by ffmpeg. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, newListeningContext } from '../helpers/chromium.ts';
import {
  describePlayer,
  figuresOf,
  openPlayer,
  type PlayerPages,
  servePlayers,
} from '../helpers/player-page.ts';
import { PlaylistWatch } from '../helpers/player-playlists.ts';
import { describePlayed, playWith } from '../helpers/player-programs.ts';
import { LOW_LATENCY } from '../helpers/player-settings.ts';
import { RealPublisher } from '../helpers/real-publisher.ts';
import { startService } from '../helpers/service.ts';

let pages: PlayerPages;
let browser: Browser;

beforeAll(async () => {
  [pages, browser] = await Promise.all([servePlayers(), launchChromium()]);
});

afterAll(async () => {
  await browser?.close();
  await pages?.stop();
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
