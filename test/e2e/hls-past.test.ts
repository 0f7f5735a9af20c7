/** A listener over HLS who goes back in the window, pauses, catches up, and goes to live again. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../helpers/chromium.ts';
import { openPage } from '../helpers/listener-page.ts';
import { IDENTITIES } from '../helpers/measuring-signal.ts';
import { hear, startTimedPublisher, type TimedPublisher } from '../helpers/player-hearing.ts';
import { startService, type TestService } from '../helpers/service.ts';
import { playsBehind, type Shown, shown } from '../helpers/shown-player.ts';
import { startSocketGate } from '../helpers/socket-gate.ts';

/** Sound there is before anybody goes back in it, ms. */
const HEAD_START = 32_000;

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

const open = async (base: string) => {
  const { page, complaints, close } = await openPage(browser, { base, tapped: true });
  const press = (name: string): Promise<void> =>
    page.getByRole('button', { name, exact: true }).click();
  const back = async (seconds: number): Promise<void> => {
    await page.getByRole('slider', { name: 'Place in the broadcast' }).focus();
    for (let step = 0; step < seconds; step += 1) await page.keyboard.press('ArrowLeft');
  };
  return { page, complaints, press, back, close };
};

type Opened = Awaited<ReturnType<typeof open>>;

/**
 * How late the loudspeaker is, but for whole rounds of the signal, less what is shown. A page that has
 * little of the machine reads both at different moments: then it is looked at again.
 */
const offAtTheEar = async (page: Page): Promise<number> => {
  let off = Number.NaN;
  for (let look = 0; look < 5 && !(Math.abs(off) < 0.5); look += 1) {
    await page.waitForTimeout(3000);
    const { delays } = await hear(page, timed.saidBefore, { settle: 0.5, side: 'element' });
    const { latency } = await shown(page);
    off = (delays.at(-1) ?? Number.NaN) - (latency ?? Number.NaN);
    off -= IDENTITIES * Math.round(off / IDENTITIES);
  }
  return off;
};

/** Goes back, pauses and catches up a little; answers how far behind it is then. */
const goAboutThePast = async ({ page, press, back: goBack }: Opened): Promise<number> => {
  const atLive = (await shown(page)).latency ?? Number.NaN;
  await goBack(12);
  const back = await playsBehind(page, atLive + 5, atLive + 25);
  await page.getByRole('button', { name: 'Go to live' }).waitFor();
  const off = await offAtTheEar(page);
  // Nothing pulls it back to live.
  const stays = await playsBehind(page, back - 1, back + 1);

  // Another rendition may take another beginning; it is at the same place.
  await page.getByRole('combobox', { name: 'Quality' }).selectOption('aac64');
  await page.getByText('AAC 64 kbit/s, HLS').waitFor();
  const otherwise = await playsBehind(page, stays - 1, stays + 10);

  await press('Pause');
  await page.getByText('Paused. Listen goes on').waitFor();
  await page.waitForTimeout(2000);
  await press('Listen');
  const afterPause = await playsBehind(page, otherwise + 1, otherwise + 25);

  const catchUp = page.getByRole('button', { name: 'Catch up' });
  await catchUp.focus();
  await page.keyboard.press('Space');
  await page.getByText(/^Live in \d+:/).waitFor();
  const before = await shown(page);
  await page.waitForTimeout(4000);
  const after = await shown(page);
  const gained = (before.latency ?? 0) - (after.latency ?? 0);
  const share = (1000 * gained) / (after.at - before.at);
  await page.keyboard.press('Space');
  const figures = [atLive, back, stays, otherwise, afterPause].map((one) => one.toFixed(2));
  console.log(
    `${before.transport}: live ${figures[0]} s, back ${figures[1]} s (at the ear ${off.toFixed(2)} s off), ` +
      `later ${figures[2]} s, in another rendition ${figures[3]} s, ` +
      `after a pause of 2 s ${figures[4]} s, caught up at ${(1 + share).toFixed(2)}`,
  );
  expect(Math.abs(off)).toBeLessThan(0.5);
  expect(share).toBeGreaterThan(0.12);
  expect(share).toBeLessThan(0.35);
  return after.latency ?? Number.NaN;
};

describe.concurrent('over HLS', () => {
  it('one goes back as far as the window reaches, and another way', async () => {
    const opened = await open(service.base);
    const { page, complaints, press, close } = opened;
    await press('Most stable');
    await press('Listen');
    await playsBehind(page, 0, 17);
    expect(await page.getByRole('button', { name: 'Go to live' }).count()).toBe(0);
    const place = await goAboutThePast(opened);

    await press('Balanced');
    await page.getByText('HLS, low latency').waitFor();
    const here = await playsBehind(page, place - 3, place + 15);

    // Further back than the window reaches is its beginning, and one is not thrown out of it.
    await page.getByRole('slider', { name: 'Place in the broadcast' }).press('Home');
    const oldest = await playsBehind(page, here + 2, 62);
    await page.waitForTimeout(5000);
    await playsBehind(page, oldest - 1, oldest + 5);

    await press('Go to live');
    await playsBehind(page, 0, 6);
    await page.getByRole('button', { name: 'Go to live' }).waitFor({ state: 'detached' });
    expect(complaints).toEqual([]);
    await close();
  });

  it('one who has no socket gets it back only at live', async () => {
    const gate = await startSocketGate(service.base);
    gate.open = false;
    const opened = await open(gate.base);
    const { page, press, close } = opened;
    await press('Listen');
    await playsBehind(page, 0, 6);
    const place = await goAboutThePast(opened);
    gate.open = true;
    // Longer than a way back waits.
    await page.waitForTimeout(7000);
    await playsBehind(page, place - 3, place + 3);
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
