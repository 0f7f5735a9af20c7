/** A listener over HLS who goes back in the window, pauses, catches up, and goes to live again. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installAudioTaps } from '../helpers/audio-taps.ts';
import { complaintsOf, launchChromium, newListeningContext } from '../helpers/chromium.ts';
import { IDENTITIES } from '../helpers/measuring-signal.ts';
import { hear, startTimedPublisher, type TimedPublisher } from '../helpers/player-hearing.ts';
import { startService, type TestService } from '../helpers/service.ts';
import { startSocketGate } from '../helpers/socket-gate.ts';

type Shown = {
  readonly state: string;
  readonly transport: string;
  readonly latency: number | null;
};

/** Sound there is before anybody goes back in it, ms. */
const HEAD_START = 22_000;
const WAYS = [
  // The live edge is so far behind the microphone at most, s.
  { choice: 'Balanced', transport: 'll-hls', live: 4, other: 'Most stable' },
  { choice: 'Most stable', transport: 'hls', live: 17, other: 'Balanced' },
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
  await waited.catch(async () => {
    throw new Error(`Not ${least} to ${most} s behind: ${JSON.stringify(await shown(page))}`);
  });
  return (await shown(page)).latency ?? Number.NaN;
};

const open = async (base: string) => {
  const context = await newListeningContext(browser, { reducedMotion: 'reduce' });
  await installAudioTaps(context, { elements: true });
  // The spread of waits is for crowds; here every wait is its shortest.
  await context.addInitScript(() => {
    Math.random = () => 0;
  });
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  await page.goto(`${base}/c/live`);
  const press = (name: string): Promise<void> =>
    page.getByRole('button', { name, exact: true }).click();
  const back = async (seconds: number): Promise<void> => {
    await page.getByRole('slider', { name: 'Place in the broadcast' }).focus();
    for (let step = 0; step < seconds; step += 1) await page.keyboard.press('ArrowLeft');
  };
  return { page, complaints, press, back, close: () => context.close() };
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
  it.each(WAYS)('one goes back and to live again ($transport)', async ({ choice, live, other }) => {
    const { page, complaints, press, back: goBack, close } = await open(service.base);
    await press(choice);
    await press('Listen');
    const atLive = await playsBehind(page, 0, live);
    const goLive = page.getByRole('button', { name: 'Go to live' });
    expect(await goLive.count()).toBe(0);

    await goBack(12);
    const back = await playsBehind(page, atLive + 8, atLive + 16);
    await goLive.waitFor();
    const off = await offAtTheEar(page);
    // Nothing pulls it back to live.
    const stays = await playsBehind(page, 0, 100);

    // Another rendition may take another beginning; it is at the same place.
    await page.getByRole('combobox', { name: 'Quality' }).selectOption('aac64');
    await page.getByText('AAC 64 kbit/s, HLS').waitFor();
    const otherwise = await playsBehind(page, back - 1, back + 5);

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
    await page.getByRole('slider', { name: 'Place in the broadcast' }).press('Home');
    const oldest = await playsBehind(page, afterPause + 2, 62);
    await page.waitForTimeout(6000);
    expect(Math.abs((await playsBehind(page, 0, 100)) - oldest)).toBeLessThan(1);

    // Nor does another way over HLS cost the place.
    await press(other);
    await playsBehind(page, oldest - 1, oldest + 8);

    await goLive.click();
    const again = await playsBehind(page, 0, 17);
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
    await close();
  });

  it('one who has no socket pauses, and gets it back only at live', async () => {
    const gate = await startSocketGate(service.base);
    gate.open = false;
    const { page, press, back, close } = await open(gate.base);
    await press('Listen');
    const atLive = await playsBehind(page, 0, 6);
    await back(8);
    const place = await playsBehind(page, atLive + 5, atLive + 12);
    await press('Pause');
    await page.getByText('Paused. Listen goes on').waitFor();
    await page.waitForTimeout(2000);
    await press('Listen');
    const later = await playsBehind(page, place + 1, place + 8);
    expect((await shown(page)).transport).toBe('ll-hls');
    gate.open = true;
    // Longer than a way back waits.
    await page.waitForTimeout(7000);
    await playsBehind(page, later - 1, later + 1);
    expect((await shown(page)).transport).toBe('ll-hls');
    await press('Go to live');
    await page.waitForFunction(
      () =>
        (document.querySelector('skywave-player') as unknown as Shown).transport === 'websocket',
      undefined,
      { timeout: 40_000 },
    );
    await playsBehind(page, 0, 2);
    await close();
    await gate.close();
  });
});
