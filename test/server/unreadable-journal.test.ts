import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { mendsIn } from '../../server/recorder/library.ts';
import { utc } from '../../shared/time.ts';
import { acked, bytesOf, PACKETS, RecordingClient, send } from '../helpers/recording-client.ts';
import { HELLO, startPublisher, startService, type TestService } from '../helpers/service.ts';

let service: TestService;
let data: string;
/** How far the server's clock has been set ahead, ms. */
let ahead: number;
const desk = new RecordingClient(() => service);
const now = () => utc(Date.now() + ahead);
beforeEach(async () => {
  ahead = 0;
  service = await startService({}, { now });
  ({ data } = service);
});
afterEach(async () => {
  await service.shutDown();
  await rm(data, { recursive: true });
});

const folder = (): string => join(data, 'recordings');
const restart = async (between: () => Promise<void>): Promise<void> => {
  await service.shutDown();
  await between();
  service = await startService({}, { data, now });
};

/** Records the first second; then something that no journal can be read of lies in its place. */
const recordAndLose = async () => {
  const { client, epoch } = await startPublisher(service);
  send(client, epoch, 0, 50);
  await acked(client, 49);
  const [item] = await desk.list();
  const journal = join(folder(), `${item?.id}.journal`);
  const real = join(data, 'the real one');
  await restart(async () => {
    await rename(journal, real);
    // Even for root: EISDIR, as the reading of it would say EIO on a bad disk.
    await mkdir(journal);
  });
  const [name = 'none is aside'] = (await readdir(folder())).filter((one) => one.includes('unre'));
  const heal = async (): Promise<void> => {
    await rmdir(join(folder(), name));
    await rename(real, join(folder(), name));
  };
  return { id: String(item?.id), epoch, resume: { epoch, sequence: 49 }, heal };
};
const troubles = () =>
  service.station.alarms.standing('live').map(({ kind, channel }) => [kind, channel]);

it('a journal that cannot be read stops nobody: the next one takes what comes, and says so', async () => {
  const { id, epoch, resume, heal } = await recordAndLose();
  expect(troubles()).toEqual([['disk', 'live']]);
  const back = await startPublisher(service, { ...HELLO, resume });
  expect(back).toMatchObject({ epoch, next: 50 });
  send(back.client, epoch, 50, 100);
  await acked(back.client, 99);
  const item = await desk.finished(back.client);
  expect(item).toMatchObject({ id, complete: false, final: true, duration: 1 });
  expect((await desk.call(`/recordings/${id}/frames`)).body.missing).toEqual([
    { epoch, from: 0, to: 49 },
  ]);
  expect(await desk.packetsOf(item)).toEqual(PACKETS.slice(50, 100));
  // Nothing changes while it cannot be read, and nothing is lost once it can be.
  await service.library.mend();
  expect(await desk.list()).toMatchObject([{ complete: false, duration: 1 }]);
  await heal();
  await service.library.mend();
  expect(troubles()).toEqual([]);
  const whole = await desk.final();
  expect(whole).toMatchObject({ id, complete: true, gaps: 0, duration: 2 });
  expect(await desk.packetsOf(whole)).toEqual(PACKETS.slice(0, 100));
  expect(await readdir(folder())).toEqual([`${id}.journal`]);
});

it('one that can be read again at the next start is gone on with, in one stream', async () => {
  const { id, epoch, resume, heal } = await recordAndLose();
  const first = await startPublisher(service, { ...HELLO, resume });
  send(first.client, epoch, 50, 80);
  await acked(first.client, 79);
  await restart(heal);
  expect(troubles()).toEqual([]);
  const second = await startPublisher(service, { ...HELLO, resume: { epoch, sequence: 60 } });
  expect(second.next).toBe(80);
  send(second.client, epoch, 80, 100);
  const item = await desk.finished(second.client);
  expect(item).toMatchObject({ id, complete: true, gaps: 0, duration: 2 });
  expect(await desk.packetsOf(item)).toEqual(PACKETS.slice(0, 100));
});

it('an epoch that cannot be read is not forgotten by a recording that has all of the next', async () => {
  const before = await startPublisher(service);
  send(before.client, before.epoch, 0, 10);
  await acked(before.client, 9);
  before.client.close();
  const { id, epoch, resume } = await recordAndLose();
  expect(epoch).toBe(before.epoch + 1);
  const { client } = await startPublisher(service, { ...HELLO, resume });
  send(client, epoch, 50, 60);
  await desk.finished(client);
  const frames = Array.from({ length: 50 }, (_, sequence) => bytesOf(sequence, epoch));
  const pieces = frames.flatMap((bytes) => [Buffer.of(bytes.length >> 8, bytes.length), bytes]);
  const body = new Uint8Array(Buffer.concat(pieces));
  const put = await desk.call(`/recordings/${id}/frames`, { method: 'PUT', body });
  expect(put.body).toMatchObject({ accepted: 50, missing: [], complete: false });
});

it('without its publisher it is settled as nothing, uploads wait, and it comes back', async () => {
  const { id, heal } = await recordAndLose();
  ahead = 95_000;
  expect(await desk.final()).toMatchObject({ id, complete: false, duration: 0 });
  const put = await desk.call(`/recordings/${id}/frames`, { method: 'PUT' });
  expect([put.status, put.body.code]).toEqual([503, 'unreadable']);
  await heal();
  await service.library.mend();
  const whole = await desk.final();
  expect(whole).toMatchObject({ complete: true, duration: 1, missing: false });
  expect(await desk.packetsOf(whole)).toEqual(PACKETS.slice(0, 50));
});

it('a recording that is deleted takes everything with it that was kept aside', async () => {
  const { id } = await recordAndLose();
  ahead = 95_000;
  await desk.final();
  // As a damaged end is kept (journal.ts).
  await writeFile(join(folder(), `${id}.journal.aside-4711`), 'sound');
  expect((await desk.call(`/recordings/${id}`, { method: 'DELETE' })).status).toBe(204);
  expect(await readdir(folder())).toEqual([]);
  expect(troubles()).toEqual([]);
});

it('two of them are both kept, the older one never overwritten', async () => {
  const { id, epoch, resume } = await recordAndLose();
  const { client } = await startPublisher(service, { ...HELLO, resume });
  send(client, epoch, 50, 60);
  await acked(client, 59);
  const second = join(folder(), `${id}.journal`);
  const sound = await readFile(second);
  await restart(async () => {
    await rm(second);
    await mkdir(second);
    await writeFile(join(second, 'sound'), sound);
  });
  const names = (await readdir(folder())).sort();
  expect(names).toEqual([`${id}.journal.unreadable-1`, `${id}.journal.unreadable-2`]);
  expect(await readFile(join(folder(), names[1] ?? '', 'sound'))).toEqual(sound);
});

it('what cannot be read is tried ever more seldom, and never given up', () => {
  const rounds = Array.from({ length: 320 }, (_, at) => at + 1).filter(mendsIn);
  expect(rounds).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 192, 256, 320]);
});
