/**
 * 1,000 players that wait for one part of a low-latency playlist, on a real service: rendered once,
 * compressed once, and, once its code is compiled, everybody answered within 50 ms of the part.
 * Beside it, as the floor, 1,000 requests that a bare Fastify route holds, as shortly as it can and
 * as long as players wait for a part, and then answers with as many bytes.
 */
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import fastify from 'fastify';
import { RealPublisher } from '../helpers/real-publisher.ts';
import { startService } from '../helpers/service.ts';
import type { ReloadAnswers, ReloadOrder } from './reload-clients.ts';
import { judge } from './verdict.ts';

const CLIENTS = 1000;
const ROUNDS = 40;
/**
 * Rounds before that are not judged, and the first is printed: a server that has a thousand such
 * players answers as many requests every third of a second, and runs compiled code after some seconds.
 */
const WARM_UP = 40;
const WITHIN = 50;
/** So long players wait for a part here, and the bare route holds its requests, ms. */
const HELD = 450;

/** CPU time of this thread so far, ms. */
const threadTime = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

type Delays = { readonly p50: number; readonly p99: number; readonly max: number };

const delaysOf = (answered: readonly bigint[], from: bigint): number[] =>
  answered.map((at) => Number(at - from) / 1e6);

const summary = (delays: readonly number[]): Delays => {
  const sorted = delays.toSorted((one, other) => one - other);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
};

const print = (name: string, { p50, p99, max }: Delays, ...cpu: readonly number[]): void => {
  const figures = [p50, p99, max, ...cpu].map((figure) => figure.toFixed(1).padStart(8)).join('');
  process.stdout.write(`  ${name.padEnd(44)}${figures}\n`);
};

/**
 * The players' process, on a core of its own where there is `taskset`: Linux likes to run a thread
 * on the core of the one that woke it, and then server and players take turns on one core while the
 * other is idle.
 */
class Clients {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor() {
    const script = fileURLToPath(new URL('./reload-clients.ts', import.meta.url));
    const core = availableParallelism() - 1;
    const pinned = spawnSync('taskset', ['--version']).status === 0 && core > 0;
    if (!pinned) process.stdout.write('  no core for the players alone: they disturb the server\n');
    this.#process = fork(script, [String(CLIENTS)], {
      ...(pinned
        ? { execPath: 'taskset', execArgv: ['--cpu-list', String(core), process.execPath] }
        : {}),
      serialization: 'advanced',
    });
    this.#ended = once(this.#process, 'exit');
  }

  async ask(order: ReloadOrder): Promise<ReloadAnswers> {
    this.#process.send(order);
    const failed = this.#ended.then(() => {
      throw new Error('The players gave up.');
    });
    const answered = once(this.#process, 'message') as Promise<[ReloadAnswers]>;
    const [answers] = await Promise.race([answered, failed]);
    return answers;
  }

  async close(): Promise<void> {
    this.#process.kill();
    await this.#ended;
  }
}

const waitUntil = async (claim: () => boolean): Promise<void> => {
  while (!claim()) await sleep(20);
};

type Outcome = {
  readonly delays: number[];
  /** Of the first round of all. */
  readonly cold: number[];
  /** Of the server's thread a round, ms: what a machine with nothing else to do would take. */
  readonly cpu: number;
  readonly bytes: number;
  /** The most of any round. */
  readonly renders: number;
  readonly compressions: number;
};

