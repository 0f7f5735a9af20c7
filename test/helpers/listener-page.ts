/** What a listener does on the page, and what shows that it worked. */
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import type { Door } from './service.ts';
import { type Shown, shown } from './shown-player.ts';

/** Waits until it plays this way; answers after how many ms. */
export const plays = async (page: Page, transport: string, within = 40_000): Promise<number> => {
  const begun = performance.now();
  const wanted = { state: 'playing', transport };
  const waited = page.waitForFunction(
    ({ state, transport }) => {
      const player = document.querySelector('skywave-player') as unknown as Shown;
      return player.state === state && player.transport === transport;
    },
    wanted,
    { timeout: within, polling: 50 },
  );
  await waited.catch(async () => expect(await shown(page)).toMatchObject(wanted));
  return performance.now() - begun;
};

/** Presses Listen. */
export const listen = (page: Page): Promise<void> =>
  page.getByRole('button', { name: 'Listen' }).click();

/** Waits until the picture moves by a level that only the measuring signal can have. */
export const showsLevel = async (page: Page): Promise<void> => {
  await page.waitForFunction(
    () => {
      const visual = document
        .querySelector('skywave-player')
        ?.shadowRoot?.querySelector('sound-visual') as unknown as { feed: { newest: number } };
      return visual.feed.newest > 0.1;
    },
    undefined,
    { polling: 50 },
  );
};

/** Waits until there is something to play. */
export const untilPlayable = async ({ base }: Door): Promise<void> => {
  while (!(await fetch(`${base}/c/live/hls/index.m3u8`)).ok)
    await new Promise((resolve) => setTimeout(resolve, 250));
};
