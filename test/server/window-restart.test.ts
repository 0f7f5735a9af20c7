import { existsSync, readdirSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../../server/config.ts';
import { encodeFrame } from '../../shared/frame.ts';
import { samples, utc } from '../../shared/time.ts';
import { lintReloads } from '../helpers/hls-sequence.ts';
import { listed, mediaTextOf } from '../helpers/hls-text.ts';
import { measuringPackets } from '../helpers/real-publisher.ts';
import {
  HELLO,
  startPublisher,
  startService,
  type TestClient,
  type TestService,
} from '../helpers/service.ts';

const FRAME = 960;
const packets = measuringPackets();
let service: TestService;
let ahead: number;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

beforeEach(async () => {
  ahead = 0;
  service = await startService({ record: false });
});
afterEach(async () => {
  await service.stop();
  await rm(service.data, { recursive: true, force: true });
});

const restart = async (overrides: Partial<Config> = {}): Promise<void> => {
  const { data } = service;
  await service.shutDown();
  const now = () => utc(performance.timeOrigin + performance.now() + ahead);
  service = await startService({ record: false, ...overrides }, { data, now });
};

const get = (path: string): Promise<Response> => fetch(service.base + path);
const until = async (path: string, claim: (text: string) => boolean): Promise<string> => {
  for (const deadline = Date.now() + 15_000; ; await sleep(50)) {
    const answer = await get(path);
    const text = await answer.text();
    if (answer.status === 200 && claim(text)) return text;
    if (Date.now() > deadline) throw new Error(`${path}: ${answer.status} ${text}`);
  }
};

/** Sends so many frames at once, as after an outage; frame 0 was captured at `begun`. */
const send = (
  client: TestClient,
  epoch: number,
  { from, to, begun }: { from: number; to: number; begun: number },
) => {
  const captured = { timestamp: from * FRAME, utc: begun + from * 20 };
  client.send({ type: 'clock', epoch, ...captured, uncertainty: 1 });
  for (let sequence = from; sequence < to; sequence += 1)
    client.send(
      encodeFrame(
        {
          flags: 0,
          rendition: 0,
          duration: samples(FRAME),
          sequence,
          epoch,
          timestamp: samples(sequence * FRAME),
        },
        packets[sequence % packets.length] as Buffer,
      ),
    );
};

/** Begins a broadcast with six seconds of sound; returns where its media playlists lie. */
const begin = async () => {
  const { client, epoch } = await startPublisher(service);
  const begun = Date.now() + ahead - 6000;
  send(client, epoch, { from: 0, to: 300, begun });
  const main = await until('/c/live/hls/index.m3u8', (text) => text.includes('aac128'));
  const media = `/c/live${/\.\.(\/media\/[^/]+)\//.exec(main)?.[1]}`;
  for (const file of ['opus/index.m3u8', 'aac64/ts.m3u8'])
    await until(`${media}/${file}`, (text) => text.includes('#EXTINF'));
  return { client, epoch, media, begun };
};

const FILES = ['aac128/index.m3u8', 'aac64/ts.m3u8', 'opus/index.m3u8'];
const textsOf = (media: string): Promise<string[]> =>
  Promise.all(
    FILES.map(async (file) => {
      const answer = await get(`${media}/${file}`);
      expect(answer.status).toBe(200);
      return answer.text();
    }),
  );

describe('after a restart', () => {
  it('a broadcast whose grace has passed meanwhile has ended, and stays to be played', async () => {
    const { media } = await begin();
    ahead = 120_000;
    await restart();
    await until(`${media}/aac128/index.m3u8`, (text) => text.includes('#EXT-X-ENDLIST'));
    for (const text of await textsOf(media)) {
      expect(text).toContain('#EXT-X-ENDLIST');
      for (const { uri } of listed(mediaTextOf(text)).slice(0, 1)) expect(uri).toMatch(/^0\./);
    }
    const range = await fetch(`${service.base}${media}/aac128/0.m4s`, {
      headers: { range: 'bytes=100-199' },
    });
    expect([range.status, (await range.arrayBuffer()).byteLength]).toEqual([206, 100]);
    expect(await (await get('/c/live/dash/manifest.mpd')).text()).toContain('type="static"');
  });

  it('a broadcast that had ended is still to be played, until another begins', async () => {
    const { client, media } = await begin();
    client.send({ type: 'bye' });
    await client.ended();
    await until(`${media}/aac128/index.m3u8`, (text) => text.includes('#EXT-X-ENDLIST'));
    const before = await textsOf(media);
    await restart();
    expect(await textsOf(media)).toEqual(before);
    const second = await begin();
    expect(second.media).not.toBe(media);
    expect(await textsOf(media)).toEqual(before);
  });

  it('the publisher goes on under the same addresses, and what it repeats is not there twice', async () => {
    const { epoch, media, begun } = await begin();
    const titled = await service.app.inject({
      method: 'POST',
      url: '/api/v1/channels/live/metadata',
      headers: { authorization: `Bearer ${service.token}` },
      payload: { title: 'Before', at: 48_000 },
    });
    expect(titled.statusCode).toBe(200);
    const before = await textsOf(media);
    expect(before[2]).toContain('X-TITLE="Before"');
    await restart();
    const cut = await textsOf(media);
    // Nobody has come back: no end, and the next part is said to come.
    for (const text of cut) expect(text).not.toContain('#EXT-X-ENDLIST');
    const newest = listed(mediaTextOf(cut[2] ?? '')).at(-1)?.sequence ?? 0;
    expect(cut[2]).toContain(`TYPE=PART,URI="${newest + 1}.0.m4s"`);
    const waiting = get(`${media}/opus/${newest + 1}.0.m4s`);

    const resume = { epoch, sequence: 249 };
    const { client, next } = await startPublisher(service, { ...HELLO, resume });
    expect(next).toBe(250);
    send(client, epoch, { from: 250, to: 500, begun });
    expect((await waiting).status).toBe(200);
    const after = await Promise.all(
      FILES.map((file) =>
        until(`${media}/${file}`, (text) => {
          const last = listed(mediaTextOf(text)).at(-1);
          return last !== undefined && last.sequence > newest && last.uri !== null;
        }),
      ),
    );
    const siblings = [['../aac64/index.m3u8'], [], []];
    for (const [index, text] of after.entries())
      expect(
        lintReloads([before[index] ?? '', cut[index] ?? '', text], {
          lowLatency: index !== 1,
          siblings: siblings[index] ?? [],
        }),
      ).toEqual([]);
    expect(after[2]).toContain('X-TITLE="Before"');
    // It goes on where it had got to (frames, then silence), to the silence that filled a part.
    const segments = listed(mediaTextOf(after[2] ?? ''));
    const cutAt = segments.findIndex(({ discontinuity }) => discontinuity);
    const lengths = segments.slice(0, cutAt).map(({ duration }) => duration ?? 0);
    const got = lengths.reduce((sum, length) => sum + length * 1000, 0);
    const late = (segments[cutAt]?.date ?? 0) - (segments[0]?.date ?? 0) - got;
    expect(late).toBeGreaterThanOrEqual(-340);
    expect(late).toBeLessThanOrEqual(20);
  });

  it('a continuous channel goes on without end, under the same addresses', async () => {
    const desk = service.station.desk('live');
    if (desk === undefined) throw new Error('There is no channel.');
    service.station.update(desk, { continuous: true });
    const { client, media } = await begin();
    client.send({ type: 'bye' });
    await client.ended();
    const [before = ''] = await textsOf(media);
    await restart();
    const [cut = ''] = await textsOf(media);
    const newest = listed(mediaTextOf(cut)).at(-1)?.sequence ?? 0;
    const after = await until(`${media}/aac128/index.m3u8`, (text) =>
      listed(mediaTextOf(text)).some(({ sequence }) => sequence > newest),
    );
    const siblings = ['../aac64/index.m3u8'];
    expect(lintReloads([before, cut, after], { lowLatency: true, siblings })).toEqual([]);
  });

  it('nothing is left of channels that are no more, nor of windows that nobody can play', async () => {
    const windows = join(service.data, 'windows');
    await mkdir(join(windows, 'gone', '7-00000000', 'opus'), { recursive: true });
    await mkdir(join(windows, 'live', '../live/odd'), { recursive: true });
    await mkdir(join(windows, 'live', '99-0badcafe'), { recursive: true });
    await writeFile(join(windows, 'live', '99-0badcafe', 'programme.json'), '{"name":"x"}');
    await restart();
    await expect
      .poll(() => [existsSync(join(windows, 'gone')), readdirSync(join(windows, 'live'))])
      .toEqual([false, []]);
    expect((await get('/c/live/hls/index.m3u8')).status).toBe(404);
  });

  it('with other segment lengths the window begins anew', async () => {
    const { media } = await begin();
    await restart({ grid: { part: samples(15_360), segment: samples(92_160) } });
    expect((await get(`${media}/opus/index.m3u8`)).status).toBe(404);
  });
});

it('a channel that is deleted takes its windows with it', async () => {
  const desk = service.station.create('short', {
    ...service.station.desk('live')?.settings,
  } as never);
  if (desk === undefined) throw new Error('It was not created.');
  await mkdir(join(service.data, 'windows', 'short', '0-00000000'), { recursive: true });
  service.station.remove(desk);
  await expect.poll(() => existsSync(join(service.data, 'windows', 'short'))).toBe(false);
});
