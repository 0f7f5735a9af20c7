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

/** Plays all of them at once for `seconds`, from a publisher in Node, and prints a row for each. */
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
  const firefox = await Firefox.launch();
  try {
    await installAudioTaps(firefox);
    await sleep(headStart);
    process.stdout.write(`  Firefox ${firefox.version}, with a publisher in Node:\n`);
    const opened: { played: PlayedPath; page: PlayerPage<FirefoxPage> | undefined }[] = [];
    for (const played of paths) {
      const { player, path } = played;
      const settings = { config: LOW_LATENCY[player], tap: true };
      const url = `${base}/c/live/${path}`;
      const page = await openPlayer(firefox, pages, { player, url, settings }).catch(
        (error: Error) => {
          process.stdout.write(`  ${nameOf(played)} did not begin: ${error.message}\n`);
          return undefined;
        },
      );
      opened.push({ played, page });
      await sleep(1000);
    }
    await sleep(seconds * 1000);
    const [epoch = 0] = publisher.epochs;
    const zero = publisher.capturedAt(epoch, samples(0));
    for (const { played, page } of opened)
      if (page !== undefined)
        process.stdout.write(`${await row(played, page, { zero, settle })}\n`);
  } finally {
    await firefox.close();
    publisher.vanish();
    await service.stop();
  }
};
