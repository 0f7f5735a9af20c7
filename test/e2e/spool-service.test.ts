/** The browser's spool with the real service: what was said offline makes the recording whole. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { millis } from '../../shared/time.ts';
import { bothWays, type ChaosProxy, startChaosProxy } from '../helpers/chaos-proxy.ts';
import { complaintsOf, launchChromium, newListeningContext } from '../helpers/chromium.ts';
import { recordedIn } from '../helpers/known-packets.ts';
import { type LiveService, startLiveService } from '../helpers/live-service.ts';
import { NETWORK } from '../helpers/network-profile.ts';
import { untilTrue } from '../helpers/patience.ts';
import { type Item, RecordingClient } from '../helpers/recording-client.ts';
import { shortenReplay } from '../helpers/short-replay.ts';

/** Offline for so long: more than the replay of 1.5 s holds, ms. */
const OFFLINE = 4000;
/** Frames have 20 ms. */
const FRAMES_PER_SECOND = 50;
/** An upload is seen for a while: live frames need a quarter of this line, bytes a second. */
const THIN = { delay: millis(0), stalls: [], bandwidth: 40_000 };

let service: LiveService;
let browser: Browser;
let context: BrowserContext;
let proxy: ChaosProxy;
let recordings: RecordingClient;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());
beforeEach(async () => {
  service = await startLiveService();
  const { origin, hash } = new URL(service.studio);
  recordings = new RecordingClient(() => ({ base: origin, token: hash.replace('#token=', '') }));
  proxy = await startChaosProxy(service.port, { seed: 5 });
  context = await newListeningContext(browser);
  await context.addInitScript(shortenReplay);
});
afterEach(async () => {
  await context.close();
  await proxy.close();
  await service.stop();
});

const openStudio = async (): Promise<Page> => {
  const page = await context.newPage();
  await page.goto(service.through(proxy.port).studio);
  return page;
};

const goLive = async (page: Page): Promise<void> => {
  await page.getByRole('button', { name: 'Go live' }).click();
  await page.getByRole('status').filter({ hasText: 'On air' }).first().waitFor();
};

const recorded = async (): Promise<Item> => (await recordings.list())[0] ?? { id: 'none' };
const reaches = (seconds: number): Promise<number> =>
  untilTrue(async () => Number((await recorded()).duration ?? 0) >= seconds, 30_000);

const goOffline = async (page: Page): Promise<void> => {
  proxy.cut();
  await page.waitForTimeout(OFFLINE);
};

const end = async (page: Page): Promise<Item> => {
  await page.getByRole('button', { name: 'End broadcast' }).click();
  await page.getByRole('button', { name: 'End broadcast' }).click();
  return recordings.final();
};

/** Seconds of sound in the file, which is one stream with every page. */
const soundIn = async (item: Item): Promise<number> => {
  const { packets, streams, whole } = recordedIn(await recordings.fileOf(item));
  expect([streams, whole]).toEqual([1, true]);
  return packets.length / FRAMES_PER_SECOND;
};

it('a studio that was offline says how much comes back, shows it, and the recording is whole', async () => {
  const page = await openStudio();
  const complaints = complaintsOf(page);
  await goLive(page);
  await reaches(1);
  await goOffline(page);
  const before = Number((await recorded()).duration);
  const shown = page.getByText(/Uploading what was recorded offline: \d+ %/).waitFor();
  proxy.shape({ ...bothWays(NETWORK.direct), up: THIN });
  proxy.restore();
  const back = page.getByText(/Back after \d+\.\d s; nothing was lost\./);
  await back.waitFor();
  const sentence = (await back.textContent()) ?? '';
  const uploads = /For the recording, (\d+\.\d) s are uploaded/;
  expect(sentence).toMatch(uploads);
  expect(Number(uploads.exec(sentence)?.[1])).toBeGreaterThan(1);
  await shown;
  proxy.shape(bothWays(NETWORK.direct));
  await reaches(before + OFFLINE / 1000);
  await page.getByText('Uploading what was recorded offline').waitFor({ state: 'detached' });
  const item = await end(page);
  expect(item).toMatchObject({ complete: true, gaps: 0, final: true });
  expect(await soundIn(item)).toBeCloseTo(Number(item.duration), 3);
  expect(Number(item.duration)).toBeGreaterThan(before + OFFLINE / 1000);
  console.log(`${sentence.trim()} ${item.duration} s are recorded.`);
  expect(complaints.filter((line) => line.startsWith('uncaught'))).toEqual([]);
});

it('a tab that died offline: the next visit brings what it left, and the recording is whole', async () => {
  const page = await openStudio();
  await goLive(page);
  await reaches(1);
  await goOffline(page);
  await page.close();
  const before = Number((await recorded()).duration);
  proxy.restore();
  const next = await openStudio();
  await next.getByText(/\d\.\d s of your broadcast of \d\d:\d\d have not been uploaded/).waitFor();
  await next.getByRole('button', { name: 'Upload' }).click();
  await next.getByRole('button', { name: 'Upload' }).waitFor({ state: 'detached' });
  await untilTrue(async () => Number((await recorded()).duration) > before + OFFLINE / 1000 - 1);
  const { id } = await recorded();
  expect((await recordings.call(`/recordings/${id}/frames`)).body.missing).toEqual([]);
  // The same broadcast goes on, so that it can be ended; between the tabs nothing was said.
  await goLive(next);
  await reaches(before + OFFLINE / 1000 + 1);
  const item = await end(next);
  expect(item).toMatchObject({ id, complete: true, final: true });
  expect(await soundIn(item)).toBeGreaterThan(before + OFFLINE / 1000 - 1);
});
