/** What an address stood for once it stands for ever: over silence, cold times, settings, restarts. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { samples } from '../../shared/time.ts';
import { lintReloads } from '../helpers/hls-sequence.ts';
import { listed, mediaTextOf } from '../helpers/hls-text.ts';
import { startPublisher } from '../helpers/service.ts';
import { newestIn, send, sleep, WindowLife } from './window-life.ts';

/** Segments of 1.28 s: three target durations are 3 s. */
const SHORT = { grid: { part: samples(15_360), segment: samples(61_440) } };

let life: WindowLife;
beforeEach(async () => {
  life = await WindowLife.open(SHORT);
});
afterEach(() => life.close());

const AAC = 'aac128/index.m3u8';
const ENDED = '#EXT-X-ENDLIST';
const isEnded = (text: string): boolean => text.includes(ENDED);

describe('a continuous channel', () => {
  beforeEach(() => life.set({ continuous: true }));

  it('falls silent soon after a restart, also while somebody asks for it all the time', async () => {
    const { media } = await life.begin();
    await life.restart(SHORT);
    const cut = await (await life.get(`${media}/${AAC}`)).text();
    // This asks each 50 ms. Its publisher may come back for 90 s more.
    const after = await life.untilAfter(newestIn(cut) + 1, `${media}/${AAC}`);
    expect(
      lintReloads([cut, after], { lowLatency: true, siblings: ['../aac64/index.m3u8'] }),
    ).toEqual([]);
  });

  it('between broadcasts keeps to the clock, though the machine slept', async () => {
    const { client, media } = await life.begin();
    client.send({ type: 'bye' });
    await client.ended();
    const before = await life.untilAfter(6, `${media}/${AAC}`);
    life.ahead += 60_000;
    const after = await life.until(`${media}/${AAC}`, (text) => {
      const [newest] = listed(mediaTextOf(text)).slice(-1);
      return Math.abs(Number(newest?.date) + 1280 - life.now) < 3000;
    });
    expect(
      lintReloads([before, after], { lowLatency: true, siblings: ['../aac64/index.m3u8'] }),
    ).toEqual([]);
    expect(after).not.toContain(ENDED);
  });

  it('is not let go cold: it never ends', async () => {
    life.set({ warm: false });
    const { media } = await life.begin();
    life.ahead += 120_000;
    await sleep(1000);
    const text = await (await life.get(`${media}/${AAC}`)).text();
    expect(text).not.toContain(ENDED);
    await life.untilAfter(newestIn(text), `${media}/${AAC}`);
  });

  it('that is to be one no longer ends, and begins under another address when it is again', async () => {
    const { client, media } = await life.begin();
    client.send({ type: 'bye' });
    await client.ended();
    life.set({ continuous: false });
    await life.until(`${media}/${AAC}`, isEnded);
    life.set({ continuous: true });
    await expect.poll(() => life.media(), { timeout: 10_000 }).not.toBe(media);
    await life.until(`${await life.media()}/${AAC}`, (text) => !isEnded(text));
    expect(await (await life.get(`${media}/${AAC}`)).text()).toContain(ENDED);
  });

  it('has another address when it is one again after a broadcast of its own', async () => {
    const { client, media } = await life.begin();
    client.send({ type: 'bye' });
    await client.ended();
    life.set({ continuous: false });
    await life.until(`${media}/${AAC}`, isEnded);
    const own = await life.begin();
    own.client.send({ type: 'bye' });
    await own.client.ended();
    life.set({ continuous: true });
    await expect.poll(() => life.media(), { timeout: 10_000 }).not.toBe(own.media);
    expect(await life.media()).not.toBe(media);
    expect(await (await life.get(`${media}/${AAC}`)).text()).toContain(ENDED);
  });

  it('has another address when its segments when its segments have another length, for their numbers begin anew', async () => {
    const { media } = await life.begin();
    await life.restart({ grid: { part: samples(15_360), segment: samples(76_800) } });
    await expect.poll(() => life.media(), { timeout: 10_000 }).not.toBe(media);
    expect((await life.get(`${media}/${AAC}`)).status).toBe(404);
  });
});

