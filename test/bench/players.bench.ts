/**
 * Microphone to ear through players of other people, one after the other, each for 120 s: a studio
 * page in Chromium with the measuring signal as its microphone, and beside it, in the same browser,
 * the player; then the same players in Firefox ESR.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { installAudioTaps, readTaps } from '../helpers/audio-taps.ts';
import { launchChromium, newListeningContext } from '../helpers/chromium.ts';
import { measureDelay } from '../helpers/delay-meter.ts';
import { startLiveService } from '../helpers/live-service.ts';
import { writeMicrophone } from '../helpers/microphone-file.ts';
import {
  describePlayer,
  figuresOf,
  openPlayer,
  type PlayerName,
  type PlayerPages,
  quantile,
  servePlayers,
} from '../helpers/player-page.ts';
import { LOW_LATENCY } from '../helpers/player-settings.ts';
import { reportFirefox } from './firefox-players.ts';
import { type Claim, judge } from './verdict.ts';

const MINUTES = Number(process.env.PLAYERS_SECONDS ?? 120) / 60;
const HEAD_START = 12_000;
/** What comes before does not count: the player finds its place, s. */
const SETTLE = 4;

type Promised = { readonly player: PlayerName; readonly path: string; readonly p95: number };

/** Delay promised at the ear, s. */
const PROMISED: readonly Promised[] = [
  { player: 'hls.js', path: 'hls/index.m3u8', p95: 2.2 },
  { player: 'shaka', path: 'hls/index.m3u8', p95: 1.6 },
  { player: 'shaka', path: 'dash/manifest.mpd', p95: 3 },
  { player: 'dash.js', path: 'dash/manifest.mpd', p95: 3 },
];

const goLive = async (browser: Browser, link: string): Promise<Page> => {
  const context = await newListeningContext(browser);
  await installAudioTaps(context);
  const studio = await context.newPage();
  await studio.goto(link);
  // Noise suppression would take the measuring signal for noise.
  await studio.getByRole('button', { name: 'Music' }).click();
  await studio.getByRole('button', { name: 'Go live' }).click();
  await studio.getByRole('status').filter({ hasText: 'On air' }).first().waitFor();
  return studio;
};

/** A service, a studio and one player: two cores are no more than they need. */
const measureChromium = async (
  pages: PlayerPages,
  { player, path, p95: most }: Promised,
  seconds: number,
): Promise<Claim[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'skywave-players-'));
  const microphone = await writeMicrophone(join(folder, 'microphone.wav'));
  const service = await startLiveService();
  const browser = await launchChromium({ microphone });
  try {
    const studio = await goLive(browser, service.studio);
    await studio.waitForTimeout(HEAD_START);
    const context = await newListeningContext(browser);
    await installAudioTaps(context);
    const url = `http://127.0.0.1:${service.port}/c/live/${path}`;
    const settings = { config: LOW_LATENCY[player], tap: true };
    const opened = await openPlayer(context, pages, { player, url, settings });
    await studio.waitForTimeout(seconds * 1000);
    const log = await opened.log();
    const playback = (await readTaps(opened.page, 'playback')).at(-1);
    const capture = (await readTaps(studio, 'capture')).at(-1);
    const figures = figuresOf(log, { settle: SETTLE });
    if (playback === undefined) throw new Error(`${player} was not recorded.`);
    if (capture === undefined) throw new Error('The studio was not recorded.');
    const { bursts } = measureDelay(capture, playback);
    const from = (playback.firstSound() ?? 0) + SETTLE * 1000;
    const delays = bursts.filter(({ at }) => at >= from).map(({ delay }) => delay / 1000);
    const [p50, p95] = [quantile(delays, 0.5), quantile(delays, 0.95)];
    const ear = `p50 ${p50.toFixed(2)} s, p95 ${p95.toFixed(2)} s (${delays.length} bursts)`;
    const name = `${player} ${path}`;
    process.stdout.write(`${describePlayer(name, figures, ear)}\n`);
    const unheard = Math.max(0, Math.floor(figures.played) - SETTLE - 2 - delays.length);
    const halts = figures.stalls + figures.jumps + figures.fatal.length;
    return [
      { name: `${name}: delay p95`, value: p95, most, unit: 's' },
      { name: `${name}: stalls and jumps`, value: halts, most: 0, unit: '' },
      { name: `${name}: bursts that were not heard`, value: unheard, most: 0, unit: '' },
    ];
  } finally {
    await browser.close();
    await service.stop();
    await rm(folder, { recursive: true, force: true });
  }
};

/** Plays for `minutes` in each browser. */
export const run = async ({ minutes = MINUTES }: { minutes?: number } = {}): Promise<void> => {
  const seconds = minutes * 60;
  const pages = await servePlayers();
  try {
    const claims: Claim[] = [];
    for (const promised of PROMISED)
      claims.push(...(await measureChromium(pages, promised, seconds)));
    await reportFirefox(PROMISED, { pages, seconds, headStart: HEAD_START, settle: SETTLE });
    judge(claims);
  } finally {
    await pages.stop();
  }
};
