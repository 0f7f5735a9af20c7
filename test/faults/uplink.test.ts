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
/** No more than half of a cycle may be missing from a playlist, and a minute is. */
const known = new KnownPackets({ seed: SEED, count: 9000 });
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
  // The whole broadcast stays in the playlists, so that what is missing from them was never there.
  service = await startService({ window: 300 });
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

/** A stall of the line, then a cut; frames said by the beginning of each, and its length. */
const maltreat = async (seconds: number) => {
  await untilTrue(() => ear.heard > 50);
  ear.listen();
  proxy.blackhole();
  await sleep(900);
  proxy.restore();
  await sleep(1200);
  const { pause } = ear;
  const cutAt = publisher.captured;
  proxy.cut();
  await sleep(seconds * 1000);
  proxy.restore();
  // A minute of replay comes first; the gap is over when what is said now is heard again.
  await untilTrue(() => ear.newest > publisher.captured - PART / FRAME);
  const gap = (publisher.captured - cutAt) * FRAME;
  await sleep(1000);
  return { pause, cutAt, gap };
};

it.each([5, 60])(
  'what is said while the line stalls or is cut for %d s is recorded, and HLS lacks that at most',
  async (seconds) => {
    const { pause, cutAt, gap } = await maltreat(seconds);
    await publisher.finish();
    const { captured, epochs } = publisher;
    await untilTrue(async () => (await opus.read()).includes('#EXT-X-ENDLIST'));
    const recordings = new RecordingClient(() => service);
    const item = await recordings.final();
    const file = recordedIn(await recordings.fileOf(item));
    const recorded = known.judge(file.packets, captured);

    const text = opus.texts.at(-1) ?? '';
    const listedPackets = await packetsListed(text, opus.url);
    const hls = known.judge(listedPackets, captured);
    // What was said a part before the cut can have been published no more.
    const early = cutAt - PART / FRAME;
    const before = known.judge(listedPackets, early);
    const breaks = listed(mediaTextOf(text)).filter(({ discontinuity }) => discontinuity).length;
    const inCut = (hls.missing - before.missing) * FRAME;
    tellFault(
      'publisher’s line stalls for 0.9 s',
      `${Math.round(pause)} ms without a frame; HLS ${before.missing * FRAME} ms missing`,
    );
    tellFault(
      `publisher cut for ${seconds} s`,
      `back after ${(gap / 1000).toFixed(2)} s; HLS ${inCut} ms missing, ${breaks} ` +
        `discontinuities; recording of both faults ${recorded.present} of ${captured} frames, ` +
        `${recorded.repeated} twice, complete: ${item.complete} (seed ${SEED})`,
    );
    expect(recorded).toEqual({ present: captured, missing: 0, repeated: 0, foreign: 0 });
    expect([item.complete, file.streams, file.whole]).toEqual([true, 1, true]);
    expect(new Set(epochs).size).toBe(1);
    if (pause < HELD) expect(before.missing).toBe(0);
    else expect(before.missing * FRAME).toBeLessThanOrEqual(pause + PART);
    expect(inCut).toBeLessThanOrEqual(gap + PART);
    expect(hls.repeated).toBe(0);
    expect(breaks).toBeLessThanOrEqual(1);
    expect(lintReloads(opus.texts, { lowLatency: true })).toEqual([]);
  },
  120_000,
);
