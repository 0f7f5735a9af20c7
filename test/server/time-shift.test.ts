/** A listener that goes back in what is being broadcast: from the journal on disk, and the ring. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  HELLO,
  startListener,
  startPublisher,
  startService,
  TestClient,
  type TestService,
  testFrame,
} from '../helpers/service.ts';
import { HurriedClock, run, sequences } from './hurried-clock.ts';

let service: TestService;
let clock: HurriedClock;
beforeEach(async () => {
  clock = new HurriedClock();
  service = await clock.start();
});
afterEach(() => service.stop());

/** Frames. */
const TEN_MINUTES = 30_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a listener in the past', () => {
  it('hears what has left the ring, in order, at the pace at which it was said', async () => {
    const publisher = await startPublisher(service);
    await clock.publish(publisher, { count: 1500 });
    const listener = await startListener(service);
    await listener.until(() => listener.frames.length > 0);
    listener.frames.length = 0;
    listener.send({ type: 'seek', epoch: publisher.epoch, sequence: 100 });
    const place = await listener.text('place');
    expect(place).toMatchObject({
      shifted: true,
      start: { epoch: publisher.epoch, sequence: 100, timestamp: 96_000 },
    });
    await listener.until(() => listener.frames.length >= 60);
    // Half a second of the server's clock brings half a second of sound, not all there is.
    const heard = listener.frames.length;
    await sleep(500);
    const now = sequences(listener);
    expect(now).toEqual(run(100, now.length));
    expect(now.length - heard).toBeGreaterThan(10);
    expect(now.length - heard).toBeLessThan(60);
  }, 20_000);

  it('goes on at the next frame long after the ring has lost it, on a new socket', async () => {
    const publisher = await startPublisher(service);
    const begun = clock.now;
    await clock.publish(publisher, { count: 600 });
    const resume = { epoch: publisher.epoch, sequence: 41 };
    await clock.publish(publisher, { from: 600, count: 2400 });
    const listener = await startListener(service, {
      hello: { resume, shifted: true },
      reports: false,
    });
    const welcome = await listener.text('welcome');
    expect(welcome).toMatchObject({ recovered: true, shifted: true, start: { sequence: 42 } });
    await listener.until(() => listener.frames.length >= 15);
    expect(sequences(listener)).toEqual(run(42, listener.frames.length));
    // Nothing says when it was captured: then the past began when its first frame came, and not when
    // the first listener asked, a minute later. (The clock is set on by 4 s for the first 200 frames.)
    expect(Number(welcome.since) - begun).toBeGreaterThanOrEqual(0);
    expect(Number(welcome.since) - begun).toBeLessThan(30_000);
  }, 30_000);

  it('goes on at the very sample after a pause of ten minutes, with the real limits', async () => {
    const publisher = await startPublisher(service);
    const listener = await startListener(service);
    await clock.publish(publisher, { count: 500 });
    await listener.until(() => sequences(listener).at(-1) === 499);
    const before = listener.frames.at(-1) as Buffer;
    listener.close();
    const paused = service.station.desk('live')?.channel.ring.newest?.timestamp ?? 0;
    await clock.publish(publisher, { from: 500, count: TEN_MINUTES });
    const now = service.station.desk('live')?.channel.ring.newest?.timestamp ?? 0;
    expect(now - paused).toBe(TEN_MINUTES * 960);
    const resume = { epoch: publisher.epoch, sequence: before.readUInt32BE(4) };
    const again = await startListener(service, {
      hello: { resume, shifted: true },
      reports: false,
    });
    await again.until(() => again.frames.length >= 15);
    // The frame behind the last one heard, to the bit, and on from there.
    expect(again.frames[0]).toEqual(Buffer.from(testFrame(500, { epoch: publisher.epoch })));
    expect(sequences(again)).toEqual(run(500, again.frames.length));
  }, 60_000);

  it('is told titles when their place is reached, and of the end when it has heard it', async () => {
    const publisher = await startPublisher(service);
    await clock.publish(publisher, { count: 560 });
    const { client, epoch } = publisher;
    client.send({ type: 'metadata', title: 'Late', at: { epoch, timestamp: 550 * 960 } });
    await clock.publish(publisher, { from: 560, count: 20 });
    const listener = await startListener(service);
    await listener.until(() => listener.texts.some(({ type }) => type === 'metadata'));
    listener.texts.length = 0;
    listener.send({ type: 'seek', epoch, sequence: 540 });
    await listener.text('place');
    client.send({ type: 'bye' });
    await listener.until(() => listener.texts.some(({ is }) => is === 'ended'));
    const told = listener.texts.filter(({ type }) => type !== 'pong' && type !== 'clock');
    expect(told.map(({ type, title, shifted, is }) => title ?? is ?? shifted ?? type)).toEqual([
      true,
      'Late',
      false,
      'ended',
    ]);
    expect(sequences(listener).at(-1)).toBe(579);
  }, 20_000);

  it('that pauses and seeks right behind its hello is welcomed first', async () => {
    const publisher = await startPublisher(service);
    await clock.publish(publisher, { count: 700 });
    const url = `${service.base}/api/v1/channels/live/listen`;
    const open = async (hello: object, behind: object): Promise<TestClient> => {
      const client = new TestClient(url);
      await client.until(() => client.socket.readyState === client.socket.OPEN);
      client.send({ type: 'hello', role: 'listener', ...hello });
      client.send(behind);
      await client.text('welcome');
      return client;
    };
    const paused = await open({ behind: 13_000 }, { type: 'pause' });
    paused.send({ type: 'ping', id: 1, sent: 0 });
    await paused.text('pong');
    expect(paused.frames).toEqual([]);
    paused.send({ type: 'seek', behind: 12_000 });
    expect(await paused.text('place')).toMatchObject({ shifted: true });
    await paused.until(() => paused.frames.length > 0);
    const sought = await open(
      { behind: 13_000 },
      { type: 'seek', epoch: publisher.epoch, sequence: 30 },
    );
    expect(await sought.text('place')).toMatchObject({ start: { sequence: 30 } });
    expect(sought.texts.findIndex(({ type }) => type === 'welcome')).toBe(0);
  }, 20_000);

  it('is told each title once, and of no clock but that of what it hears', async () => {
    const first = await startPublisher(service);
    const clockOf = (epoch: number): object => ({
      type: 'clock',
      epoch,
      timestamp: 0,
      utc: Date.now() + clock.ahead,
      uncertainty: 1,
    });
    first.client.send(clockOf(first.epoch));
    await clock.publish(first, { count: 650 });
    const at = { epoch: first.epoch, timestamp: 0 };
    first.client.send({ type: 'metadata', title: 'Only once', at });
    const second = await startPublisher(service, { ...HELLO, takeover: true });
    expect(second.epoch).not.toBe(first.epoch);
    second.client.send(testFrame(0, { epoch: second.epoch }));
    await second.client.text('ack');
    const listener = await startListener(service);
    listener.send({ type: 'seek', epoch: first.epoch, sequence: 60 });
    await listener.text('place');
    await listener.until(() => listener.frames.length > 5);
    second.client.send(clockOf(second.epoch));
    for (let step = 0; step < 4; step += 1) {
      // Notes of a recording are read again each second.
      clock.ahead += 1001;
      const heard = listener.frames.length;
      await listener.until(() => listener.frames.length > heard + 5);
    }
    const told = listener.texts
      .slice(listener.texts.findIndex(({ type }) => type === 'place'))
      .filter(({ type }) => type === 'clock' || type === 'metadata');
    expect(told.map(({ title, epoch }) => title ?? epoch)).toEqual([first.epoch, 'Only once']);
  }, 20_000);

  it('that wishes for the future, or for another broadcast, is live', async () => {
    const publisher = await startPublisher(service);
    await clock.publish(publisher, { count: 100 });
    const listener = await startListener(service);
    await listener.until(() => listener.frames.length > 0);
    for (const wish of [
      { epoch: publisher.epoch, sequence: 9000 },
      { epoch: 60_000, sequence: 3 },
      { behind: 200 },
    ]) {
      listener.texts.length = 0;
      listener.send({ type: 'seek', ...wish });
      expect(await listener.text('place')).toMatchObject({ shifted: false });
    }
  });

  it('that reports nothing is not skipped: the past waits for it', async () => {
    const publisher = await startPublisher(service);
    await clock.publish(publisher, { count: 700 });
    const listener = await startListener(service, { hello: { behind: 13_000 }, reports: false });
    await listener.until(() => listener.frames.length > 0);
    const [first] = sequences(listener);
    for (let second = 0; second < 8; second += 1) {
      clock.ahead += 1000;
      await sleep(120);
    }
    const got = sequences(listener);
    expect(got).toEqual(run(first as number, got.length));
    expect(got.length * 20).toBeLessThan(5500);
    expect(listener.texts.some(({ type }) => type === 'skipped')).toBe(false);
  }, 20_000);

  it('without a recording has the ring and no more', async () => {
    const other = await startService({ record: false });
    const publisher = await startPublisher(other, HELLO);
    for (let sequence = 0; sequence < 200; sequence += 1)
      publisher.client.send(testFrame(sequence, { epoch: publisher.epoch }));
    await publisher.client.text('ack');
    const listener = await startListener(other);
    await listener.until(() => listener.frames.length > 0);
    expect((await listener.text('welcome')).since).toBeNull();
    listener.send({ type: 'seek', behind: 60_000 });
    expect(await listener.text('place')).toMatchObject({ shifted: true, start: { sequence: 0 } });
    await other.stop();
  }, 20_000);
});
