/**
 * The listener's page over HLS: by choice, by the browser alone, and where no socket is to be had,
 * with its way back. All pages run at once, in one browser, on one real broadcast.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLOSE } from '../../shared/codes.ts';
import type { TapSide } from '../helpers/audio-taps.ts';
import { launchChromium } from '../helpers/chromium.ts';
import {
  asShown,
  chooseBalanced,
  listen,
  type Opening,
  openPage,
  plays,
  showsLevel,
  untilPlayable,
} from '../helpers/listener-page.ts';
import { hear, startTimedPublisher, type TimedPublisher } from '../helpers/player-hearing.ts';
import { RealPublisher } from '../helpers/real-publisher.ts';
import { startService, type TestService } from '../helpers/service.ts';
import { type Shown, shown } from '../helpers/shown-player.ts';
import { type SocketGate, startSocketGate } from '../helpers/socket-gate.ts';

let service: TestService;
/** Another broadcast, to be interrupted and ended. */
let other: TestService;
let interrupted: RealPublisher;
let timed: TimedPublisher;
let browser: Browser;

beforeAll(async () => {
  service = await startService();
  other = await startService();
  timed = await startTimedPublisher(service);
  interrupted = await RealPublisher.start(other);
  browser = await launchChromium({ args: ['--host-resolver-rules=MAP radio.test 127.0.0.1'] });
  await untilPlayable(other);
}, 40_000);

afterAll(async () => {
  await browser?.close();
  await timed?.publisher.end();
  await service?.stop();
  await other?.stop();
});

const openListener = (opening: Partial<Opening> = {}) =>
  openPage(browser, { base: service.base, ...opening });

/** Listens at the loudspeaker until bursts come as late as `agrees` says they should; seconds. */
const hears = async (
  page: Page,
  side: TapSide,
  agrees: (ear: number, latency: number | null) => boolean,
): Promise<number> => {
  let last = '';
  for (let look = 0; look < 30; look += 1) {
    await page.waitForTimeout(1000);
    const { latency } = await shown(page);
    const { delays } = await hear(page, timed.saidBefore, { settle: 0.5, side });
    const ear = delays.at(-1) ?? Number.NaN;
    if (delays.length > 2 && agrees(ear, latency)) return ear;
    last = `${delays.length} bursts, the last ${ear} s late, ${latency} s shown`;
  }
  throw new Error(`The bursts were never heard as they should: ${last}.`);
};

