/** What `<skywave-player>` shows to other programs (SURFACE), and waiting for it. */
import type { Page } from 'playwright-core';

/** Its properties at a moment. */
export type Shown = {
  readonly state: string;
  readonly transport: string;
  /** Seconds behind the microphone. */
  readonly latency: number | null;
  readonly position: { readonly epoch: number; readonly timestamp: number } | null;
  readonly stats: { readonly skipped: number; readonly concealed: number };
  /** When this was read, by the page's clock, ms. */
  readonly at: number;
};

export const shown = (page: Page): Promise<Shown> =>
  page.evaluate(() => {
    const player = document.querySelector('skywave-player') as unknown as Shown;
    const { state, transport, latency, position, stats } = player;
    return { state, transport, latency, position, stats, at: performance.now() };
  });

/** Waits until it plays, so far behind the microphone, seconds; answers how far. */
export const playsBehind = async (page: Page, least: number, most: number): Promise<number> => {
  const waited = page.waitForFunction(
    ([from, to]) => {
      const player = document.querySelector('skywave-player') as unknown as Shown;
      const { state, latency } = player;
      return state === 'playing' && latency !== null && latency >= from && latency <= to;
    },
    [least, most] as const,
    { timeout: 30_000, polling: 50 },
  );
  await waited.catch(async () => {
    throw new Error(`Not ${least} to ${most} s behind: ${JSON.stringify(await shown(page))}`);
  });
  return (await shown(page)).latency ?? Number.NaN;
};
