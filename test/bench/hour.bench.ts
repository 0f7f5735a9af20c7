/**
 * An hour on the air: a channel with socket listeners and players, whose publisher is cut off twice.
 * Memory and delay are sampled each 10 s, and must neither grow; then it still plays
 * everywhere.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DelayListener } from '../helpers/delay-listener.ts';
import { HeapReader } from '../helpers/heap-reader.ts';
import { LastingPublisher } from '../helpers/lasting-publisher.ts';
import { startLiveService } from '../helpers/live-service.ts';
import { MediaPuller, type PullerKind } from '../helpers/media-puller.ts';
import { quantile } from '../helpers/player-page.ts';
import { descendantsOf, memoryIsKnown, residentOf } from '../helpers/process-memory.ts';
import { describeWarnings, warningsOf } from '../helpers/service-warnings.ts';
import { type Slope, slopeOf } from '../helpers/slope.ts';
import { whoCannotPlay } from './everywhere.ts';
import { type Claim, judge } from './verdict.ts';

const LISTENERS = 20;
const PULLERS: readonly PullerKind[] = ['ll-hls', 'll-hls', 'dash', 'dash'];
const SAMPLE_EVERY = 10_000;
/** Of each so many samples one also forces a collection, which is a pause for everybody. */
const HEAP_EVERY = 6;
/** Share of the run that does not count: caches fill and code is compiled. */
const WARM_UP = 0.1;
const ROWS = 12;
const HOUR = 3_600_000;

/** One reading; MiB and ms. NaN: a delay while nothing came in time, memory that was not read. */
type Reading = {
  readonly at: number;
  /**
   * Resident memory and heap of the service right after a collection: garbage that is young comes and
   * goes by 7 MiB, which says nothing of growth and drowns it.
   */
  readonly service: number;
  readonly heap: number;
  readonly children: number;
  readonly p50: number;
  readonly p95: number;
};

const describe = ({ at, service, heap, children, p50, p95 }: Reading): string =>
  `  ${(at / 60_000).toFixed(1).padStart(6)} min  service ${service.toFixed(1)} MiB, ` +
  `of these needed ${heap.toFixed(2)}, ` +
  `children ${children.toFixed(1)} MiB, delay p50 ${p50.toFixed(2)} ms, p95 ${p95.toFixed(2)} ms\n`;

/** What is sampled. */
type Sampled = {
  readonly pid: number;
  readonly heap: HeapReader;
  readonly listeners: readonly DelayListener[];
};

const read = async (
  at: number,
  { pid, heap, listeners, collect }: Sampled & { readonly collect: boolean },
): Promise<Reading> => {
  const delays = listeners.flatMap((listener) => listener.take().delays);
  const children = descendantsOf(pid).reduce((sum, child) => sum + residentOf(child), 0);
  const needed = collect ? await heap.read() : Number.NaN;
  return {
    at,
    service: collect ? residentOf(pid) : Number.NaN,
    heap: needed,
    children,
    p50: quantile(delays, 0.5),
    p95: quantile(delays, 0.95),
  };
};

/** Readings until the time is over; `acts` happen beside them. */
const sample = async (length: number, sampled: Sampled): Promise<Reading[]> => {
  const readings: Reading[] = [];
  const begun = performance.now();
  const every = Math.min(SAMPLE_EVERY, length / (ROWS * HEAP_EVERY));
  for (let row = 1; performance.now() - begun < length; ) {
    await sleep(every);
    const collect = (readings.length + 1) % HEAP_EVERY === 0;
    const reading = await read(performance.now() - begun, { ...sampled, collect });
    readings.push(reading);
    if (!collect || reading.at < ((row - 0.5) * length) / ROWS) continue;
    process.stdout.write(describe(reading));
    row += 1;
  }
  return readings;
};

const slopeIn = (readings: readonly Reading[], value: (reading: Reading) => number): Slope =>
  slopeOf(
    readings
      .map((reading) => ({ x: reading.at / HOUR, y: value(reading) }))
      .filter(({ y }) => !Number.isNaN(y)),
  );

/**
 * Growth that is not noise. Readings that wander too slowly leave no margin to be told: then all that
 * they ever changed by counts as growth.
 */
const growth = (
  name: string,
  { slope, margin, most }: Slope,
  limit: number,
  unit: string,
): Claim => ({
  name: `${name}: growth that is not noise`,
  value: Number.isFinite(margin) ? (Math.abs(slope) <= margin ? 0 : slope) : most,
  most: limit,
  unit,
});

