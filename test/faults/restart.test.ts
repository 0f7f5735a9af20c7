import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import opus from '@discordjs/opus';
import { afterAll, expect, it } from 'vitest';
import { Downlink } from '../../client/net/downlink.ts';
import { platform } from '../../client/net/platform.ts';
import { readParts } from '../../server/packager/fmp4-read.ts';
import type { DownlinkMessage } from '../../worklets/port.ts';
import { lintDashReloads } from '../helpers/dash-linter.ts';
import { lintReloads } from '../helpers/hls-sequence.ts';
import { listed, mediaTextOf } from '../helpers/hls-text.ts';
import { type LiveService, startLiveService } from '../helpers/live-service.ts';
import { ReturningPublisher } from '../helpers/returning-publisher.ts';
import { seededRandom } from '../helpers/seeded-random.ts';

const LISTENERS = 5;
const SEED = 4004;

/** A minute of noise as real Opus: no packet is like another, so that each can be found again. */
const packets = ((): Buffer[] => {
  const random = seededRandom(SEED);
  const encoder = new opus.OpusEncoder(48_000, 1);
  encoder.setBitrate(64_000);
  return Array.from({ length: 3000 }, () => {
    const pcm = Int16Array.from({ length: 960 }, () => (random() - 0.5) * 20_000);
    return encoder.encode(Buffer.from(pcm.buffer));
  });
})();
const cleanUp: (() => unknown)[] = [];
afterAll(async () => {
  for (const act of cleanUp.reverse()) await act();
});

/** A listener as on the page, without the speaker; knows when it last got a frame. */
class Ear {
  heardAt = 0;
  constructor(server: string) {
    const ports = new MessageChannel();
    ports.port2.onmessage = ({ data }: MessageEvent<DownlinkMessage>) => {
      if (data.type === 'frame') this.heardAt = performance.now();
    };
    const downlink = new Downlink(
      { type: 'listen', server, channel: 'live', port: ports.port1 },
      { post: () => {}, platform },
    );
    downlink.start();
    cleanUp.push(() => {
      downlink.leave();
      ports.port2.close();
    });
  }
}

/** Reads one text again and again; what a dead server does not answer is left out. */
class Poller {
  readonly texts: string[] = [];
  readonly #path: string;
  #reading: Promise<unknown> = Promise.resolve();
  #stopped = false;
  /** Answers other than 200 from a server that was ready. */
  refused = 0;

  constructor(path: string) {
    this.#path = path;
    void this.#poll();
    cleanUp.push(() => {
      this.#stopped = true;
    });
  }

  /** The text as it stands now; one request after the other, so that none overtakes another. */
  read(): Promise<string> {
    const reading = this.#reading.then(() => this.#fetch());
    this.#reading = reading.catch(() => {});
    return reading;
  }

  async #poll(): Promise<void> {
    for (; !this.#stopped; await pause(150)) await this.read().catch(() => {});
  }

  async #fetch(): Promise<string> {
    const answer = await fetch(this.#path);
    const text = await answer.text();
    if (answer.status !== 200) this.refused += 1;
    else if (text !== this.texts.at(-1)) this.texts.push(text);
    return answer.status === 200 ? text : '';
  }
}

const until = async (claim: () => boolean | Promise<boolean>, within = 20_000): Promise<number> => {
  const began = performance.now();
  while (!(await claim())) {
    if (performance.now() - began > within) throw new Error(`Never true: ${claim}`);
    await pause(10);
  }
  return performance.now() - began;
};

