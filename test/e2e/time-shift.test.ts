/** A listener who pauses, goes back in the broadcast and to live again, in a real browser. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { installAudioTaps } from '../helpers/audio-taps.ts';
import { complaintsOf, launchChromium, newListeningContext } from '../helpers/chromium.ts';
import { hear, startTimedPublisher, type TimedPublisher } from '../helpers/player-hearing.ts';
import { startService, type TestService } from '../helpers/service.ts';

type Shown = {
  readonly state: string;
  readonly latency: number | null;
  readonly position: { readonly epoch: number; readonly timestamp: number } | null;
};

let service: TestService;
let timed: TimedPublisher;
let browser: Browser;

beforeAll(async () => {
  service = await startService();
  timed = await startTimedPublisher(service);
  browser = await launchChromium({});
}, 40_000);

afterAll(async () => {
  await browser?.close();
  await timed?.publisher.end();
  await service?.stop();
});

const shown = (page: Page): Promise<Shown> =>
  page.evaluate(() => {
    const player = document.querySelector('skywave-player') as unknown as Shown;
    const { state, latency, position } = player;
    return { state, latency, position };
  });

/** Waits until it plays, so far behind the microphone. */
const playsBehind = (page: Page, least: number, most: number): Promise<unknown> =>
  page.waitForFunction(
    ([from, to]) => {
      const player = document.querySelector('skywave-player') as unknown as Shown;
      const { state, latency } = player;
      return state === 'playing' && latency !== null && latency >= from && latency <= to;
    },
    [least, most] as const,
    { timeout: 20_000, polling: 50 },
  );

it('goes on at the very sample after a pause, back by the slider, and to live', async () => {
  const context = await newListeningContext(browser, { reducedMotion: 'reduce' });
  await installAudioTaps(context);
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  await page.goto(`${service.base}/c/live`);
  await page.getByRole('button', { name: 'Listen', exact: true }).click();
  await playsBehind(page, 0, 2);
  expect(await page.getByRole('button', { name: 'Go to live' }).count()).toBe(0);
  await page.waitForTimeout(2000);
  const paused = await shown(page);
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await page.waitForTimeout(4000);
  await page.getByRole('button', { name: 'Listen', exact: true }).click();
  await playsBehind(page, 3.5, 12);
  const resumed = await shown(page);
  expect(paused.position).not.toBeNull();
  const gone = (resumed.position?.timestamp ?? 0) - (paused.position?.timestamp ?? 0);
  // What is read while it plays has moved on by less than it takes to look.
  process.stdout.write(
    `After a pause of 4 s it went on ${gone} samples later than it had stopped.\n`,
  );
  expect(gone).toBeGreaterThanOrEqual(0);
  expect(gone).toBeLessThan(2 * 48_000);
  await page.waitForTimeout(3000);

  await page.getByRole('button', { name: 'Go to live' }).click();
  await playsBehind(page, 0, 2);
  await page.getByRole('button', { name: 'Go to live' }).waitFor({ state: 'detached' });

  const slider = page.getByRole('slider', { name: 'Place in the broadcast' });
  await slider.focus();
  const length = Number(await slider.getAttribute('max'));
  for (let step = 0; step < 6; step += 1) await page.keyboard.press('ArrowLeft');
  await playsBehind(page, 4, length + 10);
  expect(complaints).toEqual([]);
  const heard = await hear(page, timed.saidBefore, { settle: 0 });
  expect(heard.delays.length).toBeGreaterThan(2);
  await context.close();
}, 60_000);
