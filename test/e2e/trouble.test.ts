import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { complaintsOf, launchChromium, newListeningContext } from '../helpers/chromium.ts';
import { type LiveService, startLiveService } from '../helpers/live-service.ts';

let service: LiveService;
let browser: Browser;
beforeAll(async () => {
  service = await startLiveService({ SKYWAVE_ALLOWED_ORIGINS: 'http://radio.test' });
  browser = await launchChromium({ args: ['--host-resolver-rules=MAP radio.test 127.0.0.1'] });
});
afterAll(async () => {
  await browser.close();
  await service.stop();
});

/** What the studio says after *Go live*, when something in the browser is not as it should be. */
const complaint = async (
  context: BrowserContext,
  { link = service.studio, before = () => {} }: { link?: string; before?: () => void } = {},
): Promise<string> => {
  await context.addInitScript(before);
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  await page.goto(link);
  await page.getByRole('button', { name: 'Go live' }).click();
  const notice = page.locator('notice-bar').first();
  await notice.waitFor();
  const sentence = (await notice.textContent()) ?? '';
  const inside = await notice.evaluate((bar) => bar.shadowRoot?.textContent ?? '');
  expect(complaints.filter((line) => line.startsWith('uncaught'))).toEqual([]);
  await context.close();
  return `${inside} ${sentence}`.replace(/\s+/g, ' ');
};

const failing = (name: string) => `navigator.mediaDevices.getUserMedia = () =>
  Promise.reject(new DOMException('made for a test', '${name}'));`;

describe('the studio says in a sentence what to do', () => {
  it.each([
    ['NotFoundError', /microphone/i],
    ['NotAllowedError', /allow/i],
    ['NotReadableError', /use|program|close/i],
  ])('when the browser answers %s', async (name, sentence) => {
    const context = await newListeningContext(browser);
    await context.addInitScript(failing(name));
    const said = await complaint(context);
    expect(said).toMatch(sentence);
    console.log(`${name}: ${said}`);
  });

  it('when the page is not secure', async () => {
    const context = await newListeningContext(browser, { permissions: [] });
    const link = service.studio.replace('127.0.0.1', 'radio.test');
    expect(await complaint(context, { link })).toMatch(/https|secure/i);
  });

  it('when there is no AudioWorklet', async () => {
    const context = await newListeningContext(browser);
    const before = (): void => {
      Reflect.deleteProperty(window, 'AudioWorkletNode');
      Reflect.deleteProperty(BaseAudioContext.prototype, 'audioWorklet');
    };
    expect(await complaint(context, { before })).toMatch(/browser/i);
  });

  it('when the token is wrong', async () => {
    const context = await newListeningContext(browser);
    const link = service.studio.replace(/token=.*/, 'token=wrong');
    expect(await complaint(context, { link })).toMatch(/token|link/i);
  });
});
