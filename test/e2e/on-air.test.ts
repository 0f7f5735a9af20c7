import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  describeFigures,
  endBroadcast,
  goLiveAndListen,
  measureBroadcast,
  openBroadcast,
} from '../helpers/broadcast-run.ts';
import { type LiveService, startLiveService } from '../helpers/live-service.ts';

/**
 * The whole way in a real browser, short enough for every commit. The figures are printed; the
 * bounds are twice what the product promises, because this machine does other things too. What it
 * promises is judged over 60 s by `npm run bench -- delay`.
 */
const SECONDS = 16;
/** Frames concealed while something else has the machine: one in a hundred. */
const CONCEALED_MOST = (SECONDS * 50) / 100;

let service: LiveService;
beforeAll(async () => {
  service = await startLiveService();
});
afterAll(async () => {
  expect(await service.stop()).toBe(0);
});

describe('one button in a browser', () => {
  it.each([48_000, 44_100])('is heard on a web page, devices at %i Hz', async (sampleRate) => {
    const pages = await openBroadcast(service, { sampleRate });
    await goLiveAndListen(pages);
    await pages.listener.waitForTimeout(SECONDS * 1000);
    await endBroadcast(pages);
    await pages.listener.getByRole('status').filter({ hasText: 'Ended' }).first().waitFor();
    const figures = await measureBroadcast(pages);
    console.log(`From worklet to worklet in Chromium:\n${describeFigures(figures)}`);

    expect(figures.rate).toBe(sampleRate);
    expect(figures.bursts.count).toBeGreaterThan(SECONDS - 8);
    expect(figures.bursts.p50).toBeLessThan(200);
    expect(figures.frames.p99).toBeLessThan(360);
    expect(figures.toFirstSound).toBeLessThan(1000);
    expect(figures.toFirstAck).toBeLessThan(1000);
    expect(figures.concealed).toBeLessThanOrEqual(CONCEALED_MOST);
    expect(figures.skipped).toBe(0);
    expect(Math.abs(figures.readOut - figures.bursts.p50)).toBeLessThan(40);
    expect(figures.missed).toBe(0);
    expect(pages.complaints).toEqual([]);

    await pages.close();
  });
});
