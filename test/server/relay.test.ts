import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FLAG } from '../../shared/frame.ts';
import {
  HELLO,
  startListener,
  startPublisher,
  startService,
  type TestService,
  testFrame,
} from '../helpers/service.ts';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const sequences = (frames: readonly Buffer[]): number[] =>
  frames.map((frame) => frame.readUInt32BE(4));

let service: TestService;
beforeEach(async () => {
  service = await startService();
});
afterEach(async () => {
  await service.stop();
});

describe('from a publisher to a listener', () => {
  it('carries 10,000 frames without changing a byte', async () => {
    const duration = 120;
    const { client, epoch } = await startPublisher(service, {
      ...HELLO,
      rendition: { ...HELLO.rendition, frame: duration },
    });
    const listener = await startListener(service);
    const sent: Uint8Array[] = [];
    const begun = Date.now();
    while (sent.length < 10_000) {
      // 2.5 ms frames, at most 3 s ahead of time: 25 s of media.
      const due = Math.min(10_000, (Date.now() - begun + 3000) / 2.5);
      while (sent.length < due) {
        const frame = testFrame(sent.length, { epoch, duration, bytes: 20 + (sent.length % 900) });
        sent.push(frame);
        client.send(frame);
      }
      await sleep(20);
    }
    await listener.until(() => listener.frames.length === 10_000, 15_000);
    expect(Buffer.concat(listener.frames).equals(Buffer.concat(sent))).toBe(true);
  }, 60_000);

  it('acknowledges the first frame at once and tells how many listen', async () => {
    await startListener(service);
    const { client, epoch } = await startPublisher(service);
    client.send(testFrame(0, { epoch }));
    expect(await client.text('ack')).toEqual({ type: 'ack', sequence: 0 });
    const tally = await client.until(() =>
      client.texts.find((message) => message.type === 'tally' && message.live === true),
    );
    expect(tally).toMatchObject({
      type: 'tally',
      live: true,
      listeners: 1,
      recording: true,
    });
  });

  it('primes a listener that joins later and says where live is', async () => {
    const { client, epoch } = await startPublisher(service);
    for (let sequence = 0; sequence < 100; sequence += 1)
      client.send(testFrame(sequence, { epoch }));
    await client.text('ack');
    await sleep(100);
    const listener = await startListener(service);
    const welcome = await listener.text('welcome');
    expect(welcome.live).toEqual({ epoch, sequence: 99 });
    expect(welcome.start).toEqual({ epoch, sequence: 85, timestamp: 85 * 960 });
    await listener.until(() => listener.frames.length === 15);
    expect(sequences(listener.frames)).toEqual(
      Array.from({ length: 15 }, (_, index) => 85 + index),
    );
  });

  it('passes on clock and titles, the latter at the sample they belong to', async () => {
    const { client, epoch } = await startPublisher(service);
    const listener = await startListener(service);
    const point = { epoch, timestamp: 0, utc: Date.now(), uncertainty: 1 };
    client.send({ type: 'clock', ...point });
    expect(await listener.text('clock')).toEqual({ type: 'clock', ...point });
    client.send(testFrame(0, { epoch }));
    client.send({ type: 'metadata', title: 'A <song> & "more"' });
    expect(await listener.text('metadata')).toEqual({
      type: 'metadata',
      title: 'A <song> & "more"',
      at: { epoch, timestamp: 960 },
    });
  });

  it('holds, fills and goes on, and ends at bye', async () => {
    const { client, epoch } = await startPublisher(service);
    const listener = await startListener(service);
    const states = (): unknown[] =>
      listener.texts.filter((message) => message.type === 'state').map((message) => message.is);
    client.send(testFrame(0, { epoch }));
    await listener.until(() => states().includes('filling'));
    client.send(testFrame(1, { epoch }));
    await listener.until(() => states().at(-1) === 'live');
    client.send({ type: 'bye' });
    await listener.until(() => states().at(-1) === 'ended');
    expect(states()).toEqual(['idle', 'live', 'holding', 'filling', 'live', 'ended']);
    expect(listener.closed).toBeUndefined();
    expect((await client.ended()).code).toBe(1000);
  });
});

