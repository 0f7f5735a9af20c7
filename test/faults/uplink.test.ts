/** The line of the publisher: what is said while it is down is in the recording all the same. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ChaosProxy, startChaosProxy } from '../helpers/chaos-proxy.ts';
import { Ear } from '../helpers/ear.ts';
import { tellFault } from '../helpers/fault-line.ts';
import { lintReloads } from '../helpers/hls-sequence.ts';
import { listed, mediaTextOf } from '../helpers/hls-text.ts';
import { KnownPackets, packetsListed, recordedIn } from '../helpers/known-packets.ts';
import { untilTrue } from '../helpers/patience.ts';
import { RecordingClient } from '../helpers/recording-client.ts';
import { ReturningPublisher } from '../helpers/returning-publisher.ts';
import { startService, type TestService } from '../helpers/service.ts';
import { mediaPlaylistOf, TextPoller } from '../helpers/text-poller.ts';

const SEED = 4101;
const known = new KnownPackets({ seed: SEED });
const FRAME = 20;
const PART = 320;
/** The packager waits for 960 ms; a machine that is busy stalls for longer than it is told. */
const HELD = 930;

let service: TestService;
let proxy: ChaosProxy;
let publisher: ReturningPublisher;
let opus: TextPoller;
let ear: Ear;

beforeEach(async () => {
  service = await startService();
  proxy = await startChaosProxy(Number(new URL(service.base).port), { seed: SEED });
  const server = `http://127.0.0.1:${proxy.port}`;
  publisher = new ReturningPublisher({ server, token: service.token }, known);
  const multivariant = `${service.base}/c/live/hls/opus.m3u8`;
  await untilTrue(async () => (await mediaPlaylistOf(multivariant)) !== undefined);
  opus = new TextPoller((await mediaPlaylistOf(multivariant)) ?? '');
  ear = new Ear(service.base);
});
afterEach(async () => {
  ear.close();
  opus.close();
  publisher.end();
  await proxy.close();
  await service.stop();
});

/** Ends the broadcast; what became of every packet, in the recording and in HLS. */
const endAndJudge = async () => {
  await publisher.finish();
  await untilTrue(async () => (await opus.read()).includes('#EXT-X-ENDLIST'));
  const recordings = new RecordingClient(() => service);
  const item = await recordings.final();
  const file = recordedIn(await recordings.fileOf(item));
  const text = opus.texts.at(-1) ?? '';
  const segments = listed(mediaTextOf(text));
  return {
    file,
    complete: item.complete,
    recorded: known.judge(file.packets, publisher.captured),
    hls: known.judge(await packetsListed(text, opus.url), publisher.captured),
    breaks: segments.filter(({ discontinuity }) => discontinuity).length,
    findings: lintReloads(opus.texts, { lowLatency: true }),
  };
};

/** As published: every packet, to the bit, in order, once, in one stream. */
const expectWhole = ({ file, complete, recorded }: Awaited<ReturnType<typeof endAndJudge>>) => {
  const { captured } = publisher;
  expect(recorded).toEqual({ present: captured, missing: 0, repeated: 0, foreign: 0 });
  expect({ complete, streams: file.streams, whole: file.whole }).toEqual({
    complete: true,
    streams: 1,
    whole: true,
  });
  expect(new Set(publisher.epochs).size).toBe(1);
};

it('a line that stalls for 0.9 s leaves no trace', async () => {
  await untilTrue(() => ear.heard > 50);
  ear.listen();
  proxy.blackhole();
  await sleep(900);
  proxy.restore();
  await sleep(1500);
  const { pause } = ear;
  const judged = await endAndJudge();
  const { recorded, hls, breaks, findings } = judged;
  tellFault(
    'publisher’s line stalls for 0.9 s',
    `recording ${recorded.present} of ${publisher.captured} frames; HLS ${hls.missing} missing ` +
      `after ${Math.round(pause)} ms without a frame, ${breaks} discontinuities (seed ${SEED})`,
  );
  expectWhole(judged);
  expect({ breaks, findings, repeated: hls.repeated }).toEqual({
    breaks: 0,
    findings: [],
    repeated: 0,
  });
  const rest = PART / FRAME;
  // The last part is filled up, to the end of the grid.
  const filled = (rest - (publisher.captured % rest)) % rest;
  if (pause < HELD) expect(hls).toEqual({ ...recorded, foreign: filled });
  else expect(hls.missing * FRAME).toBeLessThanOrEqual(pause + PART);
});

it('a cut of 5 s is whole in the recording, and a gap of its own length in HLS', async () => {
  await sleep(1000);
  proxy.cut();
  const since = publisher.captured;
  await sleep(5000);
  proxy.restore();
  await untilTrue(() => publisher.epochs.length === 2);
  const gap = (publisher.captured - since) * FRAME;
  await sleep(2000);
  const judged = await endAndJudge();
  const { recorded, hls, breaks, findings } = judged;
  tellFault(
    'publisher cut for 5 s',
    `back after ${(gap / 1000).toFixed(2)} s; recording ${recorded.present} of ` +
      `${publisher.captured} frames, ${recorded.repeated} twice; HLS ${hls.missing * FRAME} ms ` +
      `missing, ${breaks} discontinuities (seed ${SEED})`,
  );
  expectWhole(judged);
  expect(hls.repeated).toBe(0);
  expect(hls.missing * FRAME).toBeLessThanOrEqual(gap + PART);
  expect(breaks).toBeLessThanOrEqual(1);
  expect(findings).toEqual([]);
});
