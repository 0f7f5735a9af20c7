/** A broadcast on which every fault can be done, by name, while it goes on. */
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChaosProxy, startChaosProxy } from './chaos-proxy.ts';
import { Ear } from './ear.ts';
import type { KnownPackets } from './known-packets.ts';
import { type LiveService, startLiveService } from './live-service.ts';
import { LoneEar } from './lone-ear.ts';
import { untilTrue } from './patience.ts';
import { descendantsOf } from './process-memory.ts';
import { ReturningPublisher } from './returning-publisher.ts';
import { warningsOf } from './service-warnings.ts';

const DISK = 'size=256m';
const ROOM_SEEN_WITHIN = 6000;
const FILES = 1024;
/** Descriptors that are all in use from the first second on. */
const NO_FILES = 8;

/** Something that is done to a broadcast; resolves when it is over. */
export type Fault = {
  readonly name: string;
  /** How long it lasts, ms, without what the service needs to be ready again. */
  readonly lasts: number;
  readonly act: () => Promise<unknown>;
};

/** Writes until there is no room at all on the disk of a file. */
export const fillUp = (path: string): void => {
  const file = openSync(path, 'w');
  try {
    for (const size of [1 << 20, 4096])
      try {
        for (const piece = Buffer.alloc(size); ; ) writeSync(file, piece);
      } catch (error) {
        if ((error as { code?: string }).code !== 'ENOSPC') throw error;
      }
  } finally {
    closeSync(file);
  }
};

/** Mounts a small disk on a folder; false where nobody may. */
export const mountSmallDisk = (folder: string, size: string): boolean =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', folder]).status === 0;

/** Gives a process so many file descriptors. */
export const limitFiles = (pid: number, most: number): void => {
  execFileSync('prlimit', [`--pid=${pid}`, `--nofile=${most}:`]);
};

/** The service, its publisher behind a proxy, and its listeners. */
export class AbusedBroadcast {
  readonly publisher: ReturningPublisher;
  readonly ears: readonly Ear[];
  readonly base: string;
  readonly token: string;
  /** What cannot be done here, and why. */
  readonly omitted: string[] = [];
  readonly warnings: (readonly string[])[] = [];
  readonly #folder: string;
  readonly #mounted: boolean;
  readonly #proxy: ChaosProxy;
  readonly #lone: LoneEar;
  #service: LiveService;