it('a restart, orderly or not, goes on in the same broadcast, window and playlist', async () => {
  const data = await mkdtemp(join(tmpdir(), 'skywave-restart-'));
  cleanUp.push(() => rm(data, { recursive: true, force: true }));
  let service: LiveService = await startLiveService({ SKYWAVE_DATA: data });
  cleanUp.push(() => service.stop());
  const { port } = service;
  const server = `http://127.0.0.1:${port}`;
  const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
  const publisher = new ReturningPublisher({ server, token }, { packets });
  cleanUp.push(() => publisher.end());
  const ears = Array.from({ length: LISTENERS }, () => new Ear(server));

  const multivariant = async (): Promise<string> =>
    (await fetch(`${server}/c/live/hls/index.m3u8`)).text();
  await until(async () => /index\.m3u8/.test(await multivariant()));
  const secret = /media\/([^/]+)/.exec(await multivariant())?.[1] ?? '';
  const media = (file: string): string => `${server}/c/live/media/${secret}/${file}`;
  const aac = new Poller(media('aac128/index.m3u8'));
  const opus = new Poller(media('opus/index.m3u8'));
  const ts = new Poller(media('aac64/ts.m3u8'));
  const dash = new Poller(`${server}/c/live/dash/manifest.mpd`);
  await until(() => ears.every(({ heardAt }) => heardAt > 0) && dash.texts.length > 1);

  const goOn = async (how: string): Promise<void> => {
    const begun = performance.now();
    const refused = [aac, opus, ts, dash].map((poller) => poller.refused);
    service = await startLiveService({ SKYWAVE_DATA: data, SKYWAVE_PORT: String(port) });
    const ready = performance.now();
    expect((await fetch(`${server}/readyz`)).status).toBe(200);
    const before = listed(mediaTextOf(aac.texts.at(-1) ?? '')).at(-1)?.sequence ?? 0;
    const first = listed(mediaTextOf(await aac.read())).at(-1)?.sequence ?? 0;
    expect(first).toBeGreaterThanOrEqual(before);
    for (const poller of [opus, ts, dash]) expect(await poller.read()).not.toBe('');
    expect([aac, opus, ts, dash].map((poller) => poller.refused)).toEqual(refused);
    const heard = await until(() => ears.every(({ heardAt }) => heardAt > ready));
    const grown = await until(async () => {
      const newest = listed(mediaTextOf(await aac.read())).at(-1);
      return newest !== undefined && newest.sequence > first;
    });
    console.log(
      `${how}: ready ${Math.round(ready - begun)} ms after the start, all listeners hear ` +
        `${Math.round(heard)} ms later, the playlist grows after ${Math.round(heard + grown)} ms`,
    );
  };

  service.child.kill('SIGKILL');
  await once(service.child, 'exit');
  await goOn('kill -9');

  const told = performance.now();
  service.child.kill('SIGTERM');
  const [code] = await once(service.child, 'exit');
  const took = performance.now() - told;
  expect(code).toBe(0);
  expect(took).toBeLessThan(5000);
  console.log(`SIGTERM on the air: exit after ${Math.round(took)} ms`);
  await goOn('SIGTERM');

  publisher.end();
  await until(async () => (await aac.read()).includes('#EXT-X-ENDLIST'), 2000);
  for (const poller of [opus, ts, dash]) await poller.read();
  expect(new Set(publisher.epochs).size).toBe(1);
  expect(publisher.epochs).toHaveLength(3);

  const siblings = ['../aac64/index.m3u8'];
  expect(lintReloads(aac.texts, { lowLatency: true, siblings })).toEqual([]);
  expect(lintReloads(opus.texts, { lowLatency: true })).toEqual([]);
  expect(lintReloads(ts.texts)).toEqual([]);
  expect(lintDashReloads(dash.texts)).toEqual([]);
  const segments = listed(mediaTextOf(aac.texts.at(-1) ?? ''));
  expect(segments.filter(({ discontinuity }) => discontinuity)).toHaveLength(2);

  // Every packet is in the Opus window, in order; kill -9 may cost the part that was not whole yet.
  const all = listed(mediaTextOf(opus.texts.at(-1) ?? ''));
  const numbers: number[] = [];
  const names = new Map(packets.map((packet, index) => [packet.toString('latin1'), index]));
  for (const { uri } of all) {
    const bytes = Buffer.from(await (await fetch(media(`opus/${uri}`))).arrayBuffer());
    for (const { units } of readParts(bytes))
      for (const unit of units) {
        const number = names.get(Buffer.from(unit.bytes).toString('latin1'));
        if (number !== undefined) numbers.push(number);
      }
  }
  const steps = numbers.slice(1).map((number, index) => number - (numbers[index] as number));
  const jumps = steps.filter((step) => step !== 1);
  console.log(`seed ${SEED}: ${numbers.length} frames, jumps in their order: [${jumps}]`);
  expect(jumps.length).toBeLessThanOrEqual(1);
  expect(Math.abs(jumps[0] ?? 1)).toBeLessThan(60);

  for (const [rendition, kind] of [
    ['aac128', 'm4s'],
    ['aac64', 'ts'],
  ])
    for (const { sequence } of segments)
      expect((await fetch(media(`${rendition}/${sequence}.${kind}`))).status).toBe(200);

  // Whoever asks twice does not want to wait.
  service.child.kill('SIGTERM');
  service.child.kill('SIGINT');
  expect(await once(service.child, 'exit')).toEqual([1, null]);
}, 90_000);
