/** All channels of this node and who is at them; how one is put together is in `desk.ts`. */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { FastifyBaseLogger } from 'fastify';
import type { WebSocket } from 'ws';
import { CLOSE } from '../../shared/codes.ts';
import { type Millis, millis } from '../../shared/time.ts';
import type { Principal } from '../auth/tickets.ts';
import { sweepWindows } from '../packager/window-folder.ts';
import type { Library } from '../recorder/library.ts';
import { FLUSH_EVERY } from '../recorder/recorder.ts';
import type { ChannelSettings } from '../store/channel-settings.ts';
import { type ChannelRecord, mayPass, type Store } from '../store/store.ts';
import { LOW_RATES } from '../transcoder/presets.ts';
import type { Alarms } from './alarms.ts';
import { type Desk, type House, openDesk } from './desk.ts';
import { epochSource } from './epochs.ts';
import type { EventRing } from './event-ring.ts';
import { Listener } from './listener.ts';
import { Publisher } from './publisher.ts';
import type { EpochSource } from './seat.ts';
import type { Now } from './session.ts';

/** How often channels are told that time passes, ms. */
const TICK = 100;

/** Writes to the database that are tried again; the oldest of more are given up. */
const UNKEPT_MOST = 1000;

/** How often listeners are judged by their reports, ms. */
const JUDGE = 1000;

/** Listeners that one address may have: 10,000 from this machine, 1,000 from elsewhere. */
const LISTENERS_LOOPBACK = 10_000;
const LISTENERS_ELSEWHERE = 1000;

const isLoopback = (address: string): boolean =>
  address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');

/** All channels of this node. */
export class Station {
  /** What happens here, for those who watch. */
  readonly events: EventRing;
  readonly alarms: Alarms;
  readonly #desks = new Map<string, Desk>();
  readonly #addresses = new Map<string, number>();
  readonly #epochs: EpochSource;
  readonly #options: House;
  readonly #store: Store;
  readonly #log: FastifyBaseLogger;
  readonly #now: Now;
  readonly #library: Library;
  readonly #timers: NodeJS.Timeout[];
  /** Writes to the database that have not worked yet, in their order. */
  readonly #unkept: { readonly slug: string; readonly act: () => void }[] = [];
  #draining = false;

