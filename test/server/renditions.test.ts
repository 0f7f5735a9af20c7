import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Desk } from '../../server/relay/desk.ts';
import { decodeFrame } from '../../shared/frame.ts';
import {
  HELLO,
  startListener,
  startPublisher,
  startService,
  type TestClient,
  type TestService,
  testFrame,
} from '../helpers/service.ts';

const LOW = {
  id: 7,
  codec: 'opus',
  channels: 1,
  bitrate: 24_000,
  frame: 960,
  fec: false,
  dtx: false,
} as const;

let service: TestService;
let desk: Desk;
let publisher: TestClient;
let listener: TestClient;
beforeEach(async () => {
  service = await startService();
  desk = service.station.desk('live') as Desk;
  desk.channel.offer([LOW, { ...LOW, id: 8, bitrate: 96_000 }]);
  publisher = (await startPublisher(service)).client;
  listener = await startListener(service);
});
afterEach(() => service.stop());

/** What was received: sequence and rendition of each frame. */
const received = (): [number, number][] =>
  listener.frames.map((frame) => [frame.readUInt32BE(4), frame[2] ?? -1]);

const derive = (sequence: number): void => {
  const bytes = testFrame(sequence, { bytes: 30 });
  bytes[2] = 7;
  desk.channel.pushDerived(decodeFrame(bytes));
};

const publish = async (from: number, to: number, { derived = false } = {}): Promise<void> => {
  for (let sequence = from; sequence < to; sequence += 1) {
    publisher.send(testFrame(sequence));
    await publisher.until(() => desk.channel.ring.newest?.sequence === sequence);
    if (derived) derive(sequence);
  }
};

describe('renditions of the publisher’s own', () => {
  it('are in the catalog when they save bits, with the channels and frames of the source', async () => {
    const late = await startListener(service);
    expect((await late.text('welcome')).catalog).toEqual([
      { id: 0, ...HELLO.rendition },
      { ...LOW, channels: HELLO.rendition.channels },
    ]);
  });

  it('go over at the very next frame, and back, without a frame lost or doubled', async () => {
    await publish(0, 5);
    listener.send({ type: 'select', rendition: 7 });
    await listener.until(() => desk.fanOut.wanted.has(7));
    // Nothing is made of it yet: the publisher's own goes on.
    await publish(5, 8);
    await publish(8, 20, { derived: true });
    await listener.until(() => received().length === 20);
    expect(received().map(([sequence]) => sequence)).toEqual(
      Array.from({ length: 20 }, (_, i) => i),
    );
    expect(received()[7]?.[1]).toBe(0);
    expect(received()[19]?.[1]).toBe(7);

    listener.send({ type: 'select', rendition: 0 });
    await listener.until(() => desk.fanOut.wanted.size === 0);
    await publish(20, 30, { derived: true });
    await listener.until(() => received().length === 30);
    expect(received().at(-1)).toEqual([29, 0]);
  });

  it('that are no longer made are left for the publisher’s own', async () => {
    listener.send({ type: 'select', rendition: 7 });
    await listener.until(() => desk.fanOut.wanted.has(7));
    await publish(0, 5, { derived: true });
    await publish(5, 70);
    await listener.until(() => received().at(-1)?.[0] === 69);
    expect(received().at(-1)).toEqual([69, 0]);
  });

  it('that do not exist are not selected', async () => {
    listener.send({ type: 'select', rendition: 77 });
    await publish(0, 2);
    await listener.until(() => received().length === 2);
    expect(desk.fanOut.wanted.size).toBe(0);
  });

  it('end with their epoch', async () => {
    listener.send({ type: 'select', rendition: 7 });
    await listener.until(() => desk.fanOut.wanted.has(7));
    await publish(0, 5, { derived: true });
    const second = await startPublisher(service, { ...HELLO, takeover: true });
    second.client.send(testFrame(0, { epoch: second.epoch }));
    await listener.until(() => listener.frames.at(-1)?.readUInt16BE(8) === second.epoch);
    expect(desk.channel.ring.newest?.timestamp).toBe(0);
  });
});
