/** kill -9 of a service with fifty listeners and other people's players: nobody has to click. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { launchChromium, newListeningContext } from '../helpers/chromium.ts';
import { Ear } from '../helpers/ear.ts';
import { tellFault } from '../helpers/fault-line.ts';
import { lintReloads } from '../helpers/hls-sequence.ts';
import { listed, mediaTextOf } from '../helpers/hls-text.ts';
import { killOnAir } from '../helpers/killed-service.ts';
import { KnownPackets, recordedIn } from '../helpers/known-packets.ts';
import { startLiveService } from '../helpers/live-service.ts';
import { untilTrue } from '../helpers/patience.ts';
import { openPlayer, type PlayerName, servePlayers } from '../helpers/player-page.ts';
import { playWith } from '../helpers/player-programs.ts';
import { returnOf } from '../helpers/player-return.ts';
import { LOW_LATENCY } from '../helpers/player-settings.ts';
import { RecordingClient } from '../helpers/recording-client.ts';
import { ReturningPublisher } from '../helpers/returning-publisher.ts';
import { mediaPlaylistOf, TextPoller } from '../helpers/text-poller.ts';

const LISTENERS = 50;
const SEED = 4008;
/** 3 s from readiness on are promised, ms; players and listeners share this machine's cores. */
const BOUND = 2 * 3000;
/** A machine that takes longer to start the service is too busy to be held to that, ms. */
const QUICK = 2500;
/** Players find their place first; who has played on for so long afterwards plays on. */
const SETTLE = 6000;
const PLAYS_ON = 4000;
const PATIENCE = 30_000;
/** Sound that ffmpeg plays afterwards at least, s. */
const PLAYED = 4;

const PLAYERS: readonly { readonly player: PlayerName; readonly path: string }[] = [
  { player: 'hls.js', path: 'hls/index.m3u8' },
  { player: 'shaka', path: 'hls/index.m3u8' },
  { player: 'dash.js', path: 'dash/manifest.mpd' },
];

const cleanUp: (() => unknown)[] = [];
afterAll(async () => {
  for (const act of cleanUp.reverse()) await act();
});

it('listeners and players hear new sound within 3 s of a kill -9, without a click', async () => {
  const known = new KnownPackets({ seed: SEED });
  const data = await mkdtemp(join(tmpdir(), 'skywave-killed-'));
  cleanUp.push(() => rm(data, { recursive: true, force: true }));
  let service = await startLiveService({ SKYWAVE_DATA: data });
  cleanUp.push(() => service.stop());
  const { port } = service;
  const server = `http://127.0.0.1:${port}`;
  const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
  const publisher = new ReturningPublisher({ server, token }, known);
  cleanUp.push(() => publisher.end());
  const ears = Array.from({ length: LISTENERS }, () => new Ear(server));
  cleanUp.push(() => {
    for (const ear of ears) ear.close();
  });
  const multivariant = `${server}/c/live/hls/index.m3u8`;
  await untilTrue(async () => (await mediaPlaylistOf(multivariant)) !== undefined);
  const playlist = new TextPoller((await mediaPlaylistOf(multivariant)) ?? '');
  cleanUp.push(() => playlist.close());

  const [pages, browser] = await Promise.all([servePlayers(), launchChromium()]);
  cleanUp.push(
    () => pages.stop(),
    () => browser.close(),
  );
  const players = await Promise.all(
    PLAYERS.map(async ({ player, path }) =>
      openPlayer(await newListeningContext(browser), pages, {
        ...{ player, url: `${server}/c/live/${path}` },
        settings: { config: LOW_LATENCY[player] },
      }),
    ),
  );
  await sleep(SETTLE);
  await untilTrue(() => ears.every(({ heard }) => heard > 0) && publisher.acked > 0);

  const killed = Date.now();
  const { packets } = known;
  const { acknowledged, held } = await killOnAir(service, { data, publisher, packets });
  service = await startLiveService({ SKYWAVE_DATA: data, SKYWAVE_PORT: String(port) });
  await untilTrue(async () => (await fetch(`${server}/readyz`)).status === 200);
  const ready = Date.now();
  const heard = ears.map(({ heard }) => heard);
  const hear = await untilTrue(() => ears.every((ear, at) => ear.heard > (heard[at] ?? 0)));
  const folder = await mkdtemp(join(tmpdir(), 'skywave-played-'));
  cleanUp.push(() => rm(folder, { recursive: true, force: true }));
  // It counts by timestamps, in which the time without a service is, too.
  const seconds = PLAYED + Math.ceil((Date.now() - killed) / 1000);
  const played = await playWith('ffmpeg', multivariant, { folder, seconds, within: 20 });
  const returns = () =>
    Promise.all(
      players.map(async ({ player, log }) => ({
        ...{ player, ...returnOf(await log(), { killed, ready }) },
      })),
    );
  const playOn = async (): Promise<boolean> =>
    (await returns()).every(({ plays, fatal }) => plays > PLAYS_ON || fatal.length > 0);
  // Who never plays on is told with the others.
  await untilTrue(playOn, PATIENCE).catch(() => {});
  const back = await returns();
  if (process.env.PLAYER_LOG)
    for (const { player, log } of players) console.log(player, JSON.stringify(await log()));

  await publisher.finish();
  await untilTrue(async () => (await playlist.read()).includes('#EXT-X-ENDLIST'));
  const recordings = new RecordingClient(() => ({ base: server, token }));
  const item = await recordings.final();
  const recorded = known.judge(
    recordedIn(await recordings.fileOf(item)).packets,
    publisher.captured,
  );
  tellFault(
    `kill -9 with ${LISTENERS} listeners and players`,
    `ready after ${ready - killed} ms; then ${LISTENERS} listeners hear after ${Math.round(hear)} ms; ` +
      back
        .map(
          ({ player, back, stood }) =>
            `${player} plays on after ${Math.round(back)} ms (stood still ${stood} ms)`,
        )
        .join(', ') +
      `; ffmpeg played ${played.seconds.toFixed(1)} s in ${played.took.toFixed(1)} s; ` +
      `${held} of ${acknowledged} acknowledged frames on the disk, recording ` +
      `${recorded.present} of ${publisher.captured} frames (seed ${SEED})`,
  );
  expect(held).toBe(acknowledged);
  const { captured } = publisher;
  expect(recorded).toEqual({ present: captured, missing: 0, repeated: 0, foreign: 0 });
  expect(item.complete).toBe(true);
  const most = ready - killed < QUICK ? BOUND : PATIENCE;
  expect(hear).toBeLessThan(most);
  for (const { player, back: after, fatal } of back) {
    expect(fatal, player).toEqual([]);
    expect(after, player).toBeLessThan(most);
  }
  expect(played.seconds).toBeGreaterThanOrEqual(PLAYED);
  // A media sequence that goes back is a finding like any other.
  expect(
    lintReloads(playlist.texts, { lowLatency: true, siblings: ['../aac64/index.m3u8'] }),
  ).toEqual([]);
  expect(
    listed(mediaTextOf(playlist.texts.at(-1) ?? '')).filter((s) => s.discontinuity),
  ).toHaveLength(1);
}, 90_000);
