import { execFile, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FOR_EVER } from '../../server/routes/bytes.ts';
import { utc } from '../../shared/time.ts';
import { lintMedia } from '../helpers/hls-linter.ts';
import { readOggFile } from '../helpers/ogg-reader.ts';
import {
  acked,
  bytesOf,
  type Item,
  PACKETS,
  RecordingClient,
  send,
} from '../helpers/recording-client.ts';
import { HELLO, startPublisher, startService, type TestService } from '../helpers/service.ts';

let service: TestService;
const desk = new RecordingClient(() => service);
beforeEach(async () => {
  service = await startService();
});
afterEach(() => service.stop());

describe('a recording', () => {
  it('is listed while it grows, and final at the end, with every packet as it was sent', async () => {
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 100);
    await acked(client, 99);
    expect(await desk.list()).toMatchObject([
      { final: false, complete: false, duration: 2, gaps: 0 },
    ]);
    const [running] = await desk.list();
    expect(await desk.packetsOf(running as Item)).toEqual(PACKETS.slice(0, 100));
    send(client, epoch, 100, 175);
    const item = await desk.finished(client);
    expect(client.texts.findLast(({ type }) => type === 'ack')).toMatchObject({ sequence: 174 });
    expect(item).toMatchObject({ complete: true, duration: 3.5, gaps: 0, missing: false });
    expect(item.broadcast).toBe(item.id);
    const file = await desk.fileOf(item);
    expect(file).toHaveLength(Number(item.bytes));
    expect(readOggFile(file).packets.slice(2)).toEqual(PACKETS.slice(0, 175));
  });

  it('knows how loud it was', async () => {
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 175);
    const measured = (): number => {
      const { integrated = Number.NaN } = service.station.desk('live')?.packager.loudness ?? {};
      return integrated;
    };
    await client.until(() => Number.isFinite(measured()));
    const atTheEnd = measured();
    const item = await desk.finished(client);
    expect(item.loudness).toBeCloseTo(atTheEnd, 0);
  });

  it('answers HEAD, ranges and conditions, under a name that a person finds again', async () => {
    await desk.call('/channels/live', { method: 'GET' });
    await fetch(`${service.base}/api/v1/channels/live`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${service.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ title: '아침 "Show"/1' }),
    });
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 120);
    const item = await desk.finished(client);
    const url = `${service.base}/c/live/recordings/${item.id}.opus`;
    const file = await desk.fileOf(item);
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
    const item = await desk.finished(client);
    const path = join(service.data, 'heard.opus');
    await writeFile(path, await desk.fileOf(item));
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
    const item = await desk.finished(second.client);
    expect(await desk.list()).toHaveLength(1);
    expect(item).toMatchObject({ complete: true, gaps: 0 });
    expect(await desk.packetsOf(item)).toEqual(PACKETS.slice(0, 110));
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
    expect(await desk.list()).toMatchObject([{ final: false, duration: 0.6 }]);
    later = 95_000;
    expect(await desk.final()).toMatchObject({ complete: true, duration: 0.6, missing: false });
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
    expect(await desk.list()).toEqual([]);
  });

  it('whose file was deleted by hand is marked missing, and the service goes on', async () => {
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 30);
    const item = await desk.finished(client);
    await rm(join(service.data, 'recordings', `${item.id}.journal`));
    expect(await desk.list()).toMatchObject([{ id: item.id, missing: true, complete: false }]);
    const answer = await fetch(`${service.base}/c/live/recordings/${item.id}.opus`);
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    const put = await desk.call(`/recordings/${item.id}/frames`, { method: 'PUT' });
    expect(put.status).toBe(404);
  });
});

