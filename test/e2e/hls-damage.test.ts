/** A listener over HLS whose browser loses what it plays: it begins anew by itself. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { complaintsOf, launchChromium, newListeningContext } from '../helpers/chromium.ts';
import { RealPublisher } from '../helpers/real-publisher.ts';
import { startService, type TestService } from '../helpers/service.ts';

let service: TestService;
let publisher: RealPublisher;
let browser: Browser;

beforeAll(async () => {
  service = await startService();
  publisher = await RealPublisher.start(service);
  browser = await launchChromium({});
  const ready = async (): Promise<boolean> =>
    (await fetch(`${service.base}/c/live/hls/index.m3u8`)).ok;
  while (!(await ready())) await new Promise((resolve) => setTimeout(resolve, 250));
}, 40_000);

afterAll(async () => {
  await browser?.close();
  await publisher?.end();
  await service?.stop();
});

/** A page whose element is known, where that was last, and since when it has played on end, ms. */
type Played = { element: HTMLAudioElement; at: number; since: number };

/** Waits until the element has played three seconds on end. */
const playsOn = async (page: Page): Promise<void> => {
  await page.evaluate(() => {
    (window as unknown as Played).since = performance.now();
  });
  await page.waitForFunction(
    () => {
      const here = window as unknown as Played;
      const at = here.element?.currentTime ?? 0;
      const moved = at - here.at;
      if (!(moved > 0 && moved < 0.5)) here.since = performance.now();
      here.at = at;
      return performance.now() - here.since > 3000;
    },
    undefined,
    { timeout: 30_000, polling: 100 },
  );
};

/** Opens the page and listens over HLS. */
const listen = async () => {
  const context = await newListeningContext(browser, { reducedMotion: 'reduce' });
  await context.addInitScript(() => {
    localStorage.setItem('skywave.quality', 'balanced');
    window.Audio = class extends Audio {
      constructor() {
        super();
        Object.assign(window, { element: this });
      }
    };
  });
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  await page.goto(`${service.base}/c/live`);
  await page.getByRole('button', { name: 'Listen' }).click();
  await playsOn(page);
  return { context, page, complaints };
};

it('plays on after damaged bytes and without its source, and is silent after a pause', async () => {
  const { context, page, complaints } = await listen();

  let damaged = 0;
  await page.route(/\.m4s$/, async (route) => {
    if (damaged > 0) return route.continue();
    damaged += 1;
    const response = await route.fetch();
    const body = Buffer.from(await response.body());
    return route.fulfill({ response, body: body.fill(0x5a, 64) });
  });
  await expect.poll(() => damaged).toBe(1);
  await playsOn(page);
  const source = (): Promise<string> =>
    page.evaluate(() => (window as unknown as Played).element.src);
  const before = await source();
  await page.evaluate(() => (window as unknown as Played).element.load());
  await playsOn(page);
  expect(await source()).not.toBe(before);
  // The address of a source that was let go of is no address any more.
  expect(complaints.filter((line) => !line.includes('(blob:'))).toEqual([]);

  // A headset that is unplugged: nothing sounds again before somebody presses, whatever else breaks.
  await page.evaluate(() => (window as unknown as Played).element.pause());
  await page.getByText(/Your browser waits for you/).waitFor();
  await page.evaluate(() => (window as unknown as Played).element.load());
  await page.waitForTimeout(8000);
  expect(await page.evaluate(() => (window as unknown as Played).element.paused)).toBe(true);
  await page.getByText(/Your browser waits for you/).waitFor();
  await page.getByRole('button', { name: 'Listen' }).click();
  await playsOn(page);
  await context.close();
});

it('comes back to the rendition chosen, which hls.js leaves when its requests fail', async () => {
  const { context, page } = await listen();
  await page.getByRole('combobox', { name: 'Quality' }).selectOption('aac64');
  await page.getByText(/AAC 64 kbit\/s, HLS/).waitFor();
  await page.route(/aac64/, (route) => route.abort());
  await page.getByText(/AAC 128 kbit\/s, HLS/).waitFor();
  await page.unroute(/aac64/);
  await page.getByText(/AAC 64 kbit\/s, HLS/).waitFor({ timeout: 60_000 });
  await playsOn(page);
  await context.close();
});
