/**
 * A broadcast that is abused by every fault, again and again at random but seeded times. In the end
 * its recording must hold every packet that was published, once, in order and to the bit, and the
 * measuring signal in it must be whole.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AbusedBroadcast, type Fault } from '../helpers/abuse.ts';
import { findBursts } from '../helpers/burst-detector.ts';
import { checkFrames } from '../helpers/frame-check.ts';
import { ReloadLinter } from '../helpers/hls-sequence.ts';
import { KnownPackets, recordedIn } from '../helpers/known-packets.ts';
import { IDENTITIES, measuringSignal } from '../helpers/measuring-signal.ts';
import { residentOf } from '../helpers/process-memory.ts';
import { RecordingClient } from '../helpers/recording-client.ts';
import { seededRandom } from '../helpers/seeded-random.ts';
import { describeWarnings } from '../helpers/service-warnings.ts';
import { mediaPlaylistOf } from '../helpers/text-poller.ts';
import { decodeOpus } from '../server/transcoder/sound.ts';
import { type Claim, judge } from './verdict.ts';

const SEED = 20_261_122;
const LISTENERS = 20;
const RATE = 48_000;
/** Of the whole run at most this share is a fault that lasts for long. */
const LONG_SHARE = 0.25;
const LONG = 30_000;
const RELOAD_EVERY = 300;
const FINDINGS_SHOWN = 10;
/** Packets that are decoded and judged at once; they overlap by what a decoder needs to settle. */
const JUDGED = 3200;
const OVERLAP = 200;

const say = (sentence: string): void => {
  process.stdout.write(`  ${sentence}\n`);
};

/** Follows a playlist over every restart, and keeps what the linter finds. */
const follow = (multivariant: string, siblings: readonly string[]) => {
  const linter = new ReloadLinter({ lowLatency: true, siblings });
  const findings: string[] = [];
  let [last, reloads, over] = ['', 0, false];
  const loop = (async () => {
    for (let url: string | undefined; !over; await sleep(RELOAD_EVERY))
      try {
        url ??= await mediaPlaylistOf(multivariant);
        if (url === undefined) continue;
        const answer = await fetch(url);
        const text = await answer.text();
        if (answer.status !== 200 || text === last) continue;
        last = text;
        reloads += 1;
        findings.push(...linter.next(text).map(({ rule, sentence }) => `${rule}: ${sentence}`));
      } catch {
        // A service that is dead has no playlist.
      }
  })();
  return {
    stop: async () => {
      over = true;
      await loop;
      return { findings, reloads };
    },
  };
};

/** Frames of the measuring signal in a recording that are not there as they should be. */
const damagedIn = (packets: readonly Buffer[]): { judged: number; damaged: number } => {
  let [judged, damaged] = [0, 0];
  for (let from = 0; from + OVERLAP < packets.length; from += JUDGED - OVERLAP) {
    const pcm = decodeOpus(packets.slice(from, from + JUDGED));
    const frames = checkFrames(pcm, RATE, findBursts(pcm, RATE)).filter(({ time }) => time > 2000);
    judged += frames.length;
    damaged += frames.filter(({ verdict }) => verdict !== 'present').length;
  }
  return { judged, damaged };
};

const shuffled = <T>(list: readonly T[], random: () => number): T[] =>
  list
    .map((one) => ({ one, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ one }) => one);

/** What was seen of one kind of fault: how often, and the longest way back, ms. */
type Seen = { times: number; heard: number; acked: number };

