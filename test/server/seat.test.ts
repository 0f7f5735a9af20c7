import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  connectPublisher,
  HELLO,
  startListener,
  startPublisher,
  startService,
  type TestService,
  testFrame,
} from '../helpers/service.ts';

const sequences = (frames: readonly Buffer[]): number[] =>
  frames.map((frame) => frame.readUInt32BE(4));

let service: TestService;
beforeEach(async () => {
  service = await startService();
});
afterEach(async () => {
  await service.stop();
});

describe('a publisher that comes back', () => {
  it('goes on in its epoch from the first frame the server lacks', async () => {
    const first = await startPublisher(service);
    const listener = await startListener(service);
    for (let sequence = 0; sequence < 10; sequence += 1)
      first.client.send(testFrame(sequence, { epoch: first.epoch }));
    await listener.until(() => listener.frames.length === 10);
    first.client.close();
    const resume = { epoch: first.epoch, sequence: 4 };
    const second = await startPublisher(service, { ...HELLO, resume });
    expect(second).toMatchObject({ epoch: first.epoch, next: 10 });
    second.client.send(testFrame(10, { epoch: first.epoch }));
    await listener.until(() => listener.frames.length === 11);
    expect(sequences(listener.frames)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('replaces its own half-open socket', async () => {
    const first = await startPublisher(service);
    first.client.send(testFrame(0, { epoch: first.epoch }));
    await first.client.text('ack');
    const resume = { epoch: first.epoch, sequence: 0 };
    const second = await startPublisher(service, { ...HELLO, resume });
    expect(second).toMatchObject({ epoch: first.epoch, next: 1 });
    expect((await first.client.ended()).code).toBe(4409);
  });

  it('gets a fresh epoch when its media clock stood still', async () => {
    const first = await startPublisher(service);
    const resume = { epoch: first.epoch, sequence: -1 };
    const second = await startPublisher(service, { ...HELLO, resume, fresh: true });
    expect(second).toMatchObject({ epoch: first.epoch + 1, next: 0 });
  });

  it('goes on in its epoch after a restart of the server, even with a backlog', async () => {
    const first = await startPublisher(service);
    const utc = Date.now() - 30_000;
    first.client.send({ type: 'clock', epoch: first.epoch, timestamp: 0, utc, uncertainty: 1 });
    first.client.send(testFrame(0, { epoch: first.epoch }));
    await first.client.text('ack');
    const { data } = service;
    await service.shutDown();
    service = await startService({}, { data });
    const resume = { epoch: first.epoch, sequence: 0 };
    const second = await startPublisher(service, { ...HELLO, resume });
    expect(second).toMatchObject({ epoch: first.epoch, next: 1 });
    const listener = await startListener(service, { reports: false });
    // 28 s of media at once: no more than wall time has given since the first frame.
    for (let sequence = 1; sequence < 1400; sequence += 1)
      second.client.send(testFrame(sequence, { epoch: first.epoch }));
    await second.client.until(() =>
      second.client.texts.find((message) => message.type === 'ack' && message.sequence === 1399),
    );
    expect(second.client.closed).toBeUndefined();
    listener.close();
  });

  it('never gives out an epoch twice, also across restarts', async () => {
    const first = await startPublisher(service);
    first.client.send({ type: 'bye' });
    await first.client.ended();
    const { data } = service;
    await service.shutDown();
    service = await startService({}, { data });
    const second = await startPublisher(service);
    expect(second.epoch).toBe(first.epoch + 1);
  });

  it('begins a new broadcast once the old one has ended', async () => {
    const first = await startPublisher(service);
    first.client.send(testFrame(0, { epoch: first.epoch }));
    first.client.send({ type: 'bye' });
    await first.client.ended();
    const resume = { epoch: first.epoch, sequence: 0 };
    const second = await startPublisher(service, { ...HELLO, resume });
    expect(second).toMatchObject({ epoch: first.epoch + 1, next: 0 });
  });
});

describe('a second publisher', () => {
  it('is refused, and the first goes on', async () => {
    const first = await startPublisher(service);
    first.client.send(testFrame(0, { epoch: first.epoch }));
    await first.client.text('ack');
    const second = await connectPublisher(service);
    second.send(HELLO);
    expect((await second.ended()).code).toBe(4409);
    first.client.send(testFrame(1, { epoch: first.epoch }));
    await first.client.until(() => first.client.texts.some(({ sequence }) => sequence === 1));
  });

  it('takes over when it says so; late frames of the first are dropped', async () => {
    const first = await startPublisher(service);
    const second = await startPublisher(service, { ...HELLO, takeover: true });
    expect(second.epoch).toBe(first.epoch + 1);
    expect((await first.client.ended()).code).toBe(4409);
  });
});
