import { randomUUID } from 'node:crypto';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { utc } from '../../shared/time.ts';
import { acked, RecordingClient, send } from '../helpers/recording-client.ts';
import { startPublisher, startService, type TestService } from '../helpers/service.ts';

let service: TestService;
let shift = 0;
const desk = new RecordingClient(() => service);
beforeEach(async () => {
  shift = 0;
  service = await startService({}, { now: () => utc(Date.now() + shift) });
});
afterEach(() => service.stop());

/** Removed when the service is stopped, which writes in it until then. */
const newFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'skywave-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
};

describe('the library', () => {
  it('gives the newest first, in pages, and deletes for those with the right', async () => {
    const ids: string[] = [];
    for (let made = 0; made < 3; made += 1) {
      const { client, epoch } = await startPublisher(service);
      send(client, epoch, 0, 5);
      client.send({ type: 'bye' });
      await client.ended();
      ids.unshift(String((await desk.list())[0]?.id));
    }
    const first = await desk.call('/channels/live/recordings?limit=2');
    expect(first.body.items?.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    const second = await desk.call(`/channels/live/recordings?limit=2&after=${first.body.next}`);
    expect(second.body.items?.map(({ id }) => id)).toEqual(ids.slice(2));
    expect(second.body.next).toBeUndefined();

    const [gone] = ids;
    const target = `/recordings/${gone}`;
    expect((await desk.call(target, { method: 'DELETE', token: null })).status).toBe(401);
    expect((await desk.call(target, { method: 'DELETE' })).status).toBe(204);
    expect((await desk.call(target, { method: 'DELETE' })).status).toBe(404);
    await expect(access(join(service.data, 'recordings', `${gone}.journal`))).rejects.toThrow();
    expect((await desk.list()).map(({ id }) => id)).toEqual(ids.slice(1));
  });

  it('does not delete what is on the air', async () => {
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 5);
    await acked(client, 4);
    const [item] = await desk.list();
    expect((await desk.call(`/recordings/${item?.id}`, { method: 'DELETE' })).status).toBe(409);
  });

  it('deletes what is older than the channel keeps it', async () => {
    await fetch(`${service.base}/api/v1/channels/live`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${service.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ retention: 2 }),
    });
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 5);
    const item = await desk.finished(client);
    shift = 47 * 3_600_000;
    await service.library.expire();
    expect(await desk.list()).toHaveLength(1);
    shift = 49 * 3_600_000;
    await service.library.expire();
    expect(await desk.list()).toEqual([]);
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
    expect((await desk.call(`/recordings/${name}`, { method: 'DELETE' })).status).toBe(404);
  });

  it('shows a private channel’s recordings to nobody without the right', async () => {
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 5);
    const item = await desk.finished(client);
    await fetch(`${service.base}/api/v1/channels/live`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${service.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ visibility: 'private' }),
    });
    const url = `${service.base}/c/live/recordings/${item.id}.opus`;
    expect((await fetch(url)).status).toBe(401);
    expect((await desk.call('/channels/live/recordings', { token: null })).status).toBe(401);
    const headers = { authorization: `Bearer ${service.token}` };
    expect((await fetch(url, { headers })).status).toBe(200);
  });

  it('keeps broadcasting when the disk is full, says so, and goes on when there is room', async () => {
    const folder = await newFolder();
    await service.stop();
    let free = 10;
    const now = () => utc(Date.now() + shift);
    service = await startService({}, { data: folder, free: async () => free, now });
    const alarms: boolean[] = [];
    service.station.events.subscribe(({ kind, text }) => {
      const body: { kind: string; until: string | null } = JSON.parse(text);
      if (kind === 'alarm' && body.kind === 'disk') alarms.push(body.until === null);
    });
    expect(service.station.alarms.standing()).toMatchObject([{ kind: 'disk', channel: null }]);
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 20);
    await acked(client, 19);
    expect(client.texts.find(({ type }) => type === 'tally')).toMatchObject({ recording: false });
    expect(await desk.list()).toEqual([]);
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
    expect(alarms).toEqual([false, true, false]);
    // The ring has reached over both: nothing lacks.
    const [item] = await desk.list();
    expect(item).toMatchObject({ duration: 1.6, gaps: 0 });

    // Ten seconds are kept; of a longer time without room the beginning is lost.
    free = 10;
    await service.library.room.look();
    shift = 6000;
    send(client, epoch, 80, 630);
    await acked(client, 629);
    free = 1e12;
    await service.library.room.look();
    send(client, epoch, 630, 650);
    await acked(client, 649);
    const final = await desk.finished(client);
    expect(final).toMatchObject({ id: item?.id, complete: false, duration: 13, gaps: 1.02 });
    expect((await desk.call(`/recordings/${final.id}/frames`)).body.missing).toEqual([
      { epoch, from: 80, to: 130 },
    ]);
  });

  it.each([
    ['is still full names what lacks', 10, [{ from: 20, to: 39 }]],
    ['has room again by then is whole', 1e12, []],
  ])('ends on a disk that was full: one that %s', async (_name, freeAtEnd, missing) => {
    const folder = await newFolder();
    await service.stop();
    let free = 1e12;
    service = await startService({}, { data: folder, free: async () => free });
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 20);
    await acked(client, 19);
    free = 10;
    await service.library.room.look();
    send(client, epoch, 20, 40);
    await acked(client, 39);
    free = freeAtEnd;
    const item = await desk.finished(client);
    expect(item.complete).toBe(missing.length === 0);
    expect((await desk.call(`/recordings/${item.id}/frames`)).body.missing).toEqual(
      missing.map((range) => ({ epoch, ...range })),
    );
  });

  it('records what had just come when the disk became full, and when recording was switched off', async () => {
    const folder = await newFolder();
    await service.stop();
    let free = 1e12;
    service = await startService({}, { data: folder, free: async () => free });
    const { client, epoch } = await startPublisher(service);
    const come = (count: number): Promise<void> =>
      vi.waitFor(() => expect(service.station.desk('live')?.channel.epoch?.next).toBe(count), {
        interval: 1,
      });
    send(client, epoch, 0, 20);
    await acked(client, 19);
    send(client, epoch, 20, 40);
    await come(40);
    free = 10;
    await service.library.room.look();
    send(client, epoch, 40, 60);
    await come(60);
    free = 1e12;
    await service.library.room.look();
    send(client, epoch, 60, 80);
    await acked(client, 79);
    send(client, epoch, 80, 90);
    await come(90);
    await desk.change({ record: false });
    send(client, epoch, 90, 100);
    await come(100);
    const item = await desk.finished(client);
    expect(item).toMatchObject({ duration: 1.8, gaps: 0, complete: true });
  });

  it('takes nothing that was said while it was not wanted, full disk or not', async () => {
    const folder = await newFolder();
    await service.stop();
    let free = 1e12;
    service = await startService({}, { data: folder, free: async () => free });
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 20);
    await acked(client, 19);
    await desk.change({ record: false });
    send(client, epoch, 20, 40);
    await acked(client, 39);
    free = 10;
    await service.library.room.look();
    await desk.change({ record: true });
    send(client, epoch, 40, 60);
    await acked(client, 59);
    free = 1e12;
    await service.library.room.look();
    send(client, epoch, 60, 80);
    await acked(client, 79);
    const item = await desk.finished(client);
    expect((await desk.call(`/recordings/${item.id}/frames`)).body.missing).toEqual([
      { epoch, from: 20, to: 39 },
    ]);
  });
});
