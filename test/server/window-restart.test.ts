import { existsSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { samples } from '../../shared/time.ts';
import { lintReloads } from '../helpers/hls-sequence.ts';
import { listed, mediaTextOf } from '../helpers/hls-text.ts';
import { HELLO, startPublisher } from '../helpers/service.ts';

import { FILES, send, WindowLife } from './window-life.ts';

let life: WindowLife;
beforeEach(async () => {
  life = await WindowLife.open();
});
afterEach(() => life.close());

describe('after a restart', () => {
  it('a broadcast whose grace has passed meanwhile has ended, and stays to be played', async () => {
    const { media } = await life.begin();
    life.ahead = 120_000;
    await life.restart();
    await life.until(`${media}/aac128/index.m3u8`, (text) => text.includes('#EXT-X-ENDLIST'));
    for (const text of await life.textsOf(media)) {
      expect(text).toContain('#EXT-X-ENDLIST');
      for (const { uri } of listed(mediaTextOf(text)).slice(0, 1)) expect(uri).toMatch(/^0\./);
    }
    const range = await fetch(`${life.service.base}${media}/aac128/0.m4s`, {
      headers: { range: 'bytes=100-199' },
    });
    expect([range.status, (await range.arrayBuffer()).byteLength]).toEqual([206, 100]);
    expect(await (await life.get('/c/live/dash/manifest.mpd')).text()).toContain('type="static"');
  });

  it('a broadcast that had ended is still to be played, until another begins', async () => {
    const { client, media } = await life.begin();
    client.send({ type: 'bye' });
    await client.ended();
    await life.until(`${media}/aac128/index.m3u8`, (text) => text.includes('#EXT-X-ENDLIST'));
    const before = await life.textsOf(media);
    await life.restart();
    expect(await life.textsOf(media)).toEqual(before);
    const second = await life.begin();
    expect(second.media).not.toBe(media);
    expect(await life.textsOf(media)).toEqual(before);
  });

  it('the publisher goes on under the same addresses, and what it repeats is not there twice', async () => {
    const { epoch, media, begun } = await life.begin();
    const titled = await life.service.app.inject({
      method: 'POST',
      url: '/api/v1/channels/live/metadata',
      headers: { authorization: `Bearer ${life.service.token}` },
      payload: { title: 'Before', at: 48_000 },
    });
    expect(titled.statusCode).toBe(200);
    const before = await life.textsOf(media);
    expect(before[2]).toContain('X-TITLE="Before"');
    await life.restart();
    const cut = await life.textsOf(media);
    // Nobody has come back: no end, and the next part is said to come.
    for (const text of cut) expect(text).not.toContain('#EXT-X-ENDLIST');
    const newest = listed(mediaTextOf(cut[2] ?? '')).at(-1)?.sequence ?? 0;
    expect(cut[2]).toContain(`TYPE=PART,URI="${newest + 1}.0.m4s"`);
    const waiting = life.get(`${media}/opus/${newest + 1}.0.m4s`);

    const resume = { epoch, sequence: 249 };
    const { client, next } = await startPublisher(life.service, { ...HELLO, resume });
    expect(next).toBe(250);
    send(client, epoch, { from: 250, to: 500, begun });
    expect((await waiting).status).toBe(200);
    const after = await Promise.all(
      FILES.map((file) =>
        life.until(`${media}/${file}`, (text) => {
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
    life.set({ continuous: true });
    const { client, media } = await life.begin();
    client.send({ type: 'bye' });
    await client.ended();
    const [before = ''] = await life.textsOf(media);
    await life.restart();
    const [cut = ''] = await life.textsOf(media);
    const newest = listed(mediaTextOf(cut)).at(-1)?.sequence ?? 0;
    const after = await life.until(`${media}/aac128/index.m3u8`, (text) =>
      listed(mediaTextOf(text)).some(({ sequence }) => sequence > newest),
    );
    const siblings = ['../aac64/index.m3u8'];
    expect(lintReloads([before, cut, after], { lowLatency: true, siblings })).toEqual([]);
  });

  it('nothing is left of channels that are no more, nor of windows that nobody can play', async () => {
    const windows = join(life.service.data, 'windows');
    await mkdir(join(windows, 'gone', '7-00000000', 'opus'), { recursive: true });
    await mkdir(join(windows, 'live', '../live/odd'), { recursive: true });
    await mkdir(join(windows, 'live', '99-0badcafe'), { recursive: true });
    await writeFile(join(windows, 'live', '99-0badcafe', 'programme.json'), '{"name":"x"}');
    await life.restart();
    await expect
      .poll(() => [existsSync(join(windows, 'gone')), readdirSync(join(windows, 'live'))])
      .toEqual([false, []]);
    expect((await life.get('/c/live/hls/index.m3u8')).status).toBe(404);
  });

  it('with other segment lengths the window begins anew', async () => {
    const { media } = await life.begin();
    await life.restart({ grid: { part: samples(15_360), segment: samples(92_160) } });
    expect((await life.get(`${media}/opus/index.m3u8`)).status).toBe(404);
  });
});

it('a channel that is deleted takes its windows with it', async () => {
  const desk = life.service.station.create('short', {
    ...life.service.station.desk('live')?.settings,
  } as never);
  if (desk === undefined) throw new Error('It was not created.');
  await mkdir(join(life.service.data, 'windows', 'short', '0-00000000'), { recursive: true });
  life.service.station.remove(desk);
  await expect.poll(() => existsSync(join(life.service.data, 'windows', 'short'))).toBe(false);
});
