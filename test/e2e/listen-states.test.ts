/** What the listener's page says over HLS, which tells it less than the socket does. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../helpers/chromium.ts';
import {
  chooseBalanced,
  listen,
  openPage,
  plays,
  showsLevel,
  untilPlayable,
} from '../helpers/listener-page.ts';
import { RealPublisher } from '../helpers/real-publisher.ts';
import { changeChannel, startService, type TestService } from '../helpers/service.ts';
import { shown } from '../helpers/shown-player.ts';

let service: TestService;
/** Another service, whose channel never ends. */
let forever: TestService;
let publisher: RealPublisher;
let browser: Browser;

beforeAll(async () => {
  service = await startService();
  forever = await startService();
  await changeChannel(forever, { continuous: true });
  publisher = await RealPublisher.start(service);
  browser = await launchChromium({});
}, 40_000);

afterAll(async () => {
  await browser?.close();
  publisher?.vanish();
  await service?.stop();
  await forever?.stop();
});

describe.concurrent('the listener’s page over HLS', () => {
  it('says Ended between two broadcasts of a channel that never ends, and On air in the next', async () => {
    const first = await RealPublisher.start(forever);
    await untilPlayable(forever);
    const opening = { base: forever.base, before: chooseBalanced };
    const { page, complaints, close } = await openPage(browser, opening);
    await listen(page);
    await plays(page, 'll-hls');
    await first.end();
    await page.getByText(/The broadcast has ended/).waitFor({ timeout: 40_000 });
    // What was said can be heard again meanwhile.
    await page.getByRole('slider', { name: 'Place in the broadcast' }).press('Home');
    await plays(page, 'll-hls');
    await page.getByText(/The broadcast has ended/).waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Go to live' }).click();
    await page.getByText(/The broadcast has ended/).waitFor({ timeout: 40_000 });
    const second = await RealPublisher.start(forever);
    await plays(page, 'll-hls');
    await showsLevel(page);
    expect((await shown(page)).latency).toBeGreaterThan(0.3);
    expect(complaints).toEqual([]);
    await close();
    second.vanish();
  });

  it('asks for a press where HLS may not sound, and keeps the focus', async () => {
    const before = (): void => {
      HTMLMediaElement.prototype.play = () =>
        Promise.reject(new DOMException('Not now.', 'NotAllowedError'));
    };
    const { page, close } = await openPage(browser, { base: service.base, before });
    await listen(page);
    await plays(page, 'websocket');
    await page.getByRole('button', { name: 'Balanced' }).click();
    await page.getByRole('button', { name: 'Pause' }).focus();
    await page.getByText(/Your browser waits for you/).waitFor();
    expect(await shown(page)).toMatchObject({ state: 'blocked', transport: 'll-hls' });
    const focused = await page.evaluate(
      () => document.querySelector('skywave-player')?.shadowRoot?.activeElement?.ariaLabel,
    );
    expect(focused).toBe('Listen');
    await close();
  });
});
