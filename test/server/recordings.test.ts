import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utc } from '../../shared/time.ts';
import { readOggFile } from '../helpers/ogg-reader.ts';
import { frameOf, realPackets } from '../helpers/opus-frames.ts';
import {
  HELLO,
  startPublisher,
  startService,
  type TestClient,
  type TestService,
} from '../helpers/service.ts';

const PACKETS = realPackets(300);

let service: TestService;
let shift = 0;
beforeEach(async () => {
  shift = 0;
  service = await startService({}, { now: () => utc(Date.now() + shift) });
});
afterEach(() => service.stop());

type Item = { id: string; [field: string]: unknown };
type Answer = {
  status: number;
  body: { items?: Item[]; next?: string; code?: string; [field: string]: unknown };
};

const call = async (
  path: string,
  {
    method = 'GET',
    token = service.token,
    body,
  }: { method?: string; token?: string | null; body?: Uint8Array<ArrayBuffer> } = {},
): Promise<Answer> => {
  const answer = await fetch(`${service.base}/api/v1${path}`, {
    method,
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? {} : JSON.parse(text) };
};

const list = async (query = ''): Promise<Item[]> =>
  (await call(`/channels/live/recordings${query}`, { token: null })).body.items ?? [];

const bytesOf = (sequence: number, epoch: number): Uint8Array =>
  frameOf(PACKETS[sequence % PACKETS.length] as Buffer, { sequence, epoch }).bytes;

const send = (client: TestClient, epoch: number, from: number, to: number): void => {
  for (let sequence = from; sequence < to; sequence += 1) client.send(bytesOf(sequence, epoch));
};

const acked = (client: TestClient, sequence: number): Promise<unknown> =>
  client.until(() =>
    client.texts.find((text) => text.type === 'ack' && text.sequence === sequence),
  );

/** The newest recording once it is final, 10 s at most. */
const finalItem = async (): Promise<Item> => {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; ) {
    const [item] = await list();
    if (item?.final === true) return item;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('The recording is never final.');
};

const finished = async (client: TestClient): Promise<Item> => {
  client.send({ type: 'bye' });
  await client.ended();
  return finalItem();
};

/** Frames of the epoch from the body of a PUT. */
const bodyOf = (epoch: number, sequences: readonly number[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(
    Buffer.concat(
      sequences.flatMap((sequence) => {
        const bytes = bytesOf(sequence, epoch);
        return [Buffer.of(bytes.length >> 8, bytes.length & 255), bytes];
      }),
    ),
  );
const span = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, at) => from + at);

const fileOf = async ({ id }: Item): Promise<Buffer> => {
  const answer = await fetch(`${service.base}/c/live/recordings/${id}.opus`);
  expect(answer.status).toBe(200);
  return Buffer.from(await answer.arrayBuffer());
};

const packetsOf = async (item: Item): Promise<readonly Buffer[]> =>
  readOggFile(await fileOf(item)).packets.slice(2);

describe('a recording', () => {
  it('is listed while it grows, and final at the end, with every packet as it was sent', async () => {
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 100);
    await acked(client, 99);
    expect(await list()).toMatchObject([{ final: false, complete: false, duration: 2, gaps: 0 }]);
    const [running] = await list();
    expect(await packetsOf(running as Item)).toEqual(PACKETS.slice(0, 100));
    send(client, epoch, 100, 175);
    const item = await finished(client);
    expect(client.texts.findLast(({ type }) => type === 'ack')).toMatchObject({ sequence: 174 });
    expect(item).toMatchObject({ complete: true, duration: 3.5, gaps: 0, missing: false });
    expect(item.broadcast).toBe(item.id);
    const file = await fileOf(item);
    expect(file).toHaveLength(Number(item.bytes));
    expect(readOggFile(file).packets.slice(2)).toEqual(PACKETS.slice(0, 175));
  });

  it('answers HEAD, ranges and conditions, under a name that a person finds again', async () => {
    await call('/channels/live', { method: 'GET' });
    await fetch(`${service.base}/api/v1/channels/live`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${service.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ title: '아침 "Show"/1' }),
    });
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 120);
    const item = await finished(client);
    const url = `${service.base}/c/live/recordings/${item.id}.opus`;
    const file = await fileOf(item);
    const head = await fetch(url, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(file.length));
    expect(head.headers.get('content-type')).toBe('audio/ogg; codecs=opus');
    expect(head.headers.get('access-control-allow-origin')).toBe('*');
    expect(head.headers.get('content-disposition')).toMatch(
      /^attachment; filename="__ Show 1 [\d-]+ [\d.]+\.opus"; filename\*=UTF-8''%EC%95%84%EC%B9%A8%20Show%201%20/,
    );
    const etag = head.headers.get('etag') ?? '';
    const range = async (asked: string, headers = {}): Promise<Response> =>
      fetch(url, { headers: { range: asked, ...headers } });
    const middle = await range('bytes=1000-1999');
    expect(middle.status).toBe(206);
    expect(middle.headers.get('content-range')).toBe(`bytes 1000-1999/${file.length}`);
    expect(Buffer.from(await middle.arrayBuffer())).toEqual(file.subarray(1000, 2000));
    const tail = await range('bytes=-77', { 'if-range': etag });
    expect(Buffer.from(await tail.arrayBuffer())).toEqual(file.subarray(-77));
    expect((await range('bytes=0-9', { 'if-range': '"other"' })).status).toBe(200);
    expect((await range(`bytes=${file.length}-`)).status).toBe(416);
    expect((await fetch(url, { headers: { 'if-none-match': etag } })).status).toBe(304);
  });

  it('has titles as chapters, and tells ffprobe when it was', async () => {
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 50);
    client.send({ type: 'metadata', title: 'First', at: { epoch, timestamp: 0 } });
    client.send({
      type: 'metadata',
      ...{ title: '둘째', artist: 'Somebody', at: { epoch, timestamp: 72_000 } },
    });
    send(client, epoch, 50, 150);
    const item = await finished(client);
    const path = join(service.data, 'heard.opus');
    await writeFile(path, await fileOf(item));
    const { chapters, streams } = JSON.parse(
      execFileSync(
        'ffprobe',
        ['-v', 'error', '-of', 'json', '-show_chapters', '-show_streams', path],
        {
          encoding: 'utf8',
        },
      ),
    );
    expect(chapters).toMatchObject([
      { start_time: '0.000000', tags: { title: 'First' } },
      { start_time: '1.500000', tags: { title: 'Somebody – 둘째' } },
    ]);
    expect(streams).toMatchObject([{ codec_name: 'opus', channels: 1, tags: { TITLE: 'Live' } }]);
  });

  it('goes on over a restart of the server, in one stream', async () => {
    const first = await startPublisher(service);
    send(first.client, first.epoch, 0, 60);
    await acked(first.client, 59);
    const { data } = service;
    await service.shutDown();
    service = await startService({}, { data });
    // The publisher has not heard of the last acknowledgement: the journal knows better.
    const resume = { epoch: first.epoch, sequence: 10 };
    const second = await startPublisher(service, { ...HELLO, resume });
    expect(second).toMatchObject({ epoch: first.epoch, next: 60 });
    send(second.client, second.epoch, 60, 110);
    const item = await finished(second.client);
    expect(await list()).toHaveLength(1);
    expect(item).toMatchObject({ complete: true, gaps: 0 });
    expect(await packetsOf(item)).toEqual(PACKETS.slice(0, 110));
    await rm(data, { recursive: true });
  });

  it('that a restart cut is final once the grace has passed', async () => {
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 30);
    await acked(client, 29);
    const { data } = service;
    await service.shutDown();
    let later = 0;
    service = await startService({}, { data, now: () => utc(Date.now() + later) });
    expect(await list()).toMatchObject([{ final: false, duration: 0.6 }]);
    later = 95_000;
    expect(await finalItem()).toMatchObject({ complete: true, duration: 0.6, missing: false });
    await rm(data, { recursive: true });
  });

  it('is not made where the channel does not want it, and nothing is acknowledged late', async () => {
    await fetch(`${service.base}/api/v1/channels/live`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${service.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ record: false }),
    });
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 30);
    await acked(client, 29);
    expect(await client.text('tally')).toMatchObject({ recording: false });
    expect(await list()).toEqual([]);
  });

  it('whose file was deleted by hand is marked missing, and the service goes on', async () => {
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 30);
    const item = await finished(client);
    await rm(join(service.data, 'recordings', `${item.id}.journal`));
    expect(await list()).toMatchObject([{ id: item.id, missing: true, complete: false }]);
    const answer = await fetch(`${service.base}/c/live/recordings/${item.id}.opus`);
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    const put = await call(`/recordings/${item.id}/frames`, {
      method: 'PUT',
      body: bodyOf(0, [1]),
    });
    expect(put.status).toBe(404);
  });
});