  private constructor(
    service: LiveService,
    {
      packets,
      listeners,
      ...told
    }: {
      packets: KnownPackets;
      listeners: number;
      folder: string;
      mounted: boolean;
      proxy: ChaosProxy;
    },
  ) {
    this.#service = service;
    this.#folder = told.folder;
    this.#mounted = told.mounted;
    this.#proxy = told.proxy;
    this.base = `http://127.0.0.1:${service.port}`;
    this.token = new URL(service.studio).hash.replace('#token=', '');
    this.warnings.push(warningsOf(service.child));
    const server = `http://127.0.0.1:${this.#proxy.port}`;
    this.publisher = new ReturningPublisher({ server, token: this.token }, packets);
    this.ears = Array.from({ length: listeners }, () => new Ear(this.base));
    this.#lone = new LoneEar(this.base);
    if (!this.#mounted) this.omitted.push('disk full: only root may mount a small disk');
    if (spawnSync('prlimit', ['--version']).error !== undefined)
      this.omitted.push('no file descriptors: there is no prlimit');
  }

  static async start(
    packets: KnownPackets,
    { listeners, seed }: { listeners: number; seed: number },
  ): Promise<AbusedBroadcast> {
    const folder = await mkdtemp(join(tmpdir(), 'skywave-abuse-'));
    const mounted = mountSmallDisk(folder, DISK);
    const service = await startLiveService(environmentOf(folder));
    const proxy = await startChaosProxy(service.port, { seed });
    const told = { packets, listeners, folder, mounted, proxy };
    const broadcast = new AbusedBroadcast(service, told);
    await broadcast.recovered();
    return broadcast;
  }

  get pid(): number {
    return this.#service.child.pid ?? 0;
  }

  /** Everything that is done, each from its beginning to its end. */
  get faults(): readonly Fault[] {
    const child = () => this.#service.child;
    const away = (name: string, lasts: number): Fault => ({
      ...{ name, lasts },
      act: () => this.#during(lasts, [() => this.#proxy.cut(), () => this.#proxy.restore()]),
    });
    const held = (name: string, lasts: number, acts: [() => unknown, () => unknown]): Fault => ({
      ...{ name, lasts },
      act: () => this.#during(lasts, acts),
    });
    const signalled = (name: NodeJS.Signals) => () => {
      for (const pid of descendantsOf(this.pid)) process.kill(pid, name);
    };
    const faults = [
      held('line stalls for 0.9 s', 900, [
        () => this.#proxy.blackhole(),
        () => this.#proxy.restore(),
      ]),
      away('publisher cut for 5 s', 5000),
      away('publisher cut for 60 s', 60_000),
      held('listener stopped for 20 s', 20_000, [() => this.#lone.stop(), () => this.#lone.goOn()]),
      {
        name: 'transcoder stopped for 5 s',
        lasts: 5000,
        // The one that hung has been replaced; another signal would only meet its successor.
        act: () => this.#during(5000, [signalled('SIGSTOP'), () => {}]),
      },
      held('service stopped for 0.5 s', 500, [
        () => child().kill('SIGSTOP'),
        () => child().kill('SIGCONT'),
      ]),
      { name: 'kill -9', lasts: 0, act: () => this.#restart('SIGKILL') },
      { name: 'SIGTERM', lasts: 0, act: () => this.#restart('SIGTERM') },
      { name: 'database locked for 5 s', lasts: 5000, act: () => this.#lock(5000) },
    ];
    if (this.#mounted) {
      const filler = join(this.#folder, 'filler');
      // Until room is seen again, what is said is in memory only: a kill -9 then would cost it.
      const makeRoom = () => rm(filler).then(() => sleep(ROOM_SEEN_WITHIN));
      faults.push(held('disk full for 3 s', 3000, [() => fillUp(filler), makeRoom]));
    }
    if (!this.omitted.some((line) => line.startsWith('no file')))
      faults.push(
        held('no file descriptors for 5 s', 5000, [
          () => limitFiles(this.pid, NO_FILES),
          () => limitFiles(this.pid, FILES),
        ]),
      );
    return faults;
  }

  /** Everybody hears new frames, and something new is on the disk; how long that took, ms. */
  async recovered(): Promise<{ readonly heard: number; readonly acked: number }> {
    const [ears, lone] = [this.ears.map(({ heard }) => heard), this.#lone.heard];
    const { acked } = this.publisher;
    const heard = await untilTrue(
      () =>
        this.ears.every((ear, index) => ear.heard > (ears[index] ?? 0) + 10) &&
        this.#lone.heard > lone + 10,
      60_000,
    );
    const further = await untilTrue(() => this.publisher.acked > acked, 60_000);
    return { heard, acked: heard + further };
  }

  async close(): Promise<void> {
    this.publisher.end();
    for (const ear of this.ears) ear.close();
    await this.#lone.close();
    await this.#proxy.close();
    await this.#service.stop();
    if (this.#mounted) execFileSync('umount', ['-l', this.#folder]);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #during(span: number, [begin, end]: [() => unknown, () => unknown]): Promise<void> {
    await begin();
    await sleep(span);
    await end();
  }

  async #restart(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { child, port } = this.#service;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
    this.#service = await startLiveService({
      ...environmentOf(this.#folder),
      SKYWAVE_PORT: String(port),
    });
    this.warnings.push(warningsOf(this.#service.child));
  }

  async #lock(span: number): Promise<void> {
    const other = new DatabaseSync(join(this.#folder, 'data', 'skywave.db'), { timeout: 5000 });
    other.exec('BEGIN IMMEDIATE');
    await sleep(span);
    other.exec('ROLLBACK');
    other.close();
  }
}

const environmentOf = (folder: string): Record<string, string> => ({
  SKYWAVE_DATA: join(folder, 'data'),
  SKYWAVE_RECORD_MIN_FREE: '1000000',
});
