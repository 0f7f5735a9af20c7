import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Journal } from '../../../server/recorder/journal.ts';
import { Channel } from '../../../server/relay/channel.ts';
import { type Archive, TimeShift } from '../../../server/relay/time-shift.ts';
import type { Frame } from '../../../shared/frame.ts';
import { utc } from '../../../shared/time.ts';
import { frameOf, realPackets } from '../../helpers/opus-frames.ts';

const PACKETS = realPackets(50);
const frames = (from: number, to: number): Frame[] =>
  Array.from({ length: to - from }, (_, index) =>
    frameOf(PACKETS[index % PACKETS.length] as Buffer, { sequence: from + index }),
  );

const JOURNALS = new URL('../../../server/recorder/journals.ts', import.meta.url).href;

/** Reads one journal as so many listeners at once, and prints how many got all frames. */
const READERS = `
  const [module, folder, readers] = process.argv.slice(1);
  const { Journals } = await import(module);
  const journals = await Journals.open(folder, { log: { child: () => undefined } });
  const reads = Array.from({ length: Number(readers) }, () =>
    journals.frames('one', { epoch: 0, sequence: 0 }, 96000));
  const results = await Promise.allSettled(reads);
  console.log(results.filter(({ value }) => value?.length === 100).length);
`;

it('a thousand listeners read one journal at once with eighty file descriptors', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'skywave-readers-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const journal = Journal.begin(join(folder, 'one.journal'), { log: {} as never });
  for (const frame of frames(0, 100)) journal.enter(frame);
  await journal.flush();
  await journal.close();
  const shell = 'ulimit -n 80; exec "$0" --input-type=module -e "$1" "$2" "$3" 1000';
  const counted = execFileSync('sh', ['-c', shell, process.execPath, READERS, JOURNALS, folder], {
    encoding: 'utf8',
  });
  expect(Number(counted)).toBe(1000);
});

it('a listener in the past waits for a disk that is busy, and misses nothing', async () => {
  const channel = new Channel('live', { clock: null });
  const rendition = {
    codec: 'opus',
    channels: 1,
    bitrate: 64_000,
    frame: 960,
    fec: false,
    dtx: false,
  } as const;
  channel.begin(0, rendition);
  const all = frames(0, 800);
  for (const frame of all) channel.push(frame, utc(0));
  let busy = false;
  const archive: Archive = {
    since: utc(0),
    read: async ({ sequence }) => (busy ? null : all.slice(sequence, sequence + 100)),
    before: () => null,
    titles: () => [],
    clock: () => null,
  };
  const shift = TimeShift.to({ from: { epoch: 0, sequence: 10 } }, { channel, archive });
  await shift?.open();
  const heard: number[] = [];
  const listen = async (from: number, to: number): Promise<void> => {
    for (let now = from; now < to; now += 20) {
      heard.push(...(shift?.due(utc(now)).frames ?? []).map(({ sequence }) => sequence));
      await Promise.resolve();
    }
  };
  await listen(0, 1000);
  busy = true;
  await listen(1000, 4000);
  const before = heard.length;
  expect(shift?.caughtUp).toBe(false);
  busy = false;
  await listen(4000, 6000);
  expect(heard.length).toBeGreaterThan(before + 50);
  expect(heard).toEqual(Array.from(heard, (_, index) => 10 + index));
});
