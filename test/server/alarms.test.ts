import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import opus from '@discordjs/opus';
import { afterEach, expect, it } from 'vitest';
import { ChildTranscoder } from '../../server/transcoder/transcoder.ts';
import { encodeFrame } from '../../shared/frame.ts';
import { samples, utc } from '../../shared/time.ts';
import { EventReader, type ReadEvent } from '../helpers/event-reader.ts';
import { measuringPackets, RealPublisher } from '../helpers/real-publisher.ts';
import {
  startPublisher,
  startService,
  type TestClient,
  type TestService,
  testFrame,
} from '../helpers/service.ts';

let service: TestService | undefined;
let reader: EventReader | undefined;
afterEach(async () => {
  reader?.close();
  await service?.stop();
});

const watchEvents = async ({ base, token }: TestService): Promise<EventReader> =>
  EventReader.open(`${base}/api/v1/events`, { authorization: `Bearer ${token}` });
const begins = (kind: string) => (read: ReadEvent) =>
  read.event === 'alarm' && read.data.kind === kind && read.data.until === null;
const ends = (kind: string) => (read: ReadEvent) =>
  read.event === 'alarm' && read.data.kind === kind && read.data.until !== null;
const tallied = (client: TestClient, claim: (alarms: string[]) => boolean): Promise<true> =>
  client.until(() => {
    const tally = client.texts.findLast(({ type }) => type === 'tally');
    return tally !== undefined && claim(tally.alarms as string[]);
  }, 20_000) as Promise<true>;

/** Publishes packets at a multiple of real time. */
const publishFast = async (
  service: TestService,
  { pace, packetAt }: { pace: number; packetAt: (sequence: number) => Buffer },
): Promise<{ client: TestClient; stop: () => void }> => {
  const { client, epoch } = await startPublisher(service);
  const begun = performance.now();
  let sequence = 0;
  const timer = setInterval(() => {
    for (; sequence < (pace * (performance.now() - begun)) / 20; sequence += 1) {
      const header = { flags: 0, rendition: 0, duration: samples(960), sequence, epoch };
      const timestamp = samples(sequence * 960);
      client.send(encodeFrame({ ...header, timestamp }, packetAt(sequence)));
    }
  }, 5);
  return { client, stop: () => clearInterval(timer) };
};

it('silence on the air is told once after ten seconds, and that it is over', async () => {
  // The server's clock and the publisher's media run two and a half times as fast, which the watch on
  // half-open sockets (every 5 s of real time, 15 s of the server's) still bears.
  const pace = 2.5;
  const begun = performance.now();
  const now = () => utc(1_790_000_000_000 + pace * (performance.now() - begun));
  service = await startService({}, { now });
  reader = await watchEvents(service);
  const silence = Buffer.from([0xf8, 0xff, 0xfe]);
  const sound = measuringPackets();
  let silent = true;
  const packetAt = (sequence: number): Buffer =>
    silent ? silence : (sound[sequence % sound.length] as Buffer);
  const { client, stop } = await publishFast(service, { pace, packetAt });
  await tallied(client, (alarms) => alarms.includes('silence'));
  const begin = await reader.until(begins('silence'));
  expect(begin.data).toMatchObject({ channel: 'live', until: null });
  expect(begin.data.detail).toContain('-60 dBFS');
  const live = await reader.until(
    ({ event, data }) => event === 'channel' && data.state === 'live',
  );
  // The broadcast began at most so long before; the alarm cannot have come earlier.
  const waited = Date.parse(String(begin.data.since)) - Date.parse(String(live.data.since));
  expect(waited).toBeGreaterThanOrEqual(10_000);
  silent = false;
  await reader.until(ends('silence'));
  await tallied(client, (alarms) => !alarms.includes('silence'));
  expect(reader.events.filter(begins('silence'))).toHaveLength(1);
  stop();
}, 40_000);

/** A square wave beyond what a decoder can give without clipping. */
const loudPackets = (): Buffer[] => {
  const encoder = new opus.OpusEncoder(48_000, 1);
  const pcm = Int16Array.from({ length: 960 }, (_, index) => (index % 96 < 48 ? 32_767 : -32_768));
  return Array.from({ length: 50 }, () => encoder.encode(Buffer.from(pcm.buffer)));
};

it('a lost uplink, clipping and a dead transcoder are told, and that they are over', async () => {
  service = await startService();
  reader = await watchEvents(service);
  const publisher = await RealPublisher.start(service, { packets: loudPackets() });
  await publisher.client.until(() => service?.station.desk('live')?.packager.loudness);

  publisher.hold();
  await reader.until(begins('uplink'));
  publisher.release();
  await reader.until(ends('uplink'));

  const transcoder = service.station.desk('live')?.packager.programme?.transcoder;
  if (!(transcoder instanceof ChildTranscoder) || transcoder.pid === undefined)
    throw new Error('No transcoder runs.');
  process.kill(transcoder.pid, 'SIGKILL');
  await reader.until(begins('transcoder'));
  await tallied(publisher.client, (alarms) => alarms.includes('transcoder'));
  await reader.until(begins('clipping'));
  // At the end of the broadcast nothing stands any more.
  await publisher.end();
  await reader.until(ends('transcoder'));
  await reader.until(ends('clipping'));
  expect(service.station.alarms.standing()).toEqual([]);
  expect(reader.events.filter(begins('uplink'))).toHaveLength(1);
}, 40_000);

it('a database that cannot be written, and what other parts find, is told once each', async () => {
  service = await startService();
  reader = await watchEvents(service);
  // Somebody else holds the write lock, as a backup or a person with a shell may.
  const other = new DatabaseSync(join(service.data, 'skywave.db'));
  other.exec('BEGIN IMMEDIATE');
  const { client, epoch } = await startPublisher(service);
  for (let sequence = 0; sequence < 10; sequence += 1) client.send(testFrame(sequence, { epoch }));
  const { data } = await reader.until(begins('database'), 30_000);
  expect(data.channel).toBeNull();
  expect(data.detail).not.toContain('/');
  await tallied(client, (alarms) => alarms.includes('database'));
  other.exec('ROLLBACK');
  other.close();
  client.send({ type: 'bye' });
  await reader.until(ends('database'));
  expect(reader.events.filter(begins('database'))).toHaveLength(1);

  const raise = service.station.alarms.raiser('live');
  raise('disk', 'Only 12 MB are left; recording stops.');
  raise('disk', 'Only 11 MB are left; recording stops.');
  raise('disk', null);
  await reader.until(ends('disk'));
  expect(reader.events.filter(begins('disk')).map((event) => event.data)).toMatchObject([
    { channel: 'live', detail: 'Only 12 MB are left; recording stops.' },
  ]);
}, 60_000);