describe('the library', () => {
  it('gives the newest first, in pages, and deletes for those with the right', async () => {
    const ids: string[] = [];
    for (let made = 0; made < 3; made += 1) {
      const { client, epoch } = await startPublisher(service);
      send(client, epoch, 0, 5);
      client.send({ type: 'bye' });
      await client.ended();
      ids.unshift(String((await list())[0]?.id));
    }
    const first = await call('/channels/live/recordings?limit=2');
    expect(first.body.items?.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    const second = await call(`/channels/live/recordings?limit=2&after=${first.body.next}`);
    expect(second.body.items?.map(({ id }) => id)).toEqual(ids.slice(2));
    expect(second.body.next).toBeUndefined();

    const [gone] = ids;
    const target = `/recordings/${gone}`;
    expect((await call(target, { method: 'DELETE', token: null })).status).toBe(401);
    expect((await call(target, { method: 'DELETE' })).status).toBe(204);
    expect((await call(target, { method: 'DELETE' })).status).toBe(404);
    await expect(access(join(service.data, 'recordings', `${gone}.journal`))).rejects.toThrow();
    expect((await list()).map(({ id }) => id)).toEqual(ids.slice(1));
  });

  it('does not delete what is on the air', async () => {
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 5);
    await acked(client, 4);
    const [item] = await list();
    expect((await call(`/recordings/${item?.id}`, { method: 'DELETE' })).status).toBe(409);
  });

  it('deletes what is older than the channel keeps it', async () => {
    await fetch(`${service.base}/api/v1/channels/live`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${service.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ retention: 2 }),
    });
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 5);
    const item = await finished(client);
    shift = 47 * 3_600_000;
    await service.library.expire();
    expect(await list()).toHaveLength(1);
    shift = 49 * 3_600_000;
    await service.library.expire();
    expect(await list()).toEqual([]);
    await expect(access(join(service.data, 'recordings', `${item.id}.journal`))).rejects.toThrow();
  });

  it.each([
    '..%2f..%2fskywave.db',
    '..%2fadmin-token',
    '%00.opus',
    `${randomUUID()}.opus`,
    `${'a'.repeat(36)}.journal`,
    `${'-'.repeat(190)}.opus`,
  ])('is no way to other files: %s', async (name) => {
    expect((await fetch(`${service.base}/c/live/recordings/${name}`)).status).toBe(404);
    expect((await call(`/recordings/${name}`, { method: 'DELETE' })).status).toBe(404);
  });

  it('shows a private channel’s recordings to nobody without the right', async () => {
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 5);
    const item = await finished(client);
    await fetch(`${service.base}/api/v1/channels/live`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${service.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ visibility: 'private' }),
    });
    const url = `${service.base}/c/live/recordings/${item.id}.opus`;
    expect((await fetch(url)).status).toBe(401);
    expect((await call('/channels/live/recordings', { token: null })).status).toBe(401);
    const headers = { authorization: `Bearer ${service.token}` };
    expect((await fetch(url, { headers })).status).toBe(200);
  });

  it('keeps broadcasting when the disk is full, says so, and goes on when there is room', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'skywave-'));
    await service.stop();
    const alarms: boolean[] = [];
    let free = 10;
    service = await startService(
      {},
      { data: folder, free: async () => free, alarm: (_, { raised }) => alarms.push(raised) },
    );
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 20);
    await acked(client, 19);
    expect(client.texts.find(({ type }) => type === 'tally')).toMatchObject({ recording: false });
    expect(await list()).toEqual([]);
    free = 1e12;
    await service.library.room.look();
    send(client, epoch, 20, 40);
    await acked(client, 39);
    free = 10;
    await service.library.room.look();
    send(client, epoch, 40, 60);
    await acked(client, 59);
    free = 1e12;
    await service.library.room.look();
    send(client, epoch, 60, 80);
    await acked(client, 79);
    expect(alarms).toEqual([true, false, true, false]);
    const item = await finished(client);
    expect(item).toMatchObject({ complete: false, duration: 1.2, gaps: 0.4 });
    expect((await call(`/recordings/${item.id}/frames`)).body.missing).toEqual([
      { epoch, from: 0, to: 19 },
      { epoch, from: 40, to: 59 },
    ]);
    await rm(folder, { recursive: true });
  });
});

