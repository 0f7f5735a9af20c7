/** The server's wall clock is set while it is on the air: media goes by a clock that is never set. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lintDashReloads } from '../helpers/dash-linter.ts';
import { tellFault } from '../helpers/fault-line.ts';
import { lintReloads } from '../helpers/hls-sequence.ts';
import { listed, mediaTextOf } from '../helpers/hls-text.ts';
import { KnownPackets, recordedIn } from '../helpers/known-packets.ts';
import { alarmBegins, goOnAir, heardBy, type OnAir } from '../helpers/on-air.ts';
import { untilTrue } from '../helpers/patience.ts';
import { residentOf } from '../helpers/process-memory.ts';
import { TestClient } from '../helpers/service.ts';
import { mediaPlaylistOf, TextPoller } from '../helpers/text-poller.ts';
import { WallClock } from '../helpers/wall-clock.ts';

const SEED = 4109;
const known = new KnownPackets({ seed: SEED });
const HOUR = 3600;
/** Sockets are looked after every 5 s: each step is followed by a round at least, ms. */
const ROUND = 6000;
/** What a service may grow by meanwhile, MiB: its heap breathes. */
const BREATH = 64;
/** What the service says of the time may differ so much from what it is, ms. */
const OFF_MOST = 5000;

let clock: WallClock | undefined;
let on: OnAir | undefined;

beforeAll(async () => {
  clock = await WallClock.make();
  if (clock === undefined) return;
  on = await goOnAir(known, { environment: { ...clock.environment, SKYWAVE_LOG_LEVEL: 'info' } });
});
afterAll(async () => {
  await on?.stop();
  await clock?.dispose();
});

/** How far the time of day is off that the service's log has, s. */
const offInLog = async ({ service, base }: OnAir): Promise<number> => {
  let text = '';
  service.child.stdout?.on('data', (part: Buffer) => {
    text += part.toString();
  });
  new TestClient(`${base}/api/v1/channels/live/listen`).socket.on('open', function () {
    this.terminate();
  });
  const written = (): number => Number(/"time":(\d+)/.exec(text)?.[1]);
  await untilTrue(() => written() > 0);
  return Math.round((written() - Date.now()) / 1000);
};

/** The times of day that the service gives away, each as far as it is off, ms. */
const offIn = async (base: string): Promise<Record<'date' | 'dash', number>> => {
  const answer = await fetch(`${base}/c/live/dash/time`);
  const told = await answer.text();
  return {
    date: Date.parse(answer.headers.get('date') ?? '') - Date.now(),
    dash: Date.parse(told) - Date.now(),
  };
};

it('a wall clock that is set by an hour, forward and back, changes nothing', async (context) => {
  if (clock === undefined || on === undefined) {
    tellFault('wall clock set', 'not measured: there is no libfaketime');
    return context.skip('there is no libfaketime');
  }
  const { base, ears, events, pid, publisher, recordings, service } = on;
  const pollers = await Promise.all(
    ['index', 'opus'].map(async (name) => {
      const multivariant = `${base}/c/live/hls/${name}.m3u8`;
      await untilTrue(async () => (await mediaPlaylistOf(multivariant)) !== undefined);
      return new TextPoller((await mediaPlaylistOf(multivariant)) ?? '');
    }),
  );
  const dash = new TextPoller(`${base}/c/live/dash/manifest.mpd`);
  const atRest = residentOf(pid);
  for (const ear of ears) ear.listen();
  const seen: number[] = [];
  for (const off of [HOUR, -HOUR]) {
    clock.step(off);
    await sleep(ROUND);
    seen.push(await offInLog(on));
    for (const [where, by] of Object.entries(await offIn(base)))
      expect(Math.abs(by), `${where}, clock ${off} s off`).toBeLessThan(OFF_MOST);
  }
  const { pause, missed } = heardBy(ears);
  const grown = residentOf(pid) - atRest;
  const alarms = events.events.filter(({ event }) => event === 'alarm').length;

  await publisher.finish();
  const ended = Date.now();
  const [aac, opus] = pollers as [TextPoller, TextPoller];
  await untilTrue(async () => (await aac.read()).includes('#EXT-X-ENDLIST'));
  for (const poller of [opus, dash]) await poller.read();
  for (const poller of [aac, opus, dash]) poller.close();
  const item = await recordings.final();
  const file = recordedIn(await recordings.fileOf(item));
  const judged = known.judge(file.packets, publisher.captured);
  tellFault(
    'wall clock set an hour forward, then two back',
    `${ears.length} listeners missed ${missed} frames, longest pause ${Math.round(pause)} ms; ` +
      `the log was off by ${seen.join(' and ')} s; welcomed ${publisher.epochs.length} time; ` +
      `${alarms} alarms; service grew by ${grown.toFixed(1)} MiB; recording ${judged.present} of ` +
      `${publisher.captured} frames, complete: ${item.complete} (seed ${SEED})`,
  );
  // The service's process has seen the steps; the log is all that goes by the wall clock.
  for (const [index, off] of [HOUR, -HOUR].entries())
    expect(Math.abs((seen[index] ?? 0) - off)).toBeLessThan(OFF_MOST / 1000);
  expect(service.child.exitCode).toBeNull();
  expect(missed).toBe(0);
  expect(publisher.epochs).toHaveLength(1);
  expect(events.events.filter(alarmBegins('transcoder'))).toEqual([]);
  expect(grown).toBeLessThan(BREATH);
  expect(judged).toEqual({ present: publisher.captured, missing: 0, repeated: 0, foreign: 0 });
  expect([item.complete, file.streams, file.whole]).toEqual([true, 1, true]);

  expect(lintReloads(aac.texts, { lowLatency: true, siblings: ['../aac64/index.m3u8'] })).toEqual(
    [],
  );
  expect(lintReloads(opus.texts, { lowLatency: true })).toEqual([]);
  expect(lintDashReloads(dash.texts)).toEqual([]);
  const segments = listed(mediaTextOf(opus.texts.at(-1) ?? ''));
  expect(segments.filter(({ discontinuity }) => discontinuity)).toEqual([]);
  for (const [index, { date, duration }] of segments.entries()) {
    const next = segments[index + 1]?.date ?? ended;
    const end = (date ?? 0) + 1000 * (duration ?? 0);
    expect(Math.abs(next - end)).toBeLessThan(index + 1 < segments.length ? 50 : OFF_MOST);
  }
});
