/** A listener over HLS who goes back in the window, pauses, catches up, and goes to live again. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installAudioTaps } from '../helpers/audio-taps.ts';
import { complaintsOf, launchChromium, newListeningContext } from '../helpers/chromium.ts';
import { IDENTITIES } from '../helpers/measuring-signal.ts';
import { hear, startTimedPublisher, type TimedPublisher } from '../helpers/player-hearing.ts';
import { startService, type TestService } from '../helpers/service.ts';

type Shown = {
  readonly state: string;
  readonly transport: string;
  readonly latency: number | null;
};

/** Sound there is before anybody goes back in it, ms. */
const HEAD_START = 22_000;
const WAYS = [
  // The live edge is so far behind the microphone at most, s.
  { choice: 'Balanced', transport: 'll-hls', live: 4 },
  { choice: 'Stable', transport: 'hls', live: 17 },
];

let service: TestService;
let timed: TimedPublisher;
let browser: Browser;

beforeAll(async () => {
  service = await startService();
  timed = await startTimedPublisher(service);
  browser = await launchChromium({});
  await new Promise((resolve) => setTimeout(resolve, HEAD_START));
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await timed?.publisher.end();
  await service?.stop();
});

const shown = (page: Page): Promise<Shown> =>
  page.evaluate(() => {
    const player = document.querySelector('skywave-player') as unknown as Shown;
    const { state, transport, latency } = player;
    return { state, transport, latency };
  });

/** Waits until it plays, so far behind the microphone; answers how far. */
const playsBehind = async (page: Page, least: number, most: number): Promise<number> => {
  const waited = page.waitForFunction(
    ([from, to]) => {
      const player = document.querySelector('skywave-player') as unknown as Shown;
      const { state, latency } = player;
      return state === 'playing' && latency !== null && latency >= from && latency <= to;
    },
    [least, most] as const,
    { timeout: 30_000, polling: 50 },
  );
  await waited.catch(async () =>
    expect({ ...(await shown(page)), least, most }).toMatchObject({ state: 'in its place' }),
  );
  return (await shown(page)).latency ?? Number.NaN;
};

/** How late the loudspeaker is, but for whole rounds of the signal, less what is shown. */
const offAtTheEar = async (page: Page): Promise<number> => {
  await page.waitForTimeout(3000);
  const { delays } = await hear(page, timed.saidBefore, { settle: 0.5, side: 'element' });
  const { latency } = await shown(page);
  const off = (delays.at(-1) ?? Number.NaN) - (latency ?? Number.NaN);
  return off - IDENTITIES * Math.round(off / IDENTITIES);
};

describe.concurrent('over HLS', () => {
  it.each(WAYS)('one goes back and to live again ($transport)', async ({ choice, live }) => {
    const context = await newListeningContext(browser, { reducedMotion: 'reduce' });
    await installAudioTaps(context, { elements: true });
    const page = await context.newPage();
    const complaints = complaintsOf(page);
    await page.goto(`${service.base}/c/live`);
    await page.getByRole('button', { name: choice }).click();
    const press = (name: string): Promise<void> =>
      page.getByRole('button', { name, exact: true }).click();
    await press('Listen');
    const atLive = await playsBehind(page, 0, live);
    const goLive = page.getByRole('button', { name: 'Go to live' });
    expect(await goLive.count()).toBe(0);

    const slider = page.getByRole('slider', { name: 'Place in the broadcast' });
    await slider.focus();
    for (let step = 0; step < 12; step += 1) await page.keyboard.press('ArrowLeft');
    const back = await playsBehind(page, atLive + 8, atLive + 16);
    await goLive.waitFor();
    const off = await offAtTheEar(page);
    // Nothing pulls it back to live.
    const stays = await playsBehind(page, 0, 100);

    // Another rendition may take another beginning; it is at the same place.
    await page.getByRole('combobox', { name: 'Quality' }).selectOption('aac64');
    await page.getByText('AAC 64 kbit/s, HLS').waitFor();
    const otherwise = await playsBehind(page, back - 1, back + 2);

    await press('Pause');
    await page.waitForTimeout(3000);
    await press('Listen');
    const afterPause = await playsBehind(page, stays + 1.5, stays + 10);

    const catchUp = page.getByRole('button', { name: 'Catch up' });
    await catchUp.focus();
    const before = await shown(page);
    const asked = performance.now();
    await page.keyboard.press('Space');
    await page.getByText(/^Live in \d+:/).waitFor();
    await page.waitForTimeout(4000);
    const gained = (before.latency ?? 0) - ((await shown(page)).latency ?? 0);
    const share = gained / ((performance.now() - asked) / 1000);

    // Further back than the window reaches is its beginning, and one is not thrown out of it.
    await slider.press('Home');
    const oldest = await playsBehind(page, afterPause + 2, 62);
    await page.waitForTimeout(6000);
    expect(Math.abs((await playsBehind(page, 0, 100)) - oldest)).toBeLessThan(1);

    await goLive.click();
    const again = await playsBehind(page, 0, live);
    await goLive.waitFor({ state: 'detached' });
    const figures = [atLive, back, stays, otherwise, afterPause, oldest, again].map((one) =>
      one.toFixed(2),
    );
    console.log(
      `${choice}: live ${figures[0]} s, back ${figures[1]} s (at the ear ${off.toFixed(2)} s off), later ${figures[2]} s, ` +
        `in another rendition ${figures[3]} s, after a pause of 3 s ${figures[4]} s, ` +
        `caught up at ${(1 + share).toFixed(2)}, at the window’s beginning ${figures[5]} s, live ${figures[6]} s`,
    );
    expect(Math.abs(off)).toBeLessThan(0.5);
    expect(Math.abs(stays - back)).toBeLessThan(1);
    expect(share).toBeGreaterThan(0.12);
    expect(share).toBeLessThan(0.35);
    expect(complaints).toEqual([]);
    await context.close();
  });
});
