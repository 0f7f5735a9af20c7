import { afterEach, expect, it } from 'vitest';
import { measuringPackets, RealPublisher } from '../helpers/real-publisher.ts';
import { startService, type TestService } from '../helpers/service.ts';

let service: TestService | undefined;
afterEach(() => service?.stop());

const statusOf = async ({ base }: TestService): Promise<Record<string, unknown>> =>
  (await (await fetch(`${base}/api/v1/channels/live/status`)).json()) as Record<string, unknown>;

it('frames that come damaged are counted for host and status, and AAC goes on', async () => {
  service = await startService();
  // One frame of 20 ms, as the relay checks, but with more padding than there are bytes
  // (RFC 6716 section 3.2.5).
  const damaged = Buffer.from([0xfb, 0x41, 0xff]);
  const packets = measuringPackets();
  for (const index of [40, 70, 71, 100]) packets[index] = damaged;
  const publisher = await RealPublisher.start(service, { packets });
  const { client } = publisher;
  const tally = await client.until(() =>
    client.texts.findLast((text) => text.type === 'tally' && text.damaged === 4),
  );
  expect(tally).toMatchObject({ live: true, aac: true });
  expect(await statusOf(service)).toMatchObject({ damaged: 4, aac: true, state: 'live' });
  const outputs = service.station.desk('live')?.packager.programme?.outputs;
  const [aac, opus] = [outputs?.get('aac128'), outputs?.get('opus')];
  await client.until(() => aac?.playable && opus?.playable);
  const lengthOf = (output: typeof aac): number =>
    output?.window.segments.reduce((sum, { parts }) => sum + parts.length, 0) ?? 0;
  expect(Math.abs(lengthOf(aac) - lengthOf(opus))).toBeLessThanOrEqual(2);
  await publisher.end();
  // The next broadcast has its own count.
  const next = await RealPublisher.start(service, { packets: packets.slice(101) });
  await next.client.until(() =>
    next.client.texts.some(({ type, loudness }) => type === 'tally' && loudness !== null),
  );
  expect(await statusOf(service)).toMatchObject({ damaged: 0 });
  await next.end();
}, 30_000);

it('a service without an AAC encoder says so to its host', async () => {
  service = await startService({}, { encoders: [] });
  const publisher = await RealPublisher.start(service);
  const { client } = publisher;
  await client.until(() => client.texts.some(({ type, aac }) => type === 'tally' && aac === false));
  expect(await statusOf(service)).toMatchObject({ aac: false });
  // Loudness is measured all the same.
  await client.until(() => client.texts.some(({ type, loudness }) => type === 'tally' && loudness));
  await publisher.end();
}, 30_000);
