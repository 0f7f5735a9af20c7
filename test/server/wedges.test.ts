/** Ways in which a session, a seat or the database could wedge a channel, each found once. */

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LateBurst } from '../../server/relay/late-burst.ts';
import { millis, utc } from '../../shared/time.ts';
import {
  buyTicket,
  connectPublisher,
  HELLO,
  startListener,
  startPublisher,
  startService,
  TestClient,
  type TestService,
  testFrame,
} from '../helpers/service.ts';

let service: TestService;
/** Hours, minutes or seconds that the server's clock is ahead, ms. */
let ahead = 0;
beforeEach(async () => {
  ahead = 0;
  service = await startService(
    {},
    { now: () => utc(performance.timeOrigin + performance.now() + ahead) },
  );
});
afterEach(() => service.stop());
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const recordingsOf = async ({ base }: TestService): Promise<unknown[]> => {
  const answer = await fetch(`${base}/api/v1/channels/live/recordings`);
  return ((await answer.json()) as { items: unknown[] }).items;
};

describe('a publisher', () => {
  it('whose socket outlived the grace is sent back, and gets a new epoch', async () => {
    const first = await startPublisher(service);
    first.client.send(testFrame(0, { epoch: first.epoch }));
    await first.client.text('ack');
    ahead = 95_000;
    await sleep(400);
    first.client.send(testFrame(1, { epoch: first.epoch }));
    expect((await first.client.ended()).code).toBe(1012);
    const second = await startPublisher(service, {
      ...HELLO,
      resume: { epoch: first.epoch, sequence: 0 },
    });
    expect(second.epoch).toBe(first.epoch + 1);
  });

  it('whose welcome was lost gets in again, with or without a resume', async () => {
    await startPublisher(service);
    const second = await startPublisher(service);
    const third = await startPublisher(service, {
      ...HELLO,
      resume: { epoch: second.epoch - 1, sequence: 7 },
      fresh: true,
    });
    expect(third.epoch).toBe(second.epoch + 1);
    third.client.send(testFrame(0, { epoch: third.epoch }));
    await third.client.text('ack');
    const stranger = await connectPublisher(service);
    stranger.send(HELLO);
    expect((await stranger.ended()).code).toBe(4409);
  });

  it('whose socket died before its first frame goes on in its epoch, also after an end', async () => {
    const first = await startPublisher(service);
    first.client.send(testFrame(0, { epoch: first.epoch }));
    first.client.send({ type: 'bye' });
    await first.client.ended();
    const second = await startPublisher(service);
    second.client.socket.terminate();
    const resume = { epoch: second.epoch, sequence: -1 };
    const third = await startPublisher(service, { ...HELLO, resume });
    expect([third.epoch, third.next]).toEqual([second.epoch, 0]);
  });

  it('that was taken over is heard no more, however late its frames come', async () => {
    const first = await startPublisher(service);
    const listener = await startListener(service);
    const second = await startPublisher(service, { ...HELLO, takeover: true });
    first.client.send(testFrame(0, { epoch: first.epoch }));
    second.client.send(testFrame(0, { epoch: second.epoch }));
    await listener.until(() => listener.frames.length > 0);
    await sleep(100);
    expect(listener.frames.map((frame) => frame.readUInt16BE(8))).toEqual([second.epoch]);
  });

  it('is heard while the database is locked, and the service lives on', async () => {
    const lock = new DatabaseSync(join(service.data, 'skywave.db'));
    lock.exec('BEGIN IMMEDIATE');
    const { client, epoch } = await startPublisher(service);
    const listener = await startListener(service);
    for (let sequence = 0; sequence < 5; sequence += 1) client.send(testFrame(sequence, { epoch }));
    await listener.until(() => listener.frames.length === 5);
    client.send({ type: 'bye' });
    expect((await client.ended()).code).toBe(1000);
    lock.exec('ROLLBACK');
    lock.close();
    // What could not be written then is written now: the recording is there, and has ended.
    await expect
      .poll(() => recordingsOf(service), { timeout: 8000 })
      .toMatchObject([{ complete: true, final: true, duration: 0.1 }]);
  });
});