describe('a broadcast', () => {
  it('on a channel that becomes continuous meanwhile ends, and the silence has its own address', async () => {
    const { client, epoch, media, begun } = await life.begin();
    life.set({ continuous: true });
    send(client, epoch, { from: 300, to: 350, begun });
    client.send({ type: 'bye' });
    await client.ended();
    await life.until(`${media}/${AAC}`, isEnded);
    await expect.poll(() => life.media(), { timeout: 10_000 }).not.toBe(media);
  });

  it('that nobody asks for ends when it is not kept warm, and goes on under another address', async () => {
    life.set({ warm: false });
    const { client, epoch, media, begun } = await life.begin();
    client.send({ type: 'metadata', title: 'Now', at: { epoch, timestamp: 48_000 } });
    await life.until(`${media}/${AAC}`, (text) => text.includes('X-TITLE="Now"'));
    life.ahead += 61_000;
    // No playlist may be asked for now; the sound goes on.
    send(client, epoch, { from: 300, to: 400, begun });
    await sleep(1500);
    send(client, epoch, { from: 400, to: 450, begun });
    const first = life.get('/c/live/hls/index.m3u8');
    await life.ask();
    send(client, epoch, { from: 450, to: 700, begun });
    expect((await first).status).toBe(200);
    const again = await life.media();
    expect(again).not.toBe(media);
    const text = await (await life.get(`${again}/${AAC}`)).text();
    expect(text).not.toContain(ENDED);
    expect(text).toContain('X-TITLE="Now"');
    expect(await (await life.get(`${media}/${AAC}`)).text()).toContain(ENDED);
  });

  it('that nobody asks for goes on where it is recorded, and is measured', async () => {
    await life.restart({ record: true });
    life.set({ warm: false });
    const { client, epoch, media, begun } = await life.begin();
    life.ahead += 61_000;
    send(client, epoch, { from: 300, to: 400, begun });
    await sleep(1500);
    send(client, epoch, { from: 400, to: 450, begun });
    await sleep(500);
    expect(life.service.station.desk('live')?.packager.loudness).not.toBeNull();
    expect(await life.media()).toBe(media);
  });

  it('that nobody has asked for yet is not taken for the one before', async () => {
    life.set({ warm: false });
    const before = await life.begin();
    before.client.send({ type: 'bye' });
    await before.client.ended();
    await life.until(`${before.media}/${AAC}`, isEnded);
    life.ahead += 61_000;
    const { client, epoch } = await startPublisher(life.service);
    const begun = life.now - 6000;
    send(client, epoch, { from: 0, to: 300, begun });
    await sleep(1000);
    const first = life.get('/c/live/hls/index.m3u8');
    await life.ask();
    send(client, epoch, { from: 300, to: 550, begun });
    expect((await first).status).toBe(200);
    expect(await life.media()).not.toBe(before.media);
  });
});

describe('a segment that comes next', () => {
  it('and does not come is 503, not something that a cache keeps', async () => {
    const { media } = await life.begin();
    await life.restart(SHORT);
    const cut = await (await life.get(`${media}/opus/index.m3u8`)).text();
    const next = newestIn(cut) + 1;
    const answers = await Promise.all(
      [`${next}.m4s`, `${next}.0.m4s`].map((file) => life.get(`${media}/opus/${file}`)),
    );
    for (const answer of answers) {
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
      expect(answer.headers.get('cache-control')).not.toContain('immutable');
    }
  });

  it('and stops short breaks off', async () => {
    // Of twelve parts: the first silence after a publisher's last frame fills three at once.
    await life.restart();
    const { media } = await life.begin();
    const text = await (await life.get(`${media}/opus/index.m3u8`)).text();
    const answer = await life.get(`${media}/opus/${newestIn(text) + 1}.m4s`);
    expect(answer.status).toBe(200);
    const window = life.service.station
      .desk('live')
      ?.packager.programme?.outputs.get('opus')?.window;
    // Nobody can wait for the part after the next: who has waited lets go of a place, which is taken.
    const fill = (): void => {
      while (window?.onPart(() => {}));
    };
    window?.onPart(() => queueMicrotask(() => queueMicrotask(fill)));
    fill();
    await expect(answer.arrayBuffer()).rejects.toThrow('terminated');
  });
});
