/** What a listener does on the page, and what shows that it worked. */
import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';
import { installAudioTaps } from './audio-taps.ts';
import { complaintsOf, newListeningContext } from './chromium.ts';
import type { Door } from './service.ts';
import { type Shown, shown } from './shown-player.ts';

/** How a listener comes to the page. */
export type Opening = {
  readonly base: string;
  /** Runs in the page before it loads. */
  readonly before?: () => void;
  /** Records what is heard. */
  readonly tapped?: boolean;
};

/** Opens the page of the channel `live`. */
export const openPage = async (browser: Browser, { base, before, tapped = false }: Opening) => {
  // Several moving pictures drawn without a graphics card would take the machine from the sound.
  const context = await newListeningContext(browser, { reducedMotion: 'reduce' });
  if (tapped) await installAudioTaps(context, { elements: true });
  // The spread of waits is for crowds; here every wait is its shortest.
  await context.addInitScript(() => {
    Math.random = () => 0;
  });
  if (before) await context.addInitScript(before);
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  await page.goto(`${base}/c/live`);
  return { page, complaints, close: () => context.close() };
};

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

/** Whether the ear is as late as the page says, s. */
export const asShown = (ear: number, latency: number | null): boolean =>
  latency !== null && Math.abs(ear - latency) < 0.5;

/** Runs in the page before it loads: another quality was chosen at an earlier visit. */
export const chooseBalanced = (): void => localStorage.setItem('skywave.quality', 'balanced');
