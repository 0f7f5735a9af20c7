/** Players that come before there is anything to play: what begins just now is waited for. */
import { get } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FirstSegments } from '../../server/packager/first-segments.ts';
import { millis, samples } from '../../shared/time.ts';
import { HandClock } from '../helpers/hand-clock.ts';
import { startPublisher } from '../helpers/service.ts';
import { send, sleep, WindowLife } from './window-life.ts';

/** Segments of 0.96 s. */
const SHORT = { grid: { part: samples(15_360), segment: samples(46_080) } };
const THREE = [128, 96, 64].map((rate) => ({
  name: `aac${rate}`,
  codec: 'aac' as const,
  channels: 2 as const,
  bitrate: rate * 1000,
}));
const ADDRESSES = ['hls/index.m3u8', 'hls/opus.m3u8', 'hls/ts.m3u8', 'dash/manifest.mpd'];

describe('a player that comes as a broadcast begins', () => {
  let life: WindowLife;
  beforeEach(async () => {
    life = await WindowLife.open(SHORT);
  });
  afterEach(() => life.close());

  const waiting = (): number => life.service.station.desk('live')?.packager.programme?.awaited ?? 0;
  /** On the air by its first frames; the others are still to be spoken. */
  const begin = async (): Promise<() => void> => {
    const { client, epoch } = await startPublisher(life.service);
    const begun = life.now - 6000;
    send(client, epoch, { from: 0, to: 5, begun });
    await expect.poll(() => life.service.station.desk('live')?.channel.onAir).toBe(true);
    return () => send(client, epoch, { from: 5, to: 300, begun });
  };
  const ask = (): Promise<Response[]> =>
    Promise.all(ADDRESSES.map((address) => life.get(`/c/live/${address}`)));

  it.each([true, false])('gets all there is with its first request (warm: %s)', async (warm) => {
    life.set({ warm });
    const goOn = await begin();
    const answers = ask();
    await expect.poll(waiting).toBe(ADDRESSES.length);
    goOn();
    expect((await answers).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const [aac = '', opus = '', ts = '', manifest = ''] = await Promise.all(
      (await answers).map((answer) => answer.text()),
    );
    for (const playlist of [aac, ts])
      expect([playlist.includes('aac128/'), playlist.includes('aac64/')]).toEqual([true, true]);
    expect(opus).toContain('opus/index.m3u8');
    expect(manifest.match(/<Representation/g)).toHaveLength(3);
    expect(waiting()).toBe(0);
  });

  it('whose publisher falls silent at once gets that silence', async () => {
    await begin();
    expect((await ask()).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  it('of a channel that never ends waits for its silence', async () => {
    life.set({ continuous: true });
    await expect.poll(() => life.service.station.desk('live')?.packager.programme).toBeDefined();
    expect((await ask()).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  it('and leaves is forgotten', async () => {
    await begin();
    const request = get(`${life.service.base}/c/live/hls/index.m3u8`).on('error', () => undefined);
    await expect.poll(waiting).toBe(1);
    request.destroy();
    await expect.poll(waiting, { timeout: 500, interval: 10 }).toBe(0);
  });

  it('is let go when its programme is', async () => {
    await begin();
    const answers = ask();
    await expect.poll(waiting).toBe(ADDRESSES.length);
    // Without the pause of an orderly stop, which makes whole segments.
    await life.service.station.desk('live')?.packager.close();
    expect(waiting()).toBe(0);
    expect((await answers).map(({ status }) => status)).toEqual([404, 404, 404, 404]);
  });

  it('after a restart, with a rendition more than before, waits for none', async () => {
    life.set({ continuous: true });
    await life.begin();
    await life.restart({ ...SHORT, ladder: THREE });
    const answer = life.get('/c/live/hls/index.m3u8');
    expect(await Promise.race([answer.then(({ status }) => status), sleep(700)])).toBe(200);
  });

  it('as a broadcast ends before it has a whole segment gets that', async () => {
    const { client, epoch } = await startPublisher(life.service);
    send(client, epoch, { from: 0, to: 20, begun: life.now - 400 });
    await expect.poll(() => life.service.station.desk('live')?.channel.onAir).toBe(true);
    client.send({ type: 'bye' });
    await client.ended();
    expect((await ask()).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });
});

describe('those who wait', () => {
  it('wait no longer than they said, in no larger number than is allowed, and not once all is closed', async () => {
    const clock = new HandClock();
    const first = new FirstSegments(clock, 2);
    const answered: string[] = [];
    const wait = (name: string, ready = false) => {
      const { begun } = first.wait(() => ready, millis(4000));
      void begun.then(() => answered.push(name));
    };
    const told = async (): Promise<string[]> => {
      await Promise.resolve();
      return answered.splice(0);
    };
    wait('ready', true);
    wait('one');
    clock.pass(1000);
    wait('two');
    wait('too many');
    expect(await told()).toEqual(['ready', 'too many']);
    first.tell();
    clock.pass(3000);
    expect([await told(), first.size, clock.timers]).toEqual([['one'], 1, 1]);
    first.close();
    wait('closed');
    expect([await told(), first.size, clock.timers]).toEqual([['two', 'closed'], 0, 0]);
  });
});
