/**
 * Everything that plays, on every variant of one channel, one after the other: who comes to a
 * broadcast that has been on the air for long finds what a newcomer to a young one finds.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { launchChromium, newListeningContext } from '../helpers/chromium.ts';
import {
  describePlayer,
  figuresOf,
  openPlayer,
  PLAYERS,
  type PlayerName,
  servePlayers,
} from '../helpers/player-page.ts';
import { describePlayed, disorderOf, type Program, playWith } from '../helpers/player-programs.ts';
import { LOW_LATENCY } from '../helpers/player-settings.ts';

const HLS = ['hls/index.m3u8', 'hls/opus.m3u8', 'hls/ts.m3u8'] as const;
const DASH = 'dash/manifest.mpd';

const PROGRAMS: readonly Program[] = ['ffmpeg', 'mpv', 'gstreamer', 'vlc'];

/** Shaka and dash.js play what they play in the suite. */
const BROWSER_PLAYERS: Record<PlayerName, readonly string[]> = {
  'hls.js': HLS,
  shaka: ['hls/index.m3u8', DASH],
  'dash.js': [DASH],
};

/** Sound asked of a program, and how long it may take, s: VLC keeps to a clock and begins late. */
const SECONDS = 12;
const WITHIN = 15;
const ENOUGH = 6;
const PAGE_SECONDS = 12;

/** Who could not play, as sentences; a row for each who was tried goes to the output. */
const programsThatFail = async (channel: string): Promise<string[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'skywave-everywhere-'));
  await chmod(folder, 0o777);
  const failed: string[] = [];
  for (const program of PROGRAMS)
    for (const path of [...HLS, DASH]) {
      const within = { folder, seconds: SECONDS, within: WITHIN };
      const played = await playWith(program, `${channel}/${path}`, within);
      process.stdout.write(`${describePlayed(played)}\n`);
      const { seconds, bursts } = played;
      const missed = Math.floor(seconds) - 1 - bursts.length;
      if (seconds < ENOUGH || missed > 0 || disorderOf(bursts).length > 0)
        failed.push(`${program} ${path}`);
    }
  await rm(folder, { recursive: true, force: true });
  return failed;
};

const pagesThatFail = async (channel: string): Promise<string[]> => {
  const [pages, browser] = await Promise.all([servePlayers(), launchChromium()]);
  const failed: string[] = [];
  try {
    for (const player of Object.keys(PLAYERS) as PlayerName[])
      for (const path of BROWSER_PLAYERS[player]) {
        const name = `${player} ${path}`;
        const context = await newListeningContext(browser);
        const settings = path === 'hls/ts.m3u8' ? {} : { config: LOW_LATENCY[player] };
        const url = `${channel}/${path}`;
        try {
          const page = await openPlayer(context, pages, { player, url, settings });
          await sleep(PAGE_SECONDS * 1000);
          const figures = figuresOf(await page.log());
          process.stdout.write(`${describePlayer(name, figures)}\n`);
          if (figures.played < ENOUGH || figures.fatal.length > 0) failed.push(name);
        } catch (error) {
          process.stdout.write(`  ${name}: ${error instanceof Error ? error.message : error}\n`);
          failed.push(name);
        }
        await context.close();
      }
  } finally {
    await browser.close();
    await pages.stop();
  }
  return failed;
};

/** Names of those who cannot play `channel`, an address like `http://…/c/live`. */
export const whoCannotPlay = async (channel: string): Promise<string[]> => [
  ...(await programsThatFail(channel)),
  ...(await pagesThatFail(channel)),
];
