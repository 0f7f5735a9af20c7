/** The players of the benchmark `players` once more, in Firefox ESR: reported, not judged. */
import { setTimeout as sleep } from 'node:timers/promises';
import { samples } from '../../shared/time.ts';
import { installAudioTaps } from '../helpers/audio-taps.ts';
import { Firefox, type FirefoxPage, missingForFirefox } from '../helpers/firefox.ts';
import { LastingPublisher } from '../helpers/lasting-publisher.ts';
import { startLiveService } from '../helpers/live-service.ts';
import { hear, saidSince } from '../helpers/player-hearing.ts';
import {
  describePlayer,
  figuresOf,
  openPlayer,
  type PlayerName,
  type PlayerPage,
  type PlayerPages,
} from '../helpers/player-page.ts';
import { LOW_LATENCY } from '../helpers/player-settings.ts';

/** One player at one address of a channel. */
export type PlayedPath = { readonly player: PlayerName; readonly path: string };

type Playing = {
  readonly base: string;
  readonly pages: PlayerPages;
  readonly seconds: number;
  readonly settle: number;
  /** UTC of the publisher's first sample, ms. */
  readonly zero: number;
};

const nameOf = ({ player, path }: PlayedPath): string => `${player} ${path}`;

const row = async (
  played: PlayedPath,
  page: PlayerPage<FirefoxPage>,
  { zero, settle }: { zero: number; settle: number },
): Promise<string> => {
  const figures = figuresOf(await page.log(), { settle });
  const heard = await hear(page.page, saidSince(zero), { settle });
  const ear =
    `p50 ${heard.p50.toFixed(2)} s, p95 ${heard.p95.toFixed(2)} s ` +
    `(${heard.delays.length} bursts, ${heard.disorder} out of order)`;
  return describePlayer(nameOf(played), figures, ear);
};

/**
 * Asks for the manifest as soon as there is one. Its time then begins with the first segment, at
 * media time 0; of a later one Shaka's account of UTC leaves out the presentationTimeOffset.
 */
const untilManifest = async (url: string): Promise<void> => {
  for (let tries = 0; tries < 100; tries += 1) {
    const { status } = await fetch(url);
    if (status === 200) return;
    await sleep(200);
  }
  throw new Error('The channel has no DASH manifest.');
};

const play = async (
  firefox: Firefox,
  played: PlayedPath,
  { base, pages, seconds, settle, zero }: Playing,
): Promise<string> => {
  const { player, path } = played;
  const settings = { config: LOW_LATENCY[player], tap: true };
  const url = `${base}/c/live/${path}`;
  const page = await openPlayer(firefox, pages, { player, url, settings });
  await sleep(seconds * 1000);
  const told = await row(played, page, { zero, settle });
  await page.page.close();
  return told;
};

/**
 * Plays them one after the other, each for `seconds`, from a publisher in Node, and prints a row for
 * each. All at once they would starve each other's sound: Firefox without a screen draws on the CPU.
 */
export const reportFirefox = async (
  paths: readonly PlayedPath[],
  {
    pages,
    seconds,
    headStart,
    settle,
  }: { pages: PlayerPages; seconds: number; headStart: number; settle: number },
): Promise<void> => {
  const missing = missingForFirefox();
  if (missing !== undefined) {
    process.stdout.write(`  Firefox ESR: ${missing}\n`);
    return;
  }
  const service = await startLiveService();
  const base = `http://127.0.0.1:${service.port}`;
  const token = new URL(service.studio).hash.replace('#token=', '');
  const publisher = await LastingPublisher.start({ base, token });
  const [epoch = 0] = publisher.epochs;
  const zero = publisher.capturedAt(epoch, samples(0));
  let firefox: Firefox | undefined;
  try {
    await untilManifest(`${base}/c/live/dash/manifest.mpd`);
    firefox = await Firefox.launch();
    await installAudioTaps(firefox);
    await sleep(headStart);
    process.stdout.write(`  Firefox ${firefox.version}, one after the other, publisher in Node:\n`);
    for (const played of paths) {
      const told = await play(firefox, played, { base, pages, seconds, settle, zero }).catch(
        (error: Error) => `  ${nameOf(played)} was not measured: ${error.message}`,
      );
      process.stdout.write(`${told}\n`);
    }
  } finally {
    await firefox?.close();
    publisher.vanish();
    await service.stop();
  }
};