/** Does faults until the time is over, each kind once a round. */
const abuse = async (broadcast: AbusedBroadcast, length: number): Promise<Map<string, Seen>> => {
  const random = seededRandom(SEED);
  const seen = new Map<string, Seen>();
  const begun = performance.now();
  const left = (): number => length - (performance.now() - begun);
  const fits = ({ lasts }: Fault): boolean =>
    lasts < LONG ? lasts + 5000 < left() : lasts < LONG_SHARE * length && lasts + 15_000 < left();
  while (left() > 10_000)
    for (const fault of shuffled(broadcast.faults, random)) {
      await sleep(Math.max(0, Math.min(2000 + 10_000 * random(), left() - 10_000)));
      if (!fits(fault)) continue;
      const at = (performance.now() - begun) / 1000;
      await fault.act();
      const { heard, acked } = await broadcast.recovered();
      const known = seen.get(fault.name) ?? { times: 0, heard: 0, acked: 0 };
      seen.set(fault.name, {
        times: known.times + 1,
        heard: Math.max(known.heard, heard),
        acked: Math.max(known.acked, acked),
      });
      say(
        `${at.toFixed(0).padStart(5)} s  ${fault.name.padEnd(28)} all hear after ` +
          `${Math.round(heard)} ms, more is recorded after ${Math.round(acked)} ms; ` +
          `${residentOf(broadcast.pid).toFixed(0)} MiB`,
      );
    }
  return seen;
};

/** Runs for `minutes`; the seed says what happens when. */
export const run = async ({ minutes = 30 }: { minutes?: number } = {}): Promise<void> => {
  const known = new KnownPackets({
    ...{ seed: SEED, count: 4 * IDENTITIES * 50 },
    signal: measuringSignal(IDENTITIES),
  });
  const broadcast = await AbusedBroadcast.start(known, { listeners: LISTENERS, seed: SEED });
  const { base, token, publisher } = broadcast;
  const playlists = [
    follow(`${base}/c/live/hls/index.m3u8`, ['../aac64/index.m3u8']),
    follow(`${base}/c/live/hls/opus.m3u8`, []),
  ];
  const claims: Claim[] = [];
  const claim = (name: string, value: number, most = 0, unit = ''): void => {
    claims.push({ name, value, most, unit });
  };
  try {
    for (const line of broadcast.omitted) say(`Not done: ${line}.`);
    const seen = await abuse(broadcast, minutes * 60_000);
    await publisher.finish();
    const recordings = new RecordingClient(() => ({ base, token }));
    const item = await recordings.final();
    const file = recordedIn(await recordings.fileOf(item));
    // Before the minutes of judging, in which the connection would be closed for having been idle.
    const others = (await recordings.list()).length - 1;
    const { captured, epochs } = publisher;
    const found = known.judge(file.packets, captured);
    const signal = damagedIn(file.packets);
    say(
      `seed ${SEED}; the publisher was welcomed ${epochs.length} times in ${new Set(epochs).size} epoch`,
    );
    say(
      `${found.present} of ${captured} packets; the tool judged ${signal.judged} frames of sound`,
    );
    for (const [name, { times, heard, acked }] of seen)
      say(
        `${name.padEnd(28)} ${times} times; at most ${(heard / 1000).toFixed(2)} s until all hear, ` +
          `${(acked / 1000).toFixed(2)} s until more is recorded`,
      );
    // A short run has no time for all of them, and says so.
    const undone = broadcast.faults.filter(({ name }) => !seen.has(name));
    if (undone.length > 0) say(`Not done: ${undone.map(({ name }) => name).join(', ')}.`);
    claim('kinds of fault not done', undone.length, minutes < 10 ? broadcast.faults.length : 0);
    claim('packets missing from the recording', found.missing);
    claim('packets twice or out of order', found.repeated);
    claim('packets that nobody published', found.foreign);
    claim('logical streams besides one', file.streams - 1);
    claim('recordings besides one', others);
    claim('epochs besides one', new Set(epochs).size - 1);
    claim('recordings not called complete', item.complete === true ? 0 : 1);
    claim('frames of the measuring signal damaged', signal.damaged);
    claim(
      'longest way back of a listener',
      Math.max(...[...seen.values()].map(({ heard }) => heard / 1000)),
      10,
      's',
    );
    for (const [index, playlist] of playlists.entries()) {
      const { findings, reloads } = await playlist.stop();
      const name = ['AAC', 'Opus'][index];
      claim(`${name} playlist: findings in ${reloads} reloads`, findings.length);
      for (const finding of findings.slice(0, FINDINGS_SHOWN)) say(`${name}: ${finding}`);
    }
  } finally {
    await Promise.all(playlists.map((playlist) => playlist.stop()));
    await broadcast.close();
  }
  process.stdout.write(describeWarnings(broadcast.warnings.flat(), 20));
  judge(claims);
};
