import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Downlink } from '../../client/net/downlink.ts';
import type { DownlinkEvent, UplinkEvent } from '../../client/net/messages.ts';
import { Uplink } from '../../client/net/uplink.ts';
import { decodeFrame, type Frame } from '../../shared/frame.ts';
import { millis } from '../../shared/time.ts';
import type { DownlinkMessage } from '../../worklets/port.ts';
import { type ChaosProxy, startChaosProxy } from '../helpers/chaos-proxy.ts';
import { startService, type TestService } from '../helpers/service.ts';
import { Capture, origin, RENDITION, range, sequences, until } from './publishing.ts';
import { quickPlatform } from './quick-platform.ts';

// Tries follow each other quickly, so that outages are as long as the test makes them.
const platform = quickPlatform({ random: () => 0.1 });

let service: TestService;
let up: ChaosProxy;
let down: ChaosProxy;
let uplink: Uplink;
let downlink: Downlink;
let capture: Capture;
let published: UplinkEvent[];
let listened: DownlinkEvent[];
let frames: Frame[];
let told: string[];
let ports: MessagePort[];

const portOf = (base: string) => Number(new URL(base).port);
const at = (proxy: ChaosProxy) => ({ server: `http://127.0.0.1:${proxy.port}`, channel: 'live' });

/** Captures so many packets in real time, one each 20 ms. */
const talk = async (packets: number): Promise<void> => {
  for (let done = 0; done < packets; done += 1) {
    capture.record(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

beforeEach(async () => {
  service = await startService();
  up = await startChaosProxy(portOf(service.base));
  down = await startChaosProxy(portOf(service.base));
  published = [];
  listened = [];
  frames = [];
  told = [];

  const toPlayback = new MessageChannel();
  toPlayback.port2.onmessage = ({ data }: MessageEvent<DownlinkMessage>) => {
    if (data.type === 'frame') frames.push(decodeFrame(data.bytes));
    else told.push(data.type);
  };
  downlink = new Downlink(
    { type: 'listen', ...at(down), port: toPlayback.port1 },
    { post: (event) => listened.push(event), platform },
  );
  downlink.start();
  await until(() => expect(listened.at(-1)).toEqual({ type: 'state', is: 'idle' }));

  const toCapture = new MessageChannel();
  capture = new Capture(toCapture.port2);
  const { token } = service;
  const replay = { kept: millis(120_000), spoolAfter: millis(10_000) };
  const publish = { token, rendition: RENDITION, takeover: false, replay, port: toCapture.port1 };
  uplink = new Uplink(
    { type: 'publish', ...at(up), ...publish },
    { post: (event) => published.push(event), platform },
  );
  uplink.start();
  await until(() => expect(capture.told[0]?.type).toBe('start'));
  ports = [toPlayback.port2, toCapture.port2];
});

afterEach(async () => {
  uplink.leave();
  await until(() => expect(published.at(-1)).toEqual({ type: 'ended' }));
  downlink.leave();
  for (const port of ports) port.close();
  await up.close();
  await down.close();
  await service.stop();
});

const onAir = () => published.filter((event) => event.type === 'on-air');

it('carries every packet through the relay, as it was and in order', async () => {
  capture.record(100);
  await until(() => expect(frames).toHaveLength(100));
  expect(frames.map(origin)).toEqual(range(0, 100).map((n) => [capture.run, n]));
  expect(sequences(frames)).toEqual(range(0, 100));
});

it('loses nothing to cuts on either side of the relay', async () => {
  for (const proxy of [up, down, up]) {
    await talk(10);
    proxy.cut();
    await talk(5);
    proxy.restore();
  }
  await talk(10);
  await until(() => expect(frames).toHaveLength(55));
  expect(frames.map(origin)).toEqual(range(0, 55).map((n) => [capture.run, n]));
  expect(onAir().map(({ lost }) => lost)).toEqual([0, 0, 0]);
  expect(told).not.toContain('flush');
});

it('goes on in a new epoch when the media clock stood still', async () => {
  await talk(10);
  capture.begin(capture.run + 1);
  await talk(10);
  await until(() => expect(frames).toHaveLength(20));
  expect(sequences(frames)).toEqual([...range(0, 10), ...range(0, 10)]);
  const [first, second] = onAir();
  expect(frames.map(({ epoch }) => epoch)).toEqual([
    ...new Array(10).fill(first?.epoch),
    ...new Array(10).fill(second?.epoch),
  ]);
  expect(second?.lost).toBe(0);
});

it('goes on in its epoch when the server was restarted', async () => {
  await talk(10);
  await until(() => expect(frames).toHaveLength(10));
  const { data, base } = service;
  await service.shutDown();
  const restarted = await startService({ port: portOf(base) }, { data });
  capture.record(10);
  await until(() => expect(onAir()).toHaveLength(2));
  expect(onAir()[1]).toMatchObject({ epoch: onAir()[0]?.epoch, lost: 0 });
  await until(() => expect(frames.at(-1)?.sequence).toBe(19));
  const stop = async () => {
    await restarted.stop();
    await rm(data, { recursive: true, force: true });
  };
  service = { ...restarted, stop };
});