describe('the AAC copy', () => {
  it('is made after the end, served like the original, and made again of late frames', async () => {
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 100);
    send(client, epoch, 150, 200);
    const item = await desk.finished(client);
    expect(item.m4a).toBeNull();
    const url = desk.urlOf(item).replace('.opus', '.m4a');
    expect((await fetch(url)).status).toBe(404);
    const making = service.library.copies.want(item.id);
    expect((await desk.list())[0]?.m4a).toMatchObject({ state: /waiting|making/ });
    await making;
    const [ready] = await desk.list();
    expect(ready?.m4a).toEqual({ state: 'ready', progress: 1, url: new URL(url).pathname });
    const first = await fetch(url, { headers: { range: 'bytes=4-11' } });
    expect([first.status, await first.text()]).toEqual([206, 'ftypM4A ']);
    expect(first.headers.get('content-type')).toBe('audio/mp4');
    expect(first.headers.get('content-disposition')).toMatch(/\.m4a/);

    // The same sound as HLS, the segments made as they are asked for.
    const index = `${service.base}${ready?.hls}`;
    const playlist = await (await fetch(index)).text();
    // The linter judges live playlists, which have no type.
    expect(lintMedia(playlist.replace('#EXT-X-PLAYLIST-TYPE:VOD\n', ''))).toEqual([]);
    expect(playlist.endsWith('#EXT-X-ENDLIST\n')).toBe(true);
    // Not in step with this process, which is the server.
    const { stdout } = await promisify(execFile)(
      'ffmpeg',
      ['-v', 'error', '-i', index, '-f', 's16le', '-ac', '1', '-'],
      { encoding: 'buffer', timeout: 30_000, maxBuffer: 1 << 26 },
    );
    expect(stdout.length / 2).toBe(Math.ceil((200 * 960) / 1024) * 1024);
    for (const name of ['0-0.m4s', '99999.mp4', `${/(\d+)-0\.m4s/.exec(playlist)?.[1]}-9.m4s`])
      expect((await fetch(index.replace('index.m3u8', name))).status).toBe(404);

    // Nobody keeps what a private channel has, and caches what a public one has.
    const names = playlist.match(/^[^#\n]+|(?<=URI=")[^"]+/gm) ?? [];
    const parts = names.map((name) => index.replace('index.m3u8', name));
    const headers = { authorization: `Bearer ${service.token}` };
    const cachesOf = async (urls: readonly string[]): Promise<(string | null)[]> =>
      Promise.all(
        urls.map(async (one) => (await fetch(one, { headers })).headers.get('cache-control')),
      );
    const files = [index, url, desk.urlOf(item)];
    expect(parts.length).toBeGreaterThan(1);
    expect(new Set(await cachesOf(parts))).toEqual(new Set([FOR_EVER]));
    expect(new Set(await cachesOf(files))).toEqual(new Set(['no-cache']));
    await desk.change({ visibility: 'private' });
    expect(new Set(await cachesOf([...parts, ...files]))).toEqual(new Set(['private, no-store']));
    await desk.change({ visibility: 'public' });

    const frames = Array.from({ length: 50 }, (_, at) => bytesOf(100 + at, epoch));
    const body = frames.flatMap((bytes) => [
      Buffer.of(bytes.length >> 8, bytes.length & 255),
      bytes,
    ]);
    await desk.call(`/recordings/${item.id}/frames`, {
      method: 'PUT',
      body: new Uint8Array(Buffer.concat(body)),
    });
    await service.library.copies.want(item.id);
    const second = await fetch(url, { method: 'HEAD' });
    expect(second.headers.get('etag')).not.toBe(first.headers.get('etag'));
    await desk.call(`/recordings/${item.id}`, { method: 'DELETE' });
    expect((await fetch(url)).status).toBe(404);
  });

  it('is no more when its recording is deleted while it is made', async () => {
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 240);
    const { id } = await desk.finished(client);
    const making = service.library.copies.want(id);
    while (!service.library.copies.stateOf(id)?.progress) await new Promise(setImmediate);
    expect((await desk.call(`/recordings/${id}`, { method: 'DELETE' })).status).toBe(204);
    await making;
    expect(service.library.copies.stateOf(id)).toBeUndefined();
    const left = await readdir(join(service.data, 'recordings'));
    expect(left.filter((name) => name.startsWith(id))).toEqual([]);
  });

  it('is swept at the start when nothing else is left of its recording', async () => {
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 10);
    const { id } = await desk.finished(client);
    const folder = join(service.data, 'recordings');
    const gone = randomUUID();
    for (const name of [`${gone}.m4a`, `${gone}.m4a.units`, `${id}.m4a.part`, `${id}.m4a`])
      await writeFile(join(folder, name), 'left');
    await service.shutDown();
    const { data } = service;
    service = await startService({}, { data });
    expect((await readdir(folder)).sort()).toEqual([`${id}.journal`, `${id}.m4a`]);
    await rm(data, { recursive: true });
  });
});