describe('a listener', () => {
  it('goes on after the last frame it had', async () => {
    const { client, epoch } = await startPublisher(service);
    for (let sequence = 0; sequence < 50; sequence += 1)
      client.send(testFrame(sequence, { epoch }));
    await client.text('ack');
    await sleep(50);
    const listener = await startListener(service, { hello: { resume: { epoch, sequence: 9 } } });
    expect(await listener.text('welcome')).toMatchObject({
      recovered: true,
      start: { epoch, sequence: 10 },
      live: { epoch, sequence: 49 },
    });
    await listener.until(() => listener.frames.length === 40);
    expect(sequences(listener.frames)[0]).toBe(10);
  });

  it.each([
    ['that never existed', { epoch: 0, sequence: 4_000_000 }],
    ['of another epoch', { epoch: 77, sequence: 3 }],
  ])('is put to live from a resume point %s', async (_name, resume) => {
    const { client, epoch } = await startPublisher(service);
    for (let sequence = 0; sequence < 50; sequence += 1)
      client.send(testFrame(sequence, { epoch }));
    await client.text('ack');
    await sleep(50);
    const listener = await startListener(service, { hello: { resume } });
    expect(await listener.text('welcome')).toMatchObject({
      recovered: false,
      live: { sequence: 49 },
    });
  });

  it('gets bundles at the pace it asks for', async () => {
    const { client, epoch } = await startPublisher(service);
    const listener = await startListener(service, { hello: { pace: 100 } });
    for (let sequence = 0; sequence < 4; sequence += 1) client.send(testFrame(sequence, { epoch }));
    await client.text('ack');
    await sleep(100);
    expect(listener.frames).toHaveLength(0);
    client.send(testFrame(4, { epoch }));
    await listener.until(() => listener.frames.length === 5);
  });

  it('that reports nothing is skipped to live, told so, and at last closed', async () => {
    const { client, epoch } = await startPublisher(service);
    const silent = await startListener(service, { reports: false });
    const good = await startListener(service);
    const begun = Date.now();
    for (let sequence = 0; silent.closed === undefined && sequence < 1000; ) {
      for (; sequence < (Date.now() - begun) / 20 + 100; sequence += 1)
        client.send(testFrame(sequence, { epoch }));
      await sleep(20);
    }
    expect((await silent.ended()).code).toBe(4408);
    expect(silent.texts.filter((message) => message.type === 'skipped')).toHaveLength(1);
    // 4 s of media, the frame that crossed the line, and the live edge.
    expect(silent.frames.length).toBeLessThanOrEqual(203);
    const received = sequences(good.frames);
    expect(received).toEqual(Array.from(received, (_, index) => index));
  }, 30_000);

  it('that reports again after a skip goes on at live', async () => {
    const { client, epoch } = await startPublisher(service);
    const listener = await startListener(service, { reports: false });
    for (let sequence = 0; sequence < 240; sequence += 1)
      client.send(testFrame(sequence, { epoch }));
    const skipped = await listener.text('skipped');
    expect(skipped).toMatchObject({ reason: 'slow' });
    await sleep(50);
    const newest = sequences(listener.frames).at(-1);
    listener.send({
      type: 'report',
      sequence: newest,
      buffered: 0,
      target: 40,
      concealed: 0,
      skipped: 0,
      latency: null,
    });
    await listener.until(() => sequences(listener.frames).at(-1) === 239);
    expect(listener.closed).toBeUndefined();
  });

  it('close to live is moved to live less a second when three seconds come late', async () => {
    const { client, epoch } = await startPublisher(service);
    const listener = await startListener(service);
    client.send(testFrame(0, { epoch }));
    await listener.until(() => listener.frames.length === 1);
    await sleep(3000);
    for (let sequence = 1; sequence < 150; sequence += 1)
      client.send(testFrame(sequence, { epoch }));
    const skipped = await listener.text('skipped');
    expect(skipped).toMatchObject({ reason: 'late', from: { sequence: 1 }, to: { sequence: 100 } });
    await listener.until(() => sequences(listener.frames).at(-1) === 149);
    expect(sequences(listener.frames)).toEqual([
      0,
      ...Array.from({ length: 50 }, (_, index) => 100 + index),
    ]);
  });

  it('hears a capture hole as a jump of time and nothing else', async () => {
    const { client, epoch } = await startPublisher(service);
    const listener = await startListener(service);
    client.send(testFrame(0, { epoch }));
    client.send(testFrame(1, { epoch, timestamp: 960 * 11, flags: FLAG.discontinuity }));
    await listener.until(() => listener.frames.length === 2);
    expect(client.closed).toBeUndefined();
  });
});

describe('a restart', () => {
  it('says goaway, closes with 1012 and ends well inside five seconds', async () => {
    const { client } = await startPublisher(service);
    const listener = await startListener(service);
    const begun = Date.now();
    await service.shutDown();
    expect(Date.now() - begun).toBeLessThan(5000);
    for (const peer of [client, listener]) {
      expect(peer.texts.at(-1)?.type).toBe('goaway');
      expect((await peer.ended()).code).toBe(1012);
    }
    service = await startService({}, { data: service.data });
  });
});
