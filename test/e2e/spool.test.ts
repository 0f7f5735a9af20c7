import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { CLOSE } from '../../shared/codes.ts';
import type { Frame } from '../../shared/frame.ts';
import { type ServerSession, SmallServer } from '../client/small-server.ts';
import { type ChaosProxy, startChaosProxy } from '../helpers/chaos-proxy.ts';
import { complaintsOf, launchChromium, newListeningContext } from '../helpers/chromium.ts';
import { shortenReplay } from '../helpers/short-replay.ts';

const pages = fileURLToPath(new URL('../../dist/client', import.meta.url));
const ACK_EVERY = 200;

let browser: Browser;
let context: BrowserContext;
let server: SmallServer;
let proxy: ChaosProxy;
/** What the server has over the socket, by sequence; each arrival counts. */
let socketed: Frame[];
let acknowledging: NodeJS.Timeout;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

/** A relay in little: welcomes to epoch 5 where it left off, and acknowledges what it has. */
const greet = (session: ServerSession): void => {
  const push = session.frames.push.bind(session.frames);
  session.frames.push = (...frames) => {
    socketed.push(...frames);
    return push(...frames);
  };
  session.welcome(5, nextOf(), 'first');
};

/** Somebody else has the seat, and gives it only to who takes over. */
const taken = (session: ServerSession): void => {
  const push = session.heard.push.bind(session.heard);
  session.heard.push = (...messages) => {
    for (const message of messages)
      if (message.type === 'hello' && 'takeover' in message) greet(session);
      else if (message.type === 'hello') session.close(CLOSE.taken);
    return push(...messages);
  };
};

const nextOf = (): number => (socketed.at(-1)?.sequence ?? -1) + 1;

beforeEach(async () => {
  server = await SmallServer.open();
  server.pages = pages;
  server.greet = greet;
  socketed = [];
  acknowledging = setInterval(() => {
    if (socketed.length > 0) server.newest.say({ type: 'ack', sequence: nextOf() - 1 });
  }, ACK_EVERY);
  proxy = await startChaosProxy(server.port, { seed: 3 });
  context = await newListeningContext(browser);
  await context.addInitScript(shortenReplay);
});

afterEach(async () => {
  clearInterval(acknowledging);
  await context.close();
  await proxy.close();
  await server.close();
});

const openStudio = async (): Promise<Page> => {
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${proxy.port}/studio/live#token=a-token`);
  return page;
};

const goLive = async (page: Page): Promise<void> => {
  await page.getByRole('button', { name: 'Go live' }).click();
  await onAir(page);
};

const onAir = (page: Page): Promise<void> =>
  page.getByRole('status').filter({ hasText: 'On air' }).first().waitFor({ timeout: 20_000 });

const spooled = (page: Page): Promise<string[]> =>
  page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const spools = await root.getDirectoryHandle('spool', { create: true });
    const folder = await spools.getDirectoryHandle('live', { create: true });
    const names: string[] = [];
    for await (const name of folder.keys()) names.push(name);
    return names;
  });

const uploaded = (): number[] =>
  server.uploads.flatMap(({ frames }) => frames.map(({ sequence }) => sequence));

const until = (claim: () => void | Promise<void>) =>
  vi.waitFor(claim, { timeout: 20_000, interval: 50 });

/** Every sequence from the first on exactly once, whichever way it came; returns how many. */
const expectWhole = (): number => {
  const all = [...socketed.map(({ sequence }) => sequence), ...uploaded()];
  const sorted = all.toSorted((one, other) => one - other);
  expect(sorted).toEqual(Array.from(sorted, (_, index) => index));
  return sorted.length;
};

