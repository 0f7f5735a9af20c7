import { afterAll, beforeAll, expect, it } from 'vitest';
import { RealPublisher } from '../helpers/real-publisher.ts';
import { reportOf, startListener, startService, type TestService } from '../helpers/service.ts';

type Loudness = Record<'momentary' | 'shortTerm' | 'integrated' | 'truePeak', number | null>;
type Status = {
  state: string;
  since: string | null;
  broadcast: string | null;
  listeners: { total: number; websocket: number; hls: number };
  bitrate: number | null;
  loudness: Loudness | null;
  latency: number | null;
  damaged: number;
  nowPlaying: { title: string; artist: string | null } | null;
};

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

const statusOf = async (channel = 'live'): Promise<Status> =>
  (await (await fetch(`${service.base}/api/v1/channels/${channel}/status`)).json()) as Status;
const until = async (
  claim: (status: Status) => boolean,
  { channel = 'live', within = 10_000 } = {},
): Promise<Status> => {
  for (const deadline = Date.now() + within; ; ) {
    const status = await statusOf(channel);
    if (claim(status)) return status;
    if (Date.now() > deadline) throw new Error(`Never true: ${claim}; ${JSON.stringify(status)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
const call = (method: string, path: string, body: object): Promise<Response> =>
  fetch(`${service.base}/api/v1/channels${path}`, {
    method,
    headers: { authorization: `Bearer ${service.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

it('says of a channel off the air that there is nothing to measure', async () => {
  expect(await statusOf()).toMatchObject({
    state: 'idle',
    since: null,
    broadcast: null,
    listeners: { total: 0, websocket: 0, hls: 0 },
    bitrate: null,
    loudness: null,
    latency: null,
    nowPlaying: null,
  });
});

it('says everything of a channel on the air, and so does the tally what a host must know', async () => {
  const publisher = await RealPublisher.start(service);
  const listeners = [];
  for (const latency of [0.1, 0.5, 0.2]) {
    const listener = await startListener(service, { reports: false });
    await listener.until(() => listener.frames.length > 0);
    listener.send({ ...reportOf(listener.frames.at(-1)?.readUInt32BE(4) ?? 0), latency });
    listeners.push(listener);
  }
  await call('POST', '/live/metadata', { title: 'Sea', artist: 'The Harbour' });
  await until(({ loudness }) => (loudness?.integrated ?? null) !== null);
  const playlist = async (agent: string): Promise<number> =>
    (await fetch(`${service.base}/c/live/hls/index.m3u8`, { headers: { 'user-agent': agent } }))
      .status;
  while ((await playlist('one')) !== 200) await new Promise((resolve) => setTimeout(resolve, 100));
  await playlist('two');
  const status = await until(({ listeners: { hls } }) => hls === 2);
  expect(status).toMatchObject({
    state: 'live',
    listeners: { total: 5, websocket: 3, hls: 2 },
    latency: 0.2,
    damaged: 0,
    nowPlaying: { title: 'Sea', artist: 'The Harbour' },
  });
  expect(status.since).toMatch(/^\d{4}-.*Z$/);
  expect(status.broadcast).toMatch(/^[0-9a-f-]{36}$/);
  // The encoder was asked for 96 kbit/s of variable bitrate.
  expect(status.bitrate).toBeGreaterThan(64_000);
  expect(status.bitrate).toBeLessThan(160_000);
  const { momentary, shortTerm, integrated, truePeak } = status.loudness as Loudness;
  for (const level of [momentary, shortTerm, integrated]) {
    expect(level).toBeGreaterThan(-40);
    expect(level).toBeLessThan(0);
  }
  expect(truePeak).toBeGreaterThan(integrated as number);
  const tally = await publisher.client.until(() =>
    publisher.client.texts.findLast(
      (text) => text.type === 'tally' && text.loudness !== null && Number(text.listeners) === 5,
    ),
  );
  expect(tally).toMatchObject({ aac: true, damaged: 0, loudness: { integrated } });
  await publisher.end();
  for (const listener of listeners) listener.close();
  expect(await statusOf()).toMatchObject({ bitrate: null, loudness: null, nowPlaying: null });
}, 30_000);

it('measures each broadcast of a continuous channel for itself', async () => {
  await call('PATCH', '/live', { continuous: true });
  const loud = await RealPublisher.start(service);
  await until(({ loudness }) => (loudness?.integrated ?? null) !== null);
  await loud.end();
  // The same programme goes on, in silence.
  const programme = service.station.desk('live')?.packager.programme;
  expect((await statusOf()).loudness).toBeNull();
  const dtx = Buffer.from([0xf8, 0xff, 0xfe]);
  const quiet = await RealPublisher.start(service, { packets: [dtx] });
  await until(({ loudness }) => loudness !== null);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect((await statusOf()).loudness).toMatchObject({ integrated: null });
  expect(service.station.desk('live')?.packager.programme).toBe(programme);
  await quiet.end();
}, 30_000);