describe.concurrent('the listener’s page', () => {
  it('plays over HLS by choice, in the quality chosen with the keyboard', async () => {
    const { page, complaints, close } = await openListener({ tapped: true });
    await page.getByRole('button', { name: 'Balanced' }).press('Enter');
    await listen(page);
    const toSound = await plays(page, 'll-hls');
    await page.getByText('AAC 128 kbit/s, HLS, low latency').waitFor();
    const quality = page.getByRole('combobox', { name: 'Quality' });
    await quality.focus();
    for (const key of ['ArrowDown', 'ArrowDown']) await page.keyboard.press(key);
    await page.getByText('AAC 64 kbit/s, HLS, low latency').waitFor();
    await plays(page, 'll-hls');
    await showsLevel(page);
    await quality.press('Home');
    // Automatic may find the machine too busy for more.
    await page.getByText(/AAC (128|64) kbit\/s, HLS, low latency/).waitFor();
    await plays(page, 'll-hls');
    const ear = await hears(page, 'element', asShown);
    console.log(
      `HLS by choice: sound after ${toSound.toFixed(0)} ms, ${ear.toFixed(2)} s at the ear`,
    );
    expect(complaints).toEqual([]);
    await close();
  });

  it('plays where the browser has no Media Source and plays HLS by itself', async () => {
    const before = (): void => {
      for (const name of ['MediaSource', 'WebKitMediaSource', 'ManagedMediaSource'])
        Reflect.deleteProperty(window, name);
      localStorage.setItem('skywave.quality', 'balanced');
    };
    const { page, complaints, close } = await openListener({ before, tapped: true });
    await listen(page);
    await plays(page, 'hls');
    // Which rendition it took the browser does not say.
    await page.getByText(/^HLS$/).waitFor();
    await page.getByRole('combobox', { name: 'Quality' }).selectOption('aac64');
    await page.getByText('AAC 64 kbit/s, HLS').waitFor();
    await plays(page, 'hls');
    const ear = await hears(page, 'element', (_ear, latency) => latency === null);
    console.log(`HLS by the browser: ${ear.toFixed(2)} s at the ear`);
    await showsLevel(page);
    expect(complaints).toEqual([]);
    await close();
  });

  it('plays over HLS where the address is not secure, and says why', async () => {
    const base = service.base.replace('127.0.0.1', 'radio.test');
    // As Firefox: there the level is only to be had by leading the sound through Web Audio.
    const before = (): void =>
      void Reflect.deleteProperty(HTMLMediaElement.prototype, 'captureStream');
    const { page, close } = await openListener({ base, before });
    expect(await page.evaluate(() => isSecureContext)).toBe(false);
    await listen(page);
    await plays(page, 'll-hls');
    await page.getByText(/only on secure pages/).waitFor();
    await showsLevel(page);
    await close();
  });

  it('plays over HLS while a proxy refuses the socket, and goes back by itself', async () => {
    const gate: SocketGate = await startSocketGate(service.base);
    gate.open = false;
    const { page, close } = await openListener({ base: gate.base, tapped: true });
    await listen(page);
    const toSound = await plays(page, 'll-hls');
    await page.getByText(/blocks WebSockets/).waitFor();
    await showsLevel(page);
    const askedBefore = gate.asked;
    // Whoever asks for it once more is told again, and it is still tried.
    const closest = page.getByRole('button', { name: 'Closest to live' });
    await closest.click();
    await page.getByText(/blocks WebSockets/).waitFor({ state: 'hidden' });
    await page.getByText(/blocks WebSockets/).waitFor();
    expect(await shown(page)).toMatchObject({ state: 'playing', transport: 'll-hls' });
    gate.open = true;
    const toSocket = await plays(page, 'websocket');
    const ear = await hears(page, 'playback', asShown);
    console.log(
      `No socket: over HLS after ${toSound.toFixed(0)} ms; back on it after ${toSocket.toFixed(0)} ms, ${ear.toFixed(2)} s at the ear`,
    );
    expect(askedBefore).toBeGreaterThan(1);
    expect((await shown(page)).transport).toBe('websocket');
    await close();
    await gate.close();
  });

  it('plays over HLS when it was too slow for the socket, and goes back by itself', async () => {
    const gate = await startSocketGate(service.base);
    const { page, complaints, close } = await openListener({ base: gate.base });
    await listen(page);
    await plays(page, 'websocket');
    gate.throwOut(CLOSE.tooSlow);
    await plays(page, 'hls');
    await page.getByText(/too slow/).waitFor();
    await showsLevel(page);
    await plays(page, 'websocket');
    expect(complaints).toEqual([]);
    await close();
    await gate.close();
  });

  it('says Stalled while the broadcaster sends nothing, and Ended at the end', async () => {
    const { page, complaints, close } = await openListener({
      base: other.base,
      before: chooseBalanced,
    });
    await listen(page);
    await plays(page, 'll-hls');
    interrupted.hold();
    await page.getByText(/No signal from the broadcaster/).waitFor({ timeout: 40_000 });
    // Between two tries for some hundred milliseconds; a busy machine may look past them.
    await page.waitForFunction(
      () => (document.querySelector('skywave-player') as unknown as Shown).state === 'stalled',
      undefined,
      { timeout: 40_000, polling: 50 },
    );
    interrupted.release();
    await interrupted.end();
    await page.getByText(/The broadcast has ended/).waitFor({ timeout: 40_000 });
    expect(await shown(page)).toMatchObject({ state: 'ended', latency: null });
    expect(complaints).toEqual([]);
    await close();
  });

  it('wakes Web Audio after an interruption, and asks for a press where it may not', async () => {
    const before = (): void => {
      const { resume } = AudioContext.prototype;
      const page = window as unknown as { contexts: Set<AudioContext>; refuses: boolean };
      page.contexts = new Set();
      const Context = AudioContext;
      window.AudioContext = class AudioContext extends Context {
        constructor(options?: AudioContextOptions) {
          super(options);
          page.contexts.add(this);
        }
        override resume(): Promise<void> {
          return page.refuses ? new Promise(() => {}) : resume.call(this);
        }
      };
    };
    const { page, close } = await openListener({ before });
    await listen(page);
    await plays(page, 'websocket');
    const interrupt = (refuses: boolean): Promise<void> =>
      page.evaluate(async (refuses) => {
        const here = window as unknown as { contexts: Set<AudioContext>; refuses: boolean };
        here.refuses = refuses;
        for (const context of here.contexts) await context.suspend();
      }, refuses);
    await interrupt(false);
    await page.waitForFunction(() => {
      const here = window as unknown as { contexts: Set<AudioContext> };
      return [...here.contexts].every(({ state }) => state === 'running');
    });
    await plays(page, 'websocket');
    // Another headset: nobody has to press.
    await interrupt(true);
    await page.getByText(/Your browser waits for you/).waitFor();
    await page.evaluate(() => {
      (window as unknown as { refuses: boolean }).refuses = false;
      navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
    });
    await plays(page, 'websocket');
    await interrupt(true);
    await page.getByText(/Your browser waits for you/).waitFor();
    expect((await shown(page)).state).toBe('blocked');
    await page.evaluate(() => {
      (window as unknown as { refuses: boolean }).refuses = false;
    });
    await listen(page);
    await plays(page, 'websocket');
    await showsLevel(page);
    await close();
  });
});