describe('a listener', () => {
  it('goes back in the ring and stays there', async () => {
    const { client, epoch } = await startPublisher(service);
    const listener = await startListener(service);
    const begun = Date.now();
    const publish = async (until: number): Promise<void> => {
      for (let sequence = published; sequence < until; published = ++sequence) {
        while (sequence > (Date.now() - begun) / 20 + 140) await sleep(10);
        client.send(testFrame(sequence, { epoch }));
      }
    };
    let published = 0;
    await publish(400);
    await listener.until(() => listener.frames.at(-1)?.readUInt32BE(4) === 399);
    listener.frames.length = 0;
    listener.send({ type: 'seek', behind: 6000 });
    await listener.until(() => listener.frames.length >= 300);
    await publish(420);
    await listener.until(() => listener.frames.at(-1)?.readUInt32BE(4) === 419);
    expect(listener.texts.filter(({ type }) => type === 'skipped')).toHaveLength(0);
  }, 20_000);

  it('of a new broadcast hears nothing of the one before', async () => {
    const first = await startPublisher(service);
    for (let sequence = 0; sequence < 50; sequence += 1)
      first.client.send(testFrame(sequence, { epoch: first.epoch }));
    first.client.send({ type: 'metadata', title: 'Yesterday' });
    first.client.send({ type: 'bye' });
    await first.client.ended();
    const second = await startPublisher(service);
    second.client.send(testFrame(0, { epoch: second.epoch }));
    await second.client.text('ack');
    const listener = await startListener(service, { hello: { behind: 10_000 } });
    await listener.until(() => listener.frames.length > 0);
    expect(listener.frames[0]?.readUInt16BE(8)).toBe(second.epoch);
    expect(listener.texts.filter(({ type }) => type === 'metadata')).toHaveLength(0);
  });

  it('that asks and never reads is cut off', async () => {
    const listener = await startListener(service, { reports: false });
    listener.socket.pause();
    const [session] = service.station.desk('live')?.fanOut.sessions ?? [];
    for (let count = 0; count < 200_000 && session?.welcomed === true; count += 1) {
      session.tell({
        type: 'metadata',
        title: 'x'.repeat(400),
        at: { epoch: 0, timestamp: 0 as never },
      });
      if (count % 1000 === 0) await sleep(1);
    }
    expect(session?.welcomed).toBe(false);
  }, 20_000);

  it('of a private channel needs a ticket', async () => {
    const admin = { authorization: `Bearer ${service.token}`, 'content-type': 'application/json' };
    await fetch(`${service.base}/api/v1/channels/live`, {
      method: 'PATCH',
      headers: admin,
      body: '{"visibility":"private"}',
    });
    const stranger = new TestClient(`${service.base}/api/v1/channels/live/listen`);
    await stranger.ended();
    expect((await fetch(`${service.base}/api/v1/channels/live/status`)).status).toBe(404);
    const ticket = await buyTicket(service, 'listener');
    const guest = new TestClient(`${service.base}/api/v1/channels/live/listen?ticket=${ticket}`);
    await guest.until(() => guest.socket.readyState === 1);
    guest.close();
  });
});

describe('a broadcast that a restart cut', () => {
  it('ends when its publisher does not come back within the grace', async () => {
    const first = await startPublisher(service);
    first.client.send(testFrame(0, { epoch: first.epoch }));
    await first.client.text('ack');
    const { data } = service;
    await service.shutDown();
    service = await startService(
      {},
      { data, now: () => utc(performance.timeOrigin + performance.now() + ahead) },
    );
    ahead = 95_000;
    await sleep(400);
    const second = await startPublisher(service, {
      ...HELLO,
      resume: { epoch: first.epoch, sequence: 0 },
    });
    expect(second.epoch).toBe(first.epoch + 1);
  });
});

it('a replay over a path of 60 ms round trip is one burst to its end', () => {
  const burst = new LateBurst();
  const duration = millis(20);
  burst.enter(millis(0), duration, utc(0));
  let now = 3000;
  let lateness = 3000;
  // TCP slow start: 14, 28 and then 56 KB a round trip, at 160 bytes a frame.
  for (const frames of [42, 84, 24]) {
    for (let frame = 0; frame < frames; frame += 1) {
      lateness -= 20;
      const said = burst.enter(millis(lateness), duration, utc(now));
      expect(said).toBe(lateness > 1000 ? 'lasts' : said);
    }
    now += 60;
    lateness += 60;
    if (lateness > 1000 && now % 200 === 0)
      expect(burst.settle(millis(lateness), utc(now))).toBe(false);
  }
});
