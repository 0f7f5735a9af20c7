import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Downlink } from '../../client/net/downlink.ts';
import type { DownlinkEvent } from '../../client/net/messages.ts';
import { encodeFrame } from '../../shared/frame.ts';
import { samples, utc } from '../../shared/time.ts';
import type { PlayoutReading } from '../../worklets/port.ts';
import { quickPlatform } from './quick-platform.ts';
import { SmallServer } from './small-server.ts';

const OPUS = { codec: 'opus', channels: 2, frame: 960, fec: false, dtx: false };
const CATALOG = [
  { id: 0, ...OPUS, bitrate: 128_000 },
  { id: 1, ...OPUS, bitrate: 48_000 },
  { id: 2, ...OPUS, bitrate: 24_000 },
];
/** How much faster than life time goes here. */
const SPEED = 20;
const SECOND = 1000 / SPEED;

const reading = (part: Partial<PlayoutReading> = {}): PlayoutReading => ({
  type: 'playout',
  phase: 'playing',
  epoch: 1,
  timestamp: samples(0),
  at: utc(0),
  sequence: 0,
  buffered: 80,
  target: 100,
  concealed: 0,
  recovered: 0,
  skipped: 0,
  received: 0,
  replaced: 0,
  peak: 0,
  ...part,
});

const frameOf = (rendition: number) =>
  encodeFrame(
    { flags: 0, rendition, duration: samples(960), sequence: 0, epoch: 1, timestamp: samples(0) },
    Uint8Array.of(0xfc, 0),
  );

let server: SmallServer;
let events: DownlinkEvent[];
let playback: MessagePort;
let downlink: Downlink;

beforeEach(async () => {
  server = await SmallServer.open();
  events = [];
  const { port1, port2 } = new MessageChannel();
  playback = port2;
  downlink = new Downlink(
    { type: 'listen', server: server.url, channel: 'live', port: port1 },
    { post: (event) => events.push(event), platform: quickPlatform({ speed: SPEED }) },
  );
  downlink.start();
  await welcomed(1);
});

afterEach(async () => {
  downlink.leave();
  playback.close();
  await server.close();
});

const until = (claim: () => void) => vi.waitFor(claim, { timeout: 8000, interval: 5 });
const selected = () => server.newest.heardOf('select').map(({ rendition }) => rendition);
const reports = () => server.newest.heardOf('report').length;
const welcomes = () => events.filter(({ type }) => type === 'welcome').length;

/** Welcomes the client's so-manieth socket as one that hears the channel live. */
const welcomed = async (count: number): Promise<void> => {
  await until(() => {
    expect(server.sessions).toHaveLength(count);
    expect(server.newest.heardOf('hello')).toHaveLength(1);
  });
  server.newest.say({
    type: 'welcome',
    session: 's',
    catalog: CATALOG,
    start: { epoch: 1, sequence: 0, timestamp: 0 },
    live: null,
    recovered: count > 1,
    clock: null,
  });
  await until(() => expect(welcomes()).toBe(count));
};

it('is what a person asks for, also on the next socket, and is told by what comes', async () => {
  downlink.select(1);
  await until(() => expect(selected()).toEqual([1]));
  server.newest.write(frameOf(1));
  await until(() => expect(reports()).toBeGreaterThan(0));
  playback.postMessage(reading());
  await until(() => expect(events.at(-1)).toMatchObject({ type: 'playout', rendition: 1 }));
  server.newest.cut();
  await welcomed(2);
  expect(server.newest.heardOf('hello')[0]).toMatchObject({
    rendition: 1,
    resume: { epoch: 1, sequence: 0 },
  });
  downlink.select(null);
  await until(() => expect(selected()).toEqual([0]));
});

it('goes down by itself when the network does not carry it, and stays where it is pinned', async () => {
  server.newest.write(frameOf(0));
  let received = 0;
  const playing = setInterval(() => {
    received += 25;
    playback.postMessage(reading({ received, concealed: Math.floor(received / 10) }));
  }, SECOND / 2);
  await until(() => expect(selected()).toEqual([1, 2]));
  downlink.select(0);
  await until(() => expect(selected()).toEqual([1, 2, 0]));
  const before = reports();
  await until(() => expect(reports()).toBeGreaterThan(before + 15));
  clearInterval(playing);
  expect(selected()).toEqual([1, 2, 0]);
});

it('goes down after two skips, each of which the server tells and the playout counts', async () => {
  server.newest.write(frameOf(0));
  let skipped = 0;
  const playing = setInterval(() => playback.postMessage(reading({ skipped })), SECOND / 2);
  const skip = async (): Promise<void> => {
    const [from, to] = [
      { epoch: 1, sequence: 1 },
      { epoch: 1, sequence: 9 },
    ];
    server.newest.say({ type: 'skipped', from, to, reason: 'slow' });
    const before = reports();
    await until(() => expect(reports()).toBeGreaterThan(before + 1));
    skipped += 8;
    await until(() => expect(reports()).toBeGreaterThan(before + 4));
  };
  await until(() => expect(reports()).toBeGreaterThan(2));
  await skip();
  expect(selected()).toEqual([]);
  await skip();
  clearInterval(playing);
  expect(selected()).toEqual([1]);
});

it('is not judged while the broadcaster, and not the network, is silent', async () => {
  server.newest.write(frameOf(0));
  server.newest.say({ type: 'state', is: 'filling' });
  await until(() => expect(events.at(-1)).toMatchObject({ type: 'state' }));
  const playing = setInterval(() => playback.postMessage(reading({ target: 1000 })), SECOND / 2);
  await until(() => expect(reports()).toBeGreaterThan(10));
  clearInterval(playing);
  expect(selected()).toEqual([]);
});
