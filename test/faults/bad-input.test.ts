/** What strangers, and our own pages of another day, may ask for that is not there. */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tellFault } from '../helpers/fault-line.ts';
import { acked, bytesOf, PACKETS, RecordingClient, send } from '../helpers/recording-client.ts';
import {
  HELLO,
  startListener,
  startPublisher,
  startService,
  type TestService,
} from '../helpers/service.ts';

let service: TestService;
let desk: RecordingClient;
beforeEach(async () => {
  service = await startService();
  desk = new RecordingClient(() => service);
});
afterEach(() => service.stop());

/** A request whose path goes out as it is written; `fetch` would tidy it up. */
const statusOf = async (
  path: string,
  method = 'GET',
): Promise<{ status: number; body: string }> => {
  const { hostname, port } = new URL(service.base);
  const headers = { authorization: `Bearer ${service.token}` };
  const asked = request({ hostname, port, path, method, headers }).end();
  const [answer] = await once(asked, 'response');
  let body = '';
  for await (const piece of answer) body += piece;
  return { status: answer.statusCode, body };
};

describe('a publisher’s resume point', () => {
  const again = async (resume: { epoch: number; sequence: number }) => {
    const { client, epoch, next } = await startPublisher(service, { ...HELLO, resume });
    client.close();
    return { epoch, next };
  };

  it('that never existed, is of another epoch or from the future, is the server’s to judge', async () => {
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 30);
    await acked(client, 29);
    client.close();
    expect(await again({ epoch, sequence: 4_000_000_000 })).toEqual({ epoch, next: 30 });
    const { data } = service;
    await service.shutDown();
    service = await startService({}, { data });
    expect(await again({ epoch, sequence: 4_000_000_000 })).toEqual({ epoch, next: 30 });
    const other = await again({ epoch: epoch + 77, sequence: 12 });
    expect(other).toEqual({ epoch: epoch + 1, next: 0 });
    const [item] = await desk.list();
    expect(await desk.packetsOf(item ?? { id: '' })).toEqual(PACKETS.slice(0, 30));
    tellFault('publisher resumes where nothing was', 'asked for frame 30, or given a new epoch');
    await rm(data, { recursive: true, force: true });
  });
});

describe('a listener’s place in the past', () => {
  it('that never existed or is in the future is the live edge', async () => {
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 50);
    await acked(client, 49);
    for (const resume of [
      { epoch, sequence: 4_000_000_000 },
      { epoch: epoch + 9, sequence: 3 },
    ]) {
      const listener = await startListener(service, { hello: { resume, shifted: true } });
      expect(await listener.text('welcome')).toMatchObject({ recovered: false, shifted: false });
      listener.send({ type: 'seek', ...resume });
      expect(await listener.text('place')).toMatchObject({ shifted: false });
      expect(listener.closed).toBeUndefined();
      listener.close();
    }
    tellFault('listener goes where nothing was', 'live, and the socket stays open');
  });
});

describe('a recording', () => {
  const recorded = async (count = 60) => {
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, count);
    return { item: await desk.finished(client), epoch };
  };

  it('is not found by an id with path tricks, and no answer names a path', async () => {
    const { item } = await recorded();
    const tricks = [
      '..',
      '%2e%2e%2f%2e%2e%2fskywave.db',
      '../../skywave.db',
      '..%2f..%2fadmin-token',
      '%2e%2e/%2e%2e/admin-token',
      `${item.id}%00.opus`,
      `${item.id}.journal`,
      `..%5c${item.id}.opus`,
      `${item.id}.opus/..`,
      `${item.id.toUpperCase()}X.opus`,
      `.${'/.'.repeat(20)}/etc/passwd`,
      'x'.repeat(190),
      '%ff%fe',
    ];
    let asked = 0;
    for (const trick of tricks)
      for (const [method, path] of [
        ['GET', `/c/live/recordings/${trick}`],
        ['GET', `/c/live/recordings/${trick}.opus`],
        ['DELETE', `/api/v1/recordings/${trick}`],
        ['GET', `/api/v1/recordings/${trick}/frames`],
        ['PUT', `/api/v1/recordings/${trick}/frames`],
      ] as const) {
        const { status, body } = await statusOf(path, method);
        asked += 1;
        expect([400, 404, 405, 414], `${method} ${path}`).toContain(status);
        expect(body).not.toContain(service.data);
        expect(body).not.toContain(service.token);
      }
    expect(await desk.list()).toMatchObject([{ id: item.id, complete: true }]);
    tellFault('recording ids with path tricks', `${asked} requests, each refused without a path`);
  });

  it('answers ranges that make no sense with 416, or as a whole', async () => {
    const { item } = await recorded();
    const url = desk.urlOf(item);
    const { length } = await desk.fileOf(item);
    const asked = async (range: string) => {
      const answer = await fetch(url, { headers: { range } });
      return [answer.status, (await answer.arrayBuffer()).byteLength];
    };
    expect(await asked(`bytes=${length - 1}-${length + 999}`)).toEqual([206, 1]);
    expect(await asked(`bytes=${length}-${length + 1}`)).toEqual([416, 0]);
    expect(await asked('bytes=999999999999-')).toEqual([416, 0]);
    expect(await asked('bytes=9-3')).toEqual([416, 0]);
    expect(await asked('bytes=-0')).toEqual([416, 0]);
    expect(await asked(`bytes=-${length * 2}`)).toEqual([206, length]);
    for (const nonsense of [
      'bytes=99999999999999999999-',
      'bytes=a-b',
      'bytes=-',
      'lines=0-9',
      'bytes=0-1,5-9',
    ])
      expect([nonsense, await asked(nonsense)]).toEqual([nonsense, [200, length]]);
    tellFault('ranges beyond the end', '416, or the whole file where the range is none');
  });

  it('takes no frames of another broadcast, and repeated ones once', async () => {
    const first = await recorded();
    const second = await recorded();
    const body = (epoch: number): Uint8Array<ArrayBuffer> => {
      const frame = bytesOf(5, epoch);
      return new Uint8Array(
        Buffer.concat([Buffer.of(frame.length >> 8, frame.length & 255), frame]),
      );
    };
    const put = (epoch: number) =>
      desk.call(`/recordings/${first.item.id}/frames`, { method: 'PUT', body: body(epoch) });
    const foreign = await put(second.epoch);
    expect([foreign.status, foreign.body.code]).toEqual([400, 'foreign-frame']);
    for (let time = 0; time < 3; time += 1)
      expect((await put(first.epoch)).body).toMatchObject({ accepted: 0, repeated: 1 });
    expect(await desk.packetsOf(first.item)).toEqual(PACKETS.slice(0, 60));
    expect(await desk.packetsOf(second.item)).toEqual(PACKETS.slice(0, 60));
    tellFault('upload of another broadcast, or again', 'refused; taken once; both files unchanged');
  });

  it('whose file is deleted by hand on the air costs that recording and nothing else', async () => {
    const { client, epoch } = await startPublisher(service);
    const listener = await startListener(service);
    send(client, epoch, 0, 20);
    await acked(client, 19);
    const [item] = await desk.list();
    await rm(join(service.data, 'recordings', `${item?.id}.journal`));
    send(client, epoch, 20, 40);
    await acked(client, 39);
    await listener.until(() => listener.frames.length === 40);
    const gone = await desk.finished(client);
    expect(gone).toMatchObject({ id: item?.id, complete: false, missing: true });
    const { item: next } = await recorded();
    expect(next).toMatchObject({ complete: true, missing: false });
    tellFault(
      'library file deleted on the air',
      'listeners heard all; marked missing; next is whole',
    );
  });
});