  constructor(options: House) {
    const { store, log, now, windows, library, events, alarms } = options;
    this.#options = options;
    this.#store = store;
    this.#log = log;
    this.#now = now;
    this.#library = library;
    this.events = events;
    this.alarms = alarms;
    this.#epochs = epochSource(store, {
      keep: (slug, act) => this.#keep(slug, act),
      lacking: (slug, epoch) => library.next(slug, epoch),
    });
    const records = store.channels();
    sweepWindows(windows.folder, new Set(records.map(({ slug }) => slug)));
    for (const record of records) this.#open(record);
    this.#timers = [
      setInterval(() => this.#tick(), TICK),
      setInterval(() => this.#judge(), JUDGE),
      setInterval(() => this.#flush(), FLUSH_EVERY),
    ];
  }

  /** A channel by its name, or undefined. */
  desk(slug: string): Desk | undefined {
    return this.#desks.get(slug);
  }

  desks(): Iterable<Desk> {
    return this.#desks.values();
  }

  /** Opens a new channel. Returns undefined when the name is taken. */
  create(slug: string, settings: ChannelSettings): Desk | undefined {
    const record = this.#store.createChannel(slug, settings);
    return record && this.#open(record);
  }

  /** Changes a channel's settings; they hold at once. */
  update(desk: Desk, changes: Partial<ChannelSettings>): void {
    desk.settings = { ...desk.settings, ...changes };
    this.#store.keepSettings(desk.channel.slug, desk.settings);
  }

  /** Deletes a channel with its recordings: whoever is there is closed with 4410. */
  remove(desk: Desk): void {
    const recordings = this.#store.recordings.all(desk.channel.slug);
    this.#desks.delete(desk.channel.slug);
    for (const session of [...desk.publishers, ...desk.fanOut.sessions])
      session.dismiss(CLOSE.deleted, 'This channel has been deleted.');
    desk.channel.bye(this.#now());
    void desk.packager.remove();
    this.alarms.forget(desk.channel.slug);
    this.#store.deleteChannel(desk.channel.slug);
    void desk.recorder.settled.then(() => this.#library.discard(recordings));
  }

  /** Whether a restart has been announced; nobody new is let in then. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Whether this address may have one more listener. */
  hasRoomFor(address: string): boolean {
    const most = isLoopback(address) ? LISTENERS_LOOPBACK : LISTENERS_ELSEWHERE;
    return (this.#addresses.get(address) ?? 0) < most;
  }

  /** Begins a publisher's session on a socket that was let in. */
  publish(desk: Desk, socket: WebSocket, { principal }: { principal: Principal }): void {
    const { channel, seat, recorder, vitals, publishers } = desk;
    const publisher = new Publisher(socket, channel, {
      id: randomUUID(),
      principal,
      log: this.#log.child({ channel: channel.slug, role: 'publisher' }),
      now: this.#now,
      seat,
      recorder,
      vitals,
      alarms: () => this.alarms.standing(channel.slug),
      keepClock: (point) =>
        this.#keep(channel.slug, () => this.#store.keepClock(channel.slug, point)),
    });
    publishers.add(publisher);
    socket.once('close', () => publishers.delete(publisher));
  }

  /** Begins a listener's session on a socket that was let in. */
  listen(desk: Desk, socket: WebSocket, { raw, address }: { raw: Socket; address: string }): void {
    const { channel, fanOut, recorder } = desk;
    this.#addresses.set(address, (this.#addresses.get(address) ?? 0) + 1);
    const listener = new Listener(socket, channel, {
      id: randomUUID(),
      log: this.#log.child({ channel: channel.slug, role: 'listener' }),
      now: this.#now,
      raw,
      bundle: (ring, from, to) => fanOut.bundle(ring, from, to),
      archive: () => recorder.past,
      closed: () => {
        fanOut.remove(listener);
        const left = (this.#addresses.get(address) ?? 1) - 1;
        if (left > 0) this.#addresses.set(address, left);
        else this.#addresses.delete(address);
      },
    });
    fanOut.add(listener);
  }

  /** Announces a restart to everyone; nobody new is let in from here on. */
  drain(after: Millis = millis(500)): void {
    this.#draining = true;
    for (const { fanOut, publishers } of this.#desks.values())
      for (const session of [...fanOut.sessions, ...publishers]) session.goAway(after);
  }

  /** After `drain`: what was said so far is brought to the players and written. */
  async pause(): Promise<void> {
    await Promise.all([...this.#desks.values()].map(({ packager }) => packager.pause()));
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#flush();
    await Promise.all([...this.#desks.values()].map(({ packager }) => packager.close()));
    await this.#library.close();
  }

  #open(record: ChannelRecord): Desk {
    const { slug } = record;
    const desk = openDesk(record, {
      ...this.#options,
      epochs: this.#epochs,
      keep: (act) => this.#keep(slug, act),
      diskFailed: (error) => this.#alarm(slug, error),
    });
    this.#desks.set(slug, desk);
    return desk;
  }

  /**
   * Writes to the database. When that fails the broadcast goes on, an alarm says so, and the write
   * is tried again, in its turn, until it works; one that is wrong is given up.
   */
  #keep(slug: string, act: () => void): void {
    this.#unkept.push({ slug, act });
    if (this.#unkept.length > UNKEPT_MOST) this.#unkept.shift();
    if (this.#unkept.length === 1) this.#keepAll();
  }

  #keepAll(): void {
    const raise = this.alarms.raiser(null);
    let refused = false;
    for (let [next] = this.#unkept; next !== undefined; [next] = this.#unkept) {
      try {
        next.act();
      } catch (error) {
        // The error may name a path, which is for the log alone.
        const standing = this.alarms.standing().some(({ kind }) => kind === 'database');
        const { slug: channel } = next;
        if (!standing) this.#log.error({ channel, error: String(error) }, 'A write failed.');
        raise('database', 'The database cannot be written; broadcasts go on without it.');
        if (mayPass(error)) return;
        refused = true;
      }
      this.#unkept.shift();
    }
    if (!refused) raise('database', null);
  }

  /** The disk fails, or (null) is well again; the broadcast goes on from memory. */
  #alarm(slug: string, error: unknown): void {
    const raise = this.alarms.raiser(slug);
    if (error === null) return raise('disk', null);
    // The error may name a path, which is for the log alone.
    this.#log.error({ channel: slug, error: String(error) }, 'The window cannot be written.');
    raise('disk', 'The live window cannot be written to disk; the broadcast goes on from memory.');
  }

  #flush(): void {
    for (const { recorder } of this.#desks.values()) recorder.flush();
  }

  #tick(): void {
    const now = this.#now();
    for (const { channel, packager, fanOut, log, news, watches } of this.#desks.values()) {
      channel.tick(now);
      log.tick(now);
      fanOut.tick();
      const { wanted } = fanOut;
      packager.want(LOW_RATES.filter(({ id }) => wanted.has(id)).map(({ name }) => name));
      packager.tick();
      watches.tick(now);
      news.tick();
    }
  }

  #judge(): void {
    const now = this.#now();
    if (this.#unkept.length > 0) this.#keepAll();
    for (const { fanOut, news } of this.#desks.values()) {
      for (const listener of fanOut.sessions) listener.tick(now);
      news.count();
    }
  }
}
