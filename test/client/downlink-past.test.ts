/** A listener that pauses, goes back and comes back to live: what its downlink says and is told. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Downlink } from '../../client/net/downlink.ts';
import type { DownlinkEvent, HeardAt } from '../../client/net/messages.ts';
import { platform } from '../../client/net/platform.ts';
import { encodeFrame } from '../../shared/frame.ts';
import { millis, samples } from '../../shared/time.ts';
import type { DownlinkMessage } from '../../worklets/port.ts';
import { SmallServer } from './small-server.ts';

const EPOCH = 7;

const frame = (sequence: number): Uint8Array =>
  encodeFrame(
    {
      flags: 0,
      rendition: 0,
      duration: samples(960),
      sequence,
      epoch: EPOCH,
      timestamp: samples(sequence * 960),
    },
    Uint8Array.of(0xfc, sequence & 0xff),
  );

let server: SmallServer;
let events: DownlinkEvent[];
let told: DownlinkMessage[];
let playback: MessagePort;
let downlink: Downlink;

beforeEach(async () => {
  server = await SmallServer.open();
  events = [];
  told = [];
});

afterEach(async () => {
  downlink.leave();
  playback.close();
  await server.close();
});

const listen = (from?: HeardAt): void => {
  const { port1, port2 } = new MessageChannel();
  playback = port2;
  port2.onmessage = ({ data }: MessageEvent<DownlinkMessage>) => told.push(data);
  const command = { type: 'listen', server: server.url, channel: 'live', port: port1 } as const;
  downlink = new Downlink(from === undefined ? command : { ...command, from }, {
    post: (event) => events.push(event),
    platform,
  });
  downlink.start();
};

const until = (claim: () => void) => vi.waitFor(claim, { timeout: 8000, interval: 5 });
const hello = async (count = 1) => {
  await until(() => expect(server.sessions[count - 1]?.heardOf('hello')).toHaveLength(1));
  return server.newest.heardOf('hello')[0];
};
const start = (sequence: number) => ({ epoch: EPOCH, sequence, timestamp: sequence * 960 });
const welcome = (part: Record<string, unknown>): void =>
  server.newest.say({
    type: 'welcome',
    session: 's',
    catalog: [],
    live: { epoch: EPOCH, sequence: 109 },
    recovered: true,
    clock: null,
    ...part,
  });

it('goes on after a pause at the very sample, with frames before it for the decoder', async () => {
  listen({ epoch: EPOCH, sequence: 100, timestamp: samples(96_123) });
  expect(await hello()).toMatchObject({ resume: { epoch: EPOCH, sequence: 95 }, shifted: true });
  welcome({ start: start(96), shifted: true, since: 1000 });
  server.newest.write(frame(96));
  await until(() => expect(told.map(({ type }) => type)).toEqual(['rejoin', 'frame']));
  expect(told[0]).toEqual({ type: 'rejoin', from: 96_123 });
  expect(events.at(-1)).toMatchObject({ type: 'welcome', shifted: true, since: 1000 });
});

it('begins at live when what was paused is not there any more', async () => {
  listen({ epoch: EPOCH, sequence: 100, timestamp: samples(96_123) });
  await hello();
  welcome({ start: start(9000), recovered: false });
  server.newest.write(frame(9000));
  await until(() => expect(told.map(({ type }) => type)).toEqual(['frame']));
});

it('goes back and to live, and after a lost connection goes on in the past', async () => {
  listen();
  await hello();
  welcome({ start: start(100) });
  server.newest.write(frame(100));
  await until(() => expect(told).toHaveLength(1));
  downlink.seek(millis(30_000));
  await until(() => expect(server.newest.heardOf('seek')).toMatchObject([{ behind: 30_000 }]));
  server.newest.say({ type: 'place', start: start(4), live: null, shifted: true });
  server.newest.write(frame(4));
  await until(() => expect(told.map(({ type }) => type)).toEqual(['frame', 'rejoin', 'frame']));
  expect(events.at(-1)).toEqual({ type: 'place', shifted: true });
  server.newest.cut();
  expect(await hello(2)).toMatchObject({ resume: { epoch: EPOCH, sequence: 4 }, shifted: true });
  welcome({ start: start(5), shifted: true });
  server.newest.say({ type: 'place', start: null, live: null, shifted: false });
  await until(() => expect(events.at(-1)).toEqual({ type: 'place', shifted: false }));
  expect(told).toHaveLength(3);
});

it('plays faster from the frame on that the server says, asks again on a new socket, not at live', async () => {
  listen();
  await hello();
  welcome({ start: start(100), shifted: true });
  server.newest.write(frame(100));
  await until(() => expect(told).toHaveLength(1));
  downlink.setRate(1.25);
  await until(() => expect(server.newest.heardOf('rate')).toEqual([{ type: 'rate', rate: 1.25 }]));
  server.newest.write(frame(101));
  server.newest.say({ type: 'rate', rate: 1.25 });
  server.newest.write(frame(102));
  await until(() =>
    expect(told.map(({ type }) => type)).toEqual(['frame', 'frame', 'rate', 'frame']),
  );
  expect(events.at(-1)).toEqual({ type: 'rate', rate: 1.25 });
  server.newest.cut();
  await hello(2);
  welcome({ start: start(103), shifted: true });
  await until(() => expect(server.newest.heardOf('rate')).toMatchObject([{ rate: 1.25 }]));
  server.newest.say({ type: 'rate', rate: 1.25 });
  server.newest.say({ type: 'place', start: null, live: null, shifted: false });
  await until(() => expect(events.at(-1)).toEqual({ type: 'place', shifted: false }));
  const rates = (): number[] =>
    told.flatMap((message) => (message.type === 'rate' ? [message.rate] : []));
  // The worklet's port is another one than the page's.
  await until(() => expect(rates()).toEqual([1.25, 1, 1.25, 1]));
  server.newest.cut();
  await hello(3);
  welcome({ start: start(104) });
  downlink.seek(millis(0));
  await until(() => expect(server.newest.heardOf('seek')).toHaveLength(1));
  expect(server.newest.heardOf('rate')).toEqual([]);
});