const wordOf = (slope: number, margin: number): string => {
  if (!Number.isFinite(margin)) return 'not told for sure';
  return Math.abs(slope) <= margin ? 'within noise' : 'not noise';
};

const slopeLine = (name: string, { slope, margin, count, most }: Slope, unit: string): string =>
  `  ${name.padEnd(28)}${slope.toFixed(3)} ± ${margin.toFixed(3)} ${unit} ` +
  `(95 %, ${count} readings, ${most.toFixed(2)} ${unit} from the least to the greatest): ` +
  `${wordOf(slope, margin)}\n`;

/**
 * Runs for `minutes`; the publisher is cut off for 3 s after a third and for 20 s after two. In a run
 * of a few minutes players may begin in the silence of the latter, and count as such that do not play.
 */
export const run = async ({ minutes = 60 }: { minutes?: number } = {}): Promise<void> => {
  if (!memoryIsKnown()) throw new Error('This benchmark reads /proc and needs Linux.');
  const length = minutes * 60_000;
  const heap = await HeapReader.prepare();
  const service = await startLiveService({}, { node: [heap.argument] });
  const warnings = warningsOf(service.child);
  const pid = service.child.pid ?? 0;
  const base = `http://127.0.0.1:${service.port}`;
  const token = new URL(service.studio).hash.replace('#token=', '');
  const publisher = await LastingPublisher.start({ base, token });
  const listeners = Array.from({ length: LISTENERS }, () => new DelayListener(base, publisher));
  const pullers = PULLERS.map((kind) => new MediaPuller(`${base}/c/live`, kind));
  const cuts = (async () => {
    await sleep(length / 3);
    await publisher.cut(3000);
    await sleep(length / 3);
    await publisher.cut(20_000);
  })();
  let [readings, mute]: [Reading[], string[]] = [[], []];
  try {
    readings = await sample(length, { pid, heap, listeners });
    await cuts;
    mute = await whoCannotPlay(`${base}/c/live`);
  } finally {
    for (const listener of listeners) listener.close();
    publisher.vanish();
    // Those who wait for the next part are let go by the service's end.
    const stopping = pullers.map((puller) => puller.stop());
    await service.stop();
    await Promise.all(stopping);
  }
  process.stdout.write(describeWarnings(warnings));
  const settled = readings.filter(({ at }) => at > WARM_UP * length);
  const memory = slopeIn(settled, (reading) => reading.heap);
  const resident = slopeIn(settled, (reading) => reading.service);
  const children = slopeIn(settled, (reading) => reading.children);
  const delay = slopeIn(settled, (reading) => reading.p50);
  const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);
  process.stdout.write(slopeLine('service, heap in use', memory, 'MiB/h'));
  process.stdout.write(slopeLine('service, resident', resident, 'MiB/h'));
  process.stdout.write(slopeLine('transcoder, resident', children, 'MiB/h'));
  process.stdout.write(slopeLine('socket delay, p50', delay, 'ms/h'));
  process.stdout.write(
    `  publisher came back ${publisher.reconnects} times, listeners ${sum(listeners.map(({ returns }) => returns))}; ` +
      `each listener missed ${quantile(
        listeners.map(({ lost }) => lost),
        0.5,
      )} frames of replays it was led past; ` +
      `${sum(pullers.map(({ media }) => media))} parts and segments fetched\n`,
  );
  for (const name of mute) process.stdout.write(`  does not play any more: ${name}\n`);
  const claims: Claim[] = [
    growth('service, heap in use', memory, 2, 'MiB/h'),
    growth('service, resident', resident, 2, 'MiB/h'),
    growth('transcoder', children, 2, 'MiB/h'),
    growth('delay', delay, 1, 'ms/h'),
    {
      name: 'reconnects of the publisher besides two',
      value: Math.abs(publisher.reconnects - 2),
      most: 0,
      unit: '',
    },
    {
      name: 'reconnects of listeners',
      value: sum(listeners.map(({ returns }) => returns)),
      most: 0,
      unit: '',
    },
    {
      name: 'requests of players that failed',
      value: sum(pullers.map(({ failures }) => failures)),
      most: 0,
      unit: '',
    },
    { name: 'players that do not play any more', value: mute.length, most: 0, unit: '' },
  ];
  judge(claims);
};