/** Blocked reloads: from the moment a part was appended to the window. */
const reloads = async (clients: Clients): Promise<Outcome> => {
  const service = await startService();
  const publisher = await RealPublisher.start(service);
  const port = Number(new URL(service.base).port);
  const programmeOf = () => service.station.desk('live')?.packager.programme;
  await waitUntil(() => programmeOf()?.outputs.get('aac128')?.playable === true);
  const output = programmeOf()?.outputs.get('aac128');
  if (output === undefined) throw new Error('There is no AAC encoder here.');
  await clients.ask({ port, path: '' });
  const delays: number[] = [];
  const cold: number[] = [];
  let [bytes, renders, compressions, cpu] = [0, 0, 0, 0];
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    // Not the next part but the one after it: all 1,000 wait well before it comes.
    const newest = output.window.segments.at(-1);
    const [msn, part] = [newest?.sequence ?? 0, (newest?.parts.length ?? 0) + 1];
    let appended = 0n;
    let worked = 0;
    let before = output.costs;
    const leave = output.window.onPart(() => {
      if (appended !== 0n) return;
      if (!output.window.reached(msn, part)) {
        before = output.costs;
        return;
      }
      appended = process.hrtime.bigint();
      worked = threadTime();
    });
    const path = `/c/live/media/${programmeOf()?.secret}/aac128/index.m3u8?_HLS_msn=${msn}&_HLS_part=${part}`;
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, output.waiting);
    }, 10);
    const answers = await clients.ask({ port, path });
    clearInterval(watch);
    leave?.();
    if (most !== CLIENTS) throw new Error(`Only ${most} of ${CLIENTS} waited for the part.`);
    renders = Math.max(renders, output.costs.renders - before.renders);
    compressions = Math.max(compressions, output.costs.compressions - before.compressions);
    if (round === -WARM_UP) cold.push(...delaysOf(answers.at, appended));
    if (round < 0) continue;
    cpu += (threadTime() - worked) / ROUNDS;
    delays.push(...delaysOf(answers.at, appended));
    bytes = answers.bytes;
  }
  await publisher.end();
  await service.stop();
  return { delays, cold, cpu, bytes, renders, compressions };
};

/** The same number of requests and bytes, held and let go by a route that does nothing else. */
const floor = async (
  clients: Clients,
  { bytes, held }: { readonly bytes: number; readonly held: number },
): Promise<Pick<Outcome, 'delays' | 'cpu'>> => {
  const app = fastify();
  const body = Buffer.alloc(bytes, 'x');
  let waiting = 0;
  let gate = Promise.withResolvers<void>();
  app.get('/held', async (_request, reply) => {
    waiting += 1;
    await gate.promise;
    return reply.type('application/vnd.apple.mpegurl').send(body);
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const bound = app.server.address();
  const port = typeof bound === 'object' ? (bound?.port ?? 0) : 0;
  await clients.ask({ port, path: '' });
  const delays: number[] = [];
  let cpu = 0;
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    waiting = 0;
    gate = Promise.withResolvers<void>();
    const answering = clients.ask({ port, path: '/held' });
    await waitUntil(() => waiting === CLIENTS);
    await sleep(held);
    const released = process.hrtime.bigint();
    const worked = threadTime();
    gate.resolve();
    const { at } = await answering;
    if (round < 0) continue;
    delays.push(...delaysOf(at, released));
    cpu += (threadTime() - worked) / ROUNDS;
  }
  await app.close();
  return { delays, cpu };
};

export const run = async (): Promise<void> => {
  const clients = new Clients();
  const { delays, cold, cpu, bytes, renders, compressions } = await reloads(clients);
  const atOnce = await floor(clients, { bytes, held: 0 });
  const bare = await floor(clients, { bytes, held: HELD });
  await clients.close();
  const reached = summary(delays);
  process.stdout.write(
    `  ${CLIENTS} blocked reloads, gzip, ${bytes} bytes each, ${ROUNDS} parts; ms after the part\n`,
  );
  process.stdout.write(
    `  ${''.padEnd(44)}${'p50'.padStart(8)}${'p99'.padStart(8)}${'max'.padStart(8)}${'CPU'.padStart(8)}\n`,
  );
  print('the whole service', reached, cpu);
  print('the same, the first thousand it ever had', summary(cold));
  print('a bare Fastify route that held them as long', summary(bare.delays), bare.cpu);
  print('a bare Fastify route, at once', summary(atOnce.delays), atOnce.cpu);
  judge([
    { name: 'renders of a part', value: renders, most: 1, unit: '' },
    { name: 'compressions of a part', value: compressions, most: 1, unit: '' },
    {
      name: 'the last of 1,000 answers after the part',
      value: reached.max,
      most: WITHIN,
      unit: 'ms',
    },
  ]);
};
