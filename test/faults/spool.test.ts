/** An outage longer than the replay, with the real server: what was spooled makes the recording whole. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { millis, utc } from '../../shared/time.ts';
import { DiskFolder } from '../client/disk-folder.ts';
import { type ChaosProxy, startChaosProxy } from '../helpers/chaos-proxy.ts';
import { tellFault } from '../helpers/fault-line.ts';
import { KnownPackets, recordedIn } from '../helpers/known-packets.ts';
import { untilTrue } from '../helpers/patience.ts';
import { type Item, RecordingClient } from '../helpers/recording-client.ts';
import { ReturningPublisher } from '../helpers/returning-publisher.ts';
import { startService, type TestService } from '../helpers/service.ts';

const SEED = 4103;
const known = new KnownPackets({ seed: SEED });
/** Two minutes and ten seconds made short; what waits for its acknowledgement lasts for a second. */
const replay = { kept: millis(2400), spoolAfter: millis(1800) };
const GRACE = 90_000;

let service: TestService;
let proxy: ChaosProxy;
let publisher: ReturningPublisher;
let folder: DiskFolder;
let recordings: RecordingClient;
/** How far the server's clock has been set ahead, ms. */
let ahead: number;

beforeEach(async () => {
  ahead = 0;
  const now = () => utc(performance.timeOrigin + performance.now() + ahead);
  service = await startService({}, { now });
  recordings = new RecordingClient(() => service);
  proxy = await startChaosProxy(Number(new URL(service.base).port), { seed: SEED });
  folder = await DiskFolder.make();
  const server = `http://127.0.0.1:${proxy.port}`;
  publisher = new ReturningPublisher(
    { server, token: service.token },
    { packets: known.packets, replay, openFolder: folder.open },
  );
  await untilTrue(() => publisher.acked > 10);
});
afterEach(async () => {
  publisher.end();
  await proxy.close();
  await service.stop();
  await folder.dispose();
});

/** Off the line for so long; returns how many frames were said by the return, and what it says. */
const cutFor = async (span: number) => {
  proxy.cut();
  await sleep(span);
  expect((await folder.list()).length).toBeGreaterThan(0);
  proxy.restore();
  await untilTrue(() => publisher.epochs.length === 2);
  const back = publisher.events.findLast((event) => event.type === 'on-air');
  return { spooled: back?.spooled ?? 0, lost: back?.lost ?? -1, anew: back?.anew };
};

const uploaded = () => untilTrue(async () => (await folder.list()).length === 0);

const judge = async (item: Item, count: number) => {
  const file = recordedIn(await recordings.fileOf(item));
  expect([file.streams, file.whole]).toEqual([1, true]);
  return known.judge(file.packets, count);
};

it('offline for longer than the replay holds: the upload makes the recording complete', async () => {
  const { spooled, lost, anew } = await cutFor(3500);
  const took = await uploaded();
  await publisher.finish();
  const item = await recordings.final();
  const { captured } = publisher;
  const judged = await judge(item, captured);
  tellFault(
    'offline for longer than the replay, with spooling',
    `${spooled} frames by upload in ${Math.round(took)} ms, ${lost} lost; recording ` +
      `${judged.present} of ${captured} frames, ${judged.repeated} twice, ` +
      `complete: ${item.complete} (seed ${SEED})`,
  );
  expect({ lost, anew }).toEqual({ lost: 0, anew: false });
  expect(spooled).toBeGreaterThan(50);
  expect(judged).toEqual({ present: captured, missing: 0, repeated: 0, foreign: 0 });
  expect(item.complete).toBe(true);
});

it('offline beyond the grace: another broadcast begins, and the old one becomes whole', async () => {
  const [old] = await recordings.list();
  if (old === undefined) throw new Error('Nothing is recorded.');
  const clockStepped = sleep(1000).then(() => {
    ahead = GRACE + 5000;
  });
  const { spooled, lost, anew } = await cutFor(2700);
  await clockStepped;
  await uploaded();
  await untilTrue(() => (publisher.runs[1]?.count ?? 0) > 50);
  await publisher.finish();
  const newest = await recordings.final();
  const items = await recordings.list();
  const [first, second] = publisher.runs;
  const [before, after] = [first?.count ?? 0, second?.count ?? 0];
  const judged = await judge(old, before);
  const file = recordedIn(await recordings.fileOf(newest));
  const numbers = file.packets.map((packet) => known.numberOf(packet));
  tellFault(
    'offline beyond the grace, with spooling',
    `another broadcast; old recording ${judged.present} of ${before} frames ` +
      `(${spooled} by upload, ${lost} lost), new one ${numbers.length} of ${after}, ` +
      `complete: ${items.map(({ complete }) => complete).join(', ')} (seed ${SEED})`,
  );
  expect({ lost, anew, items: items.length }).toEqual({ lost: 0, anew: true, items: 2 });
  expect(judged).toEqual({ present: before, missing: 0, repeated: 0, foreign: 0 });
  expect(numbers).toEqual(Array.from({ length: after }, (_, index) => before + index));
  expect(items.map(({ complete, final }) => [complete, final])).toEqual([
    [true, true],
    [true, true],
  ]);
});
