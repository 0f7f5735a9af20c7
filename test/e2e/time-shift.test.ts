/** A listener who pauses, goes back in the broadcast and to live again, in a real browser. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { installAudioTaps } from '../helpers/audio-taps.ts';
import { complaintsOf, launchChromium, newListeningContext } from '../helpers/chromium.ts';
import { hear, startTimedPublisher, type TimedPublisher } from '../helpers/player-hearing.ts';
import { startService, type TestService } from '../helpers/service.ts';
import { playsBehind, shown } from '../helpers/shown-player.ts';

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

it('goes on at the very sample after a pause, back by the slider, and to live at once or bit by bit', async () => {
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

  // Two seconds are caught up with in some seven, by the keyboard alone.
  await page.getByRole('button', { name: 'Go to live' }).click();
  await playsBehind(page, 0, 2);
  // The slider follows once a second.
  await page.waitForTimeout(2000);
  await slider.focus();
  for (let step = 0; step < 2; step += 1) await page.keyboard.press('ArrowLeft');
  await playsBehind(page, 1.2, 5);
  const catchUp = page.getByRole('button', { name: 'Catch up' });
  await catchUp.focus();
  const before = await shown(page);
  await page.keyboard.press('Space');
  const asked = performance.now();
  await page.getByText(/^Live in 0:/).waitFor();
  expect(await catchUp.getAttribute('aria-pressed')).toBe('true');
  await page.waitForTimeout(2000);
  const later = await shown(page);
  const gained = (before.latency ?? 0) - (later.latency ?? 0);
  const share = gained / ((performance.now() - asked) / 1000);
  await catchUp.waitFor({ state: 'detached', timeout: 30_000 });
  process.stdout.write(
    `Caught up with live in ${((performance.now() - asked) / 1000).toFixed(1)} s, at ${(1 + share).toFixed(2)}.\n`,
  );
  expect(share).toBeGreaterThan(0.12);
  expect(share).toBeLessThan(0.35);
  await playsBehind(page, 0, 2);
  expect((await shown(page)).stats.skipped).toBe(before.stats.skipped);
  // The button that had the focus is gone with the past.
  expect(await slider.evaluate((input) => input.matches(':focus'))).toBe(true);
  expect(complaints).toEqual([]);
  const heard = await hear(page, timed.saidBefore, { settle: 0 });
  expect(heard.delays.length).toBeGreaterThan(2);
  await context.close();
}, 90_000);
