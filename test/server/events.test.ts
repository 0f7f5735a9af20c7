import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utc } from '../../shared/time.ts';
import { EventReader, type ReadEvent } from '../helpers/event-reader.ts';
import {
  startListener,
  startPublisher,
  startService,
  type TestService,
  testFrame,
} from '../helpers/service.ts';

let service: TestService;
let skip = 0;
const readers: EventReader[] = [];
beforeEach(async () => {
  skip = 0;
  service = await startService(
    {},
    { now: () => utc(1_790_000_000_000 + performance.now() + skip) },
  );
});
afterEach(async () => {
  for (const reader of readers.splice(0)) reader.close();
  await service.stop();
});

const bearer = (): Record<string, string> => ({ authorization: `Bearer ${service.token}` });
const open = async (
  query = '',
  headers: Record<string, string> = bearer(),
): Promise<EventReader> => {
  const reader = await EventReader.open(`${service.base}/api/v1/events${query}`, headers);
  readers.push(reader);
  return reader;
};
const buy = async (): Promise<string> => {
  const answer = await fetch(`${service.base}/api/v1/events/tickets`, {
    method: 'POST',
    headers: bearer(),
  });
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { ticket: string }).ticket;
};
const kindsOf = (events: readonly ReadEvent[]): string[] => events.map(({ event }) => event);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('the stream of events', () => {
  it('opens to the admin token or to a ticket, which is good once', async () => {
    const opened = await open();
    expect(opened.response.headers.get('content-type')).toBe('text/event-stream');
    expect(opened.response.headers.get('cache-control')).toBe('no-store');
    const ticket = await buy();
    expect((await open(`?ticket=${ticket}`, {})).response.status).toBe(200);
    for (const [query, headers] of [
      ['', {}],
      ['', { authorization: 'Bearer wrong' }],
      [`?ticket=${ticket}`, {}],
      [`?ticket=${ticket}&ticket=${ticket}`, {}],
      ['?ticket=', bearer()],
    ] as const) {
      const { response } = await open(query, headers);
      expect(response.status).toBe(401);
      expect(response.headers.get('content-type')).toContain('application/problem+json');
    }
    const withoutToken = await fetch(`${service.base}/api/v1/events/tickets`, { method: 'POST' });
    expect(withoutToken.status).toBe(401);
    const head = await fetch(`${service.base}/api/v1/events`, {
      method: 'HEAD',
      headers: bearer(),
    });
    expect(head.status).toBe(404);
  });

  it('a ticket for a door of a channel does not open it, nor the other way round', async () => {
    const answer = await fetch(`${service.base}/api/v1/channels/live/tickets`, {
      method: 'POST',
      headers: { ...bearer(), 'content-type': 'application/json' },
      body: '{"role":"listener"}',
    });
    const { ticket } = (await answer.json()) as { ticket: string };
    expect((await open(`?ticket=${ticket}`, {})).response.status).toBe(401);
    const watcher = await fetch(`${service.base}/api/v1/channels/live/tickets`, {
      method: 'POST',
      headers: { ...bearer(), 'content-type': 'application/json' },
      body: '{"role":"watcher"}',
    });
    expect(watcher.status).toBe(400);
  });

  it('begins with how things stand, then tells states, titles and listeners', async () => {
    service.station.alarms.raiser('live')('disk', 'Full.');
    const reader = await open();
    await reader.until(({ event }) => event === 'present');
    expect(kindsOf(reader.events)).toEqual(['channel', 'listeners', 'alarm', 'present']);
    expect(reader.events[0]?.data).toEqual({
      channel: 'live',
      state: 'idle',
      since: null,
      broadcast: null,
    });
    const { client, epoch } = await startPublisher(service);
    client.send(testFrame(0, { epoch }));
    const live = await reader.until(({ data }) => data.state === 'live');
    expect(live.data.broadcast).toMatch(/^[0-9a-f-]{36}$/);
    client.send({ type: 'metadata', title: 'Line\nbreak', at: { epoch, timestamp: 0 } });
    const title = await reader.until(({ event }) => event === 'metadata');
    expect(title.data).toMatchObject({ title: 'Line\nbreak', artist: null, at: { epoch } });
    const listeners = [];
    for (let count = 0; count < 5; count += 1) listeners.push(await startListener(service));
    await reader.until(({ event, data }) => event === 'listeners' && data.total === 5);
    client.send({ type: 'bye' });
    const ended = await reader.until(({ data }) => data.state === 'ended');
    expect(ended.data.broadcast).toBeNull();
    for (const listener of listeners) listener.close();
  });

  it('tells listeners at most once a second, however they come and go', async () => {
    const reader = await open();
    const begun = performance.now();
    for (let count = 0; count < 40; count += 1) {
      const listener = await startListener(service);
      if (count % 2 === 0) listener.close();
    }
    await reader.until(({ event, data }) => event === 'listeners' && data.total === 20);
    const told = reader.events.filter(({ event, id }) => event === 'listeners' && id !== '');
    expect(told.length).toBeLessThanOrEqual((performance.now() - begun) / 1000 + 1);
  });

  it('goes on after the last event that was heard, without one missing or twice', async () => {
    const raise = service.station.alarms.raiser('live');
    const first = await open();
    raise('disk', 'One.');
    const { id } = await first.until(({ data }) => data.detail === 'One.');
    first.close();
    raise('disk', null);
    raise('disk', 'Two.');
    for (const reader of [
      await open('', { ...bearer(), 'last-event-id': id }),
      await open(`?after=${id}`),
    ]) {
      await reader.until(({ data }) => data.detail === 'Two.');
      expect(reader.events.map(({ data }) => [data.detail, data.until === null])).toEqual([
        ['One.', false],
        ['Two.', true],
      ]);
    }
    // An id of another run of the server, or one long forgotten, begins with how things stand.
    for (const strange of ['xxxxxx.3', 'nonsense', `${id}999`]) {
      const reader = await open('', { ...bearer(), 'last-event-id': strange });
      await reader.until(({ event }) => event === 'present');
      expect(kindsOf(reader.events)).toContain('channel');
    }
  });

  it('gives a sign of life after fifteen seconds without an event', async () => {
    const reader = await open();
    await reader.until(({ event }) => event === 'present');
    await sleep(1500);
    expect(reader.comments).toBe(0);
    skip = 15_000;
    while (reader.comments === 0) await sleep(20);
  });

  it('is cut off for one who does not read, and ends for all when the server does', async () => {
    const reader = await open();
    const port = Number(new URL(service.base).port);
    const deaf = connect(port, '127.0.0.1');
    deaf.pause();
    deaf.write(
      `GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${service.token}\r\n\r\n`,
    );
    const gone = new Promise((resolve) => deaf.once('close', resolve));
    deaf.on('error', () => undefined);
    const raise = service.station.alarms.raiser('live');
    // The system takes megabytes before anything waits here; this is far beyond that.
    for (let told = 0; told < 800; told += 1) {
      raise('disk', `${told} ${'x'.repeat(10_000)}`);
      raise('disk', null);
      await sleep(0);
      if (told % 25 === 24)
        await reader.until(({ data }) => String(data.detail).startsWith(`${told} `));
    }
    deaf.resume();
    await gone;
    expect(reader.ended).toBe(false);
    await service.shutDown();
    while (!reader.ended) await sleep(20);
  }, 60_000);

  it('has room for sixty-four, and says so to the next', async () => {
    const all = await Promise.all(Array.from({ length: 64 }, () => open()));
    expect(all.every(({ response }) => response.status === 200)).toBe(true);
    const { response } = await open();
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('30');
    all[0]?.close();
    while ((await open()).response.status !== 200) await sleep(50);
  });
});