it('an outage longer than the replay: every frame arrives once, by socket or by upload', async () => {
  const page = await openStudio();
  const complaints = complaintsOf(page);
  await goLive(page);

  // A second tab of this browser keeps away from the first one's broadcast.
  const second = await openStudio();
  await second.getByRole('button', { name: 'Go live' }).click();
  await second.getByText('Another tab of this browser').waitFor();
  await second.close();

  proxy.cut();
  await page.waitForTimeout(2500);
  expect((await spooled(page)).length).toBeGreaterThan(0);
  proxy.restore();
  await page.getByText(/Back after \d+\.\d s; nothing was lost\./).waitFor({ timeout: 20_000 });
  await until(() => expect(uploaded().length).toBeGreaterThan(20));
  await until(() => {
    expectWhole();
  });
  await until(async () => expect(await spooled(page)).toEqual([]));
  const count = expectWhole();
  console.log(`${count} frames, ${uploaded().length} of them by ${server.uploads.length} uploads.`);
  expect(new Set(server.uploads.map(({ recording }) => recording))).toEqual(new Set(['first']));
  expect(complaints.filter((line) => line.startsWith('uncaught'))).toEqual([]);
});

it('a tab that dies offline: the next visit offers what it left, and brings it', async () => {
  const page = await openStudio();
  await goLive(page);
  await until(() => expect(socketed.length).toBeGreaterThan(20));
  proxy.cut();
  await page.waitForTimeout(2000);
  await page.close();
  proxy.restore();
  const next = await openStudio();
  await next.getByText(/\d\.\d s of your broadcast of \d\d:\d\d have not been uploaded/).waitFor();
  // Deleting asks, and the keyboard can say no.
  await next.getByRole('button', { name: 'Delete' }).press('Enter');
  await next.getByText('for good?').waitFor();
  await next.keyboard.press('Enter');
  expect(uploaded()).toEqual([]);
  await next.getByRole('button', { name: 'Upload' }).press('Enter');
  await until(() => expect(uploaded().length).toBeGreaterThan(50));
  await until(async () => expect(await spooled(next)).toEqual([]));
  // The server may have read more than it could acknowledge; that part comes twice, and is the same.
  const seen = new Set([...socketed.map(({ sequence }) => sequence), ...uploaded()]);
  expect([...seen].toSorted((a, b) => a - b)).toEqual(Array.from(seen, (_, index) => index));
  await next.getByRole('button', { name: 'Upload' }).waitFor({ state: 'detached' });
});

it('a host whose device died takes over from another one, by one press', async () => {
  server.greet = taken;
  const page = await openStudio();
  await page.getByRole('button', { name: 'Go live' }).click();
  await page.getByText('Somebody else is on the air on this channel.').waitFor();
  await page.getByRole('button', { name: 'Take over' }).press('Enter');
  await onAir(page);
  await until(() => expect(socketed.length).toBeGreaterThan(10));
});

it('a microphone that is unplugged and replaced: the broadcast goes on, in silence meanwhile', async () => {
  await context.addInitScript(() => {
    const { mediaDevices } = navigator;
    const ask = mediaDevices.getUserMedia.bind(mediaDevices);
    const page = window as unknown as { tracks: MediaStreamTrack[] };
    page.tracks = [];
    mediaDevices.getUserMedia = async (constraints) => {
      const stream = await ask(constraints);
      page.tracks.push(...stream.getAudioTracks());
      return stream;
    };
  });
  const page = await openStudio();
  await goLive(page);
  // No cable can be pulled here: a track that ends by itself is all that a page learns of it.
  await page.evaluate(() => {
    for (const track of (window as unknown as { tracks: MediaStreamTrack[] }).tracks) {
      track.stop();
      track.dispatchEvent(new Event('ended'));
    }
  });
  await page.getByText('The microphone is gone').waitFor();
  const atLoss = nextOf();
  await until(() => expect(nextOf()).toBeGreaterThan(atLoss + 25));
  await page.getByRole('combobox', { name: 'Microphone' }).selectOption({ index: 1 });
  await page.getByText('The microphone is gone').waitFor({ state: 'detached' });
  const atReturn = nextOf();
  await until(() => expect(nextOf()).toBeGreaterThan(atReturn + 25));
  expect(new Set(socketed.map(({ epoch }) => epoch))).toEqual(new Set([5]));
  expectWhole();
});
