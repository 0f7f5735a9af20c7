/** A service that goes away with everybody attached: they come back, and nothing is lost. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { lintDashReloads } from '../helpers/dash-linter.ts';
import { Ear } from '../helpers/ear.ts';
import { tellFault } from '../helpers/fault-line.ts';
import { lintReloads } from '../helpers/hls-sequence.ts';
import { listed, mediaTextOf } from '../helpers/hls-text.ts';
import { killOnAir } from '../helpers/killed-service.ts';
import { KnownPackets, packetsListed, recordedIn } from '../helpers/known-packets.ts';
import { type LiveService, startLiveService } from '../helpers/live-service.ts';
import { MediaPuller } from '../helpers/media-puller.ts';
import { untilTrue } from '../helpers/patience.ts';
import { RecordingClient } from '../helpers/recording-client.ts';
import { ReturningPublisher } from '../helpers/returning-publisher.ts';
import { TextPoller } from '../helpers/text-poller.ts';

const LISTENERS = 50;
const SEED = 4004;

const known = new KnownPackets({ seed: SEED });
const { packets } = known;
const cleanUp: (() => unknown)[] = [];
afterAll(async () => {
  for (const act of cleanUp.reverse()) await act();
});

/** Ends with the test, as the last thing that began does first. */
const owned = <Owned extends { close: () => void }>(one: Owned): Owned => {
  cleanUp.push(() => one.close());
  return one;
};
const pollerOf = (url: string): TextPoller => owned(new TextPoller(url));

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
  const ears = Array.from({ length: LISTENERS }, () => owned(new Ear(server)));

  const multivariant = async (): Promise<string> =>
    (await fetch(`${server}/c/live/hls/index.m3u8`)).text();
  await untilTrue(async () => /index\.m3u8/.test(await multivariant()));
  const secret = /media\/([^/]+)/.exec(await multivariant())?.[1] ?? '';
  const media = (file: string): string => `${server}/c/live/media/${secret}/${file}`;
  const aac = pollerOf(media('aac128/index.m3u8'));
  const opus = pollerOf(media('opus/index.m3u8'));
  const ts = pollerOf(media('aac64/ts.m3u8'));
  const dash = pollerOf(`${server}/c/live/dash/manifest.mpd`);
  const player = new MediaPuller(`${server}/c/live`, 'll-hls');
  await untilTrue(
    () => ears.every(({ heardAt }) => heardAt > 0) && dash.texts.length > 1 && player.media > 0,
  );

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
    const heard = await untilTrue(() => ears.every(({ heardAt }) => heardAt > ready));
    const grown = await untilTrue(async () => {
      const newest = listed(mediaTextOf(await aac.read())).at(-1);
      return newest !== undefined && newest.sequence > first;
    });
    const pulled = player.media;
    await untilTrue(() => player.media > pulled);
    tellFault(
      how,
      `ready ${Math.round(ready - begun)} ms after the start; then ${LISTENERS} listeners hear ` +
        `after ${Math.round(heard)} ms, the playlist grows after ${Math.round(heard + grown)} ms, ` +
        `an LL-HLS player has a new part after ${Math.round(performance.now() - ready)} ms`,
    );
  };

  await untilTrue(() => publisher.acked > 0);
  const { acknowledged, held } = await killOnAir(service, { data, publisher, packets });
  tellFault('kill -9', `${held} of ${acknowledged} acknowledged frames are on the disk`);
  expect(held).toBe(acknowledged);
  await goOn('kill -9');

  const told = performance.now();
  service.child.kill('SIGTERM');
  const [code] = await once(service.child, 'exit');
  const took = performance.now() - told;
  expect(code).toBe(0);
  expect(took).toBeLessThan(5000);
  tellFault('SIGTERM on the air', `exit after ${Math.round(took)} ms`);
  await goOn('SIGTERM');

  await publisher.finish();
  await untilTrue(async () => (await aac.read()).includes('#EXT-X-ENDLIST'), 2000);
  for (const poller of [opus, ts, dash]) await poller.read();
  expect(new Set(publisher.epochs).size).toBe(1);
  expect(publisher.epochs).toHaveLength(3);

  const recordings = new RecordingClient(() => ({ base: server, token }));
  const item = await recordings.final();
  const file = recordedIn(await recordings.fileOf(item));
  const judged = known.judge(file.packets, publisher.captured);
  tellFault(
    'kill -9 and SIGTERM: the recording',
    `${judged.present} of ${publisher.captured} frames, ${judged.repeated} twice, in ` +
      `${file.streams} stream, complete: ${item.complete} (seed ${SEED})`,
  );
  expect(judged).toEqual({
    present: publisher.captured,
    missing: 0,
    repeated: 0,
    foreign: 0,
  });
  expect([file.streams, file.whole, item.complete]).toEqual([1, true, true]);
  expect(await recordings.list()).toHaveLength(1);

  const siblings = ['../aac64/index.m3u8'];
  expect(lintReloads(aac.texts, { lowLatency: true, siblings })).toEqual([]);
  expect(lintReloads(opus.texts, { lowLatency: true })).toEqual([]);
  expect(lintReloads(ts.texts)).toEqual([]);
  expect(lintDashReloads(dash.texts)).toEqual([]);
  const segments = listed(mediaTextOf(aac.texts.at(-1) ?? ''));
  expect(segments.filter(({ discontinuity }) => discontinuity)).toHaveLength(2);

  // Every packet is in the Opus window, in order; kill -9 may cost the part that was not whole yet.
  const found = await packetsListed(opus.texts.at(-1) ?? '', opus.url);
  const numbers = found.flatMap((packet) => known.numberOf(packet) ?? []);
  const steps = numbers.slice(1).map((number, index) => number - (numbers[index] as number));
  const jumps = steps.filter((step) => step !== 1);
  console.log(
    `Opus window, seed ${SEED}: ${numbers.length} frames, jumps in their order: [${jumps}]`,
  );
  expect(jumps.length).toBeLessThanOrEqual(1);
  expect(Math.abs(jumps[0] ?? 1)).toBeLessThan(60);

  for (const [rendition, kind] of [
    ['aac128', 'm4s'],
    ['aac64', 'ts'],
  ])
    for (const { sequence } of segments)
      expect((await fetch(media(`${rendition}/${sequence}.${kind}`))).status).toBe(200);

  await player.stop();
  // Whoever asks twice does not want to wait.
  service.child.kill('SIGTERM');
  service.child.kill('SIGINT');
  expect(await once(service.child, 'exit')).toEqual([1, null]);
}, 90_000);