describe('frames that come late', () => {
  const put = (id: string, body: Uint8Array<ArrayBuffer>, query = ''): Promise<Answer> =>
    call(`/recordings/${id}/frames${query}`, { method: 'PUT', body });

  const holed = async (): Promise<{ item: Item; epoch: number }> => {
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 50);
    send(client, epoch, 90, 120);
    return { item: await finished(client), epoch };
  };

  it('make the recording whole, wherever they belong', async () => {
    const { item, epoch } = await holed();
    expect(item).toMatchObject({ complete: false, gaps: 0.8, duration: 2.4 });
    const some = await put(item.id, bodyOf(epoch, span(40, 70)), `?epoch=${epoch}&last=129`);
    expect(some.body).toEqual({
      accepted: 20,
      repeated: 10,
      complete: false,
      missing: [
        { epoch, from: 70, to: 89 },
        { epoch, from: 120, to: 129 },
      ],
    });
    const rest = await put(item.id, bodyOf(epoch, span(70, 130)));
    expect(rest.body).toEqual({ accepted: 30, repeated: 30, complete: true, missing: [] });
    expect(await list()).toMatchObject([{ complete: true, gaps: 0, duration: 2.6, final: true }]);
    expect(await packetsOf(item)).toEqual(PACKETS.slice(0, 130));
  });

  it('come also while the broadcast is on', async () => {
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 20);
    send(client, epoch, 40, 60);
    await acked(client, 59);
    const [item] = await list();
    const answer = await put(String(item?.id), bodyOf(epoch, span(20, 40)));
    expect(answer.body).toMatchObject({ accepted: 20, missing: [] });
    send(client, epoch, 60, 70);
    expect(await packetsOf(await finished(client))).toEqual(PACKETS.slice(0, 70));
  });

  it('are refused where they are foreign, corrupt, misplaced or too late; what was good stays', async () => {
    const { item, epoch } = await holed();
    const good = bodyOf(epoch, [50]);
    const after = (bad: Uint8Array): Uint8Array<ArrayBuffer> =>
      new Uint8Array(Buffer.concat([good, bad]));
    const misplaced = frameOf(PACKETS[0] as Buffer, { sequence: 60, epoch, timestamp: 0 }).bytes;
    const future = frameOf(PACKETS[0] as Buffer, {
      ...{ sequence: 9_000_000, epoch, timestamp: 9_000_000 * 960 },
    }).bytes;
    const lead = ({ length }: Uint8Array): Buffer => Buffer.of(length >> 8, length & 255);
    const cases: [string, Uint8Array, string][] = [
      ['foreign', bodyOf(epoch + 7, [0]), 'foreign-frame'],
      ['short', Buffer.of(0, 3, 1, 2, 3), 'corrupt-frame'],
      ['long', Buffer.of(255, 255, 1, 2, 3), 'corrupt-frame'],
      ['cut', good.subarray(0, 30), 'corrupt-frame'],
      ['garbage', Buffer.concat([Buffer.of(0, 40), Buffer.alloc(40, 9)]), 'corrupt-frame'],
      ['misplaced', Buffer.concat([lead(misplaced), misplaced]), 'misfit-frame'],
      ['future', Buffer.concat([lead(future), future]), 'future-frame'],
    ];
    for (const [name, bad, code] of cases) {
      const answer = await put(item.id, after(bad));
      expect([name, answer.status, answer.body.code]).toEqual([name, 400, code]);
      expect(Number(answer.body.accepted) + Number(answer.body.repeated)).toBe(1);
      expect(answer.body.missing).toEqual([{ epoch, from: 51, to: 89 }]);
    }
    shift = 6.9 * 86_400_000;
    expect((await put(item.id, good)).status).toBe(200);
    shift = 7.1 * 86_400_000;
    expect((await put(item.id, good)).status).toBe(410);
  });

  it('need the right to publish', async () => {
    const { item } = await holed();
    const target = `/recordings/${item.id}/frames`;
    const body = bodyOf(0, [50]);
    expect((await call(target, { method: 'PUT', token: null, body })).status).toBe(401);
    expect((await call(target, { method: 'PUT', token: 'wrong', body })).status).toBe(401);
    expect((await call(target, { token: null })).status).toBe(401);
    expect((await call(`/recordings/${randomUUID()}/frames`, { method: 'PUT', body })).status).toBe(
      404,
    );
  });
});
