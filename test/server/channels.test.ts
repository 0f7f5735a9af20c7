import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  HELLO,
  startListener,
  startPublisher,
  startService,
  type TestService,
  testFrame,
} from '../helpers/service.ts';

let service: TestService;
beforeEach(async () => {
  service = await startService();
});
afterEach(() => service.stop());

const call = async (
  method: string,
  path: string,
  { body, token = service.token }: { body?: object; token?: string | null } = {},
): Promise<{ status: number; answer: Record<string, unknown> }> => {
  const response = await fetch(`${service.base}/api/v1/channels${path}`, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, answer: text === '' ? {} : JSON.parse(text) };
};

describe('channels', () => {
  it('are created, changed, listed and deleted, and outlive a restart', async () => {
    const created = await call('POST', '', { body: { slug: 'morning', title: 'Morning Show' } });
    expect(created.status).toBe(201);
    expect(created.answer).toMatchObject({ slug: 'morning', continuous: false, warm: true });
    await call('PATCH', '/morning', { body: { continuous: true, language: 'ko' } });
    const { data } = service;
    await service.shutDown();
    service = await startService({}, { data });
    expect((await call('GET', '/morning')).answer).toMatchObject({
      title: 'Morning Show',
      continuous: true,
      language: 'ko',
    });
    const listed = await call('GET', '', { token: null });
    expect((listed.answer.items as { slug: string }[]).map(({ slug }) => slug)).toEqual([
      'live',
      'morning',
    ]);
    expect((await call('DELETE', '/morning')).status).toBe(204);
    expect((await call('GET', '/morning/status')).status).toBe(404);
  });

  it('are listed for everyone only when public', async () => {
    await call('POST', '', { body: { slug: 'secret', visibility: 'unlisted' } });
    const slugs = async (token: string | null): Promise<string[]> =>
      ((await call('GET', '', { token })).answer.items as { slug: string }[]).map(
        ({ slug }) => slug,
      );
    expect(await slugs(null)).toEqual(['live']);
    expect(await slugs(service.token)).toEqual(['live', 'secret']);
  });

  it.each([
    ['without a token', 'POST', '', { slug: 'a' }, null, 401],
    ['with a wrong token', 'DELETE', '/live', undefined, 'wrong', 401],
    ['with a name that is none', 'POST', '', { slug: '../etc' }, undefined, 400],
    ['with a name that is taken', 'POST', '', { slug: 'live' }, undefined, 409],
    ['with an unknown setting', 'PATCH', '/live', { colour: 'red' }, undefined, 400],
    ['with nothing to change', 'PATCH', '/live', {}, undefined, 400],
    ['of a channel that is not there', 'PATCH', '/none', { title: 'x' }, undefined, 404],
    ['with a title off the air', 'POST', '/live/metadata', { title: 'x' }, undefined, 409],
    ['with a title too long', 'POST', '/live/metadata', { title: 'x'.repeat(501) }, undefined, 400],
  ])('refuse a request %s', async (_name, method, path, body, token, status) => {
    const options = {
      ...(body === undefined ? {} : { body }),
      ...(token === undefined ? {} : { token }),
    };
    expect((await call(method, path, options)).status).toBe(status);
  });

  it('close who is there with 4410 when they are deleted', async () => {
    const { client } = await startPublisher(service);
    const listener = await startListener(service);
    await call('DELETE', '/live');
    expect((await client.ended()).code).toBe(4410);
    expect((await listener.ended()).code).toBe(4410);
  });
});

describe('a broadcast', () => {
  it('has one identity over reconnects and restarts, and a new one after its end', async () => {
    const broadcast = async (): Promise<unknown> =>
      (await call('GET', '/live/status')).answer.broadcast;
    expect(await broadcast()).toBeNull();
    const first = await startPublisher(service);
    first.client.send(testFrame(0, { epoch: first.epoch }));
    await first.client.text('ack');
    const id = await broadcast();
    expect(id).toMatch(/^[0-9a-f-]{36}$/);

    const { data } = service;
    await service.shutDown();
    service = await startService({}, { data });
    const resume = { epoch: first.epoch, sequence: 0 };
    const second = await startPublisher(service, { ...HELLO, resume });
    second.client.send(testFrame(1, { epoch: second.epoch }));
    await second.client.text('ack');
    expect(await broadcast()).toBe(id);

    second.client.send({ type: 'bye' });
    await second.client.ended();
    expect(await broadcast()).toBeNull();
    const third = await startPublisher(service);
    third.client.send(testFrame(0, { epoch: third.epoch }));
    await third.client.text('ack');
    expect(await broadcast()).not.toBe(id);
  });

  it('that has ended is not resumed after a restart', async () => {
    const first = await startPublisher(service);
    first.client.send(testFrame(0, { epoch: first.epoch }));
    first.client.send({ type: 'bye' });
    await first.client.ended();
    const { data } = service;
    await service.shutDown();
    service = await startService({}, { data });
    const resume = { epoch: first.epoch, sequence: 0 };
    const second = await startPublisher(service, { ...HELLO, resume });
    expect(second).toMatchObject({ epoch: first.epoch + 1, next: 0 });
  });

  it('takes titles over HTTP, at the newest sample or where it is told', async () => {
    const { client, epoch } = await startPublisher(service);
    const listener = await startListener(service);
    client.send(testFrame(0, { epoch }));
    await client.text('ack');
    const { status } = await call('POST', '/live/metadata', {
      body: { title: '<b>Sea & "sky"</b>' },
    });
    expect(status).toBe(200);
    expect(await listener.text('metadata')).toMatchObject({
      title: '<b>Sea & "sky"</b>',
      at: { epoch, timestamp: 960 },
    });
  });
});
