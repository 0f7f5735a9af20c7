/**
 * The composition of the relay: for every channel its hub, its seat and its listeners. Nobody else
 * knows which sinks a channel has.
 */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { FastifyBaseLogger } from 'fastify';
import type { WebSocket } from 'ws';
import { CLOSE } from '../../shared/codes.ts';
import { type Millis, millis } from '../../shared/time.ts';
import type { Principal } from '../auth/tickets.ts';
import type { ChannelSettings } from '../store/channel-settings.ts';
import { type ChannelRecord, epochAfter, type Store } from '../store/store.ts';
import { BroadcastLog } from './broadcast-log.ts';
import { Channel } from './channel.ts';
import { FanOut } from './fan-out.ts';
import { Listener } from './listener.ts';
import { Publisher } from './publisher.ts';
import { type EpochSource, Seat } from './seat.ts';
import type { Now } from './session.ts';

/** How often channels are told that time passes, ms. */
const TICK = 120;

/** How often listeners are judged by their reports, ms. */
const JUDGE = 1000;

/** Listeners that one address may have: 10,000 from this machine, 1,000 from elsewhere. */
const LISTENERS_LOOPBACK = 10_000;
const LISTENERS_ELSEWHERE = 1000;

/** One channel with all that belongs to it on this node. */
export type Desk = {
  readonly channel: Channel;
  readonly log: BroadcastLog;
  readonly seat: Seat;
  readonly fanOut: FanOut;
  readonly publishers: Set<Publisher>;
  settings: ChannelSettings;
};

const epochSource = (store: Store): EpochSource => {
  const last = new Map(store.channels().map(({ slug, epoch }) => [slug, epoch]));
  return {
    resumable: (slug) => {
      const epoch = last.get(slug) ?? -1;
      const ended = store.broadcastOf(slug, epoch)?.ended ?? null;
      return epoch < 0 || ended !== null ? undefined : epoch;
    },
    next: (slug) => {
      const epoch = epochAfter(last.get(slug) ?? -1);
      store.keepEpoch(slug, epoch);
      last.set(slug, epoch);
      return epoch;
    },
  };
};

const isLoopback = (address: string): boolean =>
  address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');

/** All channels of this node. */
export class Station {
  readonly #desks = new Map<string, Desk>();
  readonly #addresses = new Map<string, number>();
  readonly #epochs: EpochSource;
  readonly #store: Store;
  readonly #log: FastifyBaseLogger;
  readonly #now: Now;
  readonly #timers: NodeJS.Timeout[];
  #draining = false;

  constructor({ store, log, now }: { store: Store; log: FastifyBaseLogger; now: Now }) {
    this.#store = store;
    this.#log = log;
    this.#now = now;
    this.#epochs = epochSource(store);
    for (const record of store.channels()) this.#open(record);
    this.#timers = [setInterval(() => this.#tick(), TICK), setInterval(() => this.#judge(), JUDGE)];
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

  /** Deletes a channel: whoever is there is closed with 4410. */
  remove(desk: Desk): void {
    this.#desks.delete(desk.channel.slug);
    for (const session of [...desk.publishers, ...desk.fanOut.sessions])
      session.dismiss(CLOSE.deleted, 'This channel has been deleted.');
    desk.channel.bye(this.#now());
    this.#store.deleteChannel(desk.channel.slug);
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
    const { channel, seat, fanOut, publishers } = desk;
    const publisher = new Publisher(socket, channel, {
      id: randomUUID(),
      principal,
      log: this.#log.child({ channel: channel.slug, role: 'publisher' }),
      now: this.#now,
      seat,
      listeners: () => fanOut.count,
      keepClock: (point) => this.#store.keepClock(channel.slug, point),
    });
    publishers.add(publisher);
    socket.once('close', () => publishers.delete(publisher));
  }

  /** Begins a listener's session on a socket that was let in. */
  listen(desk: Desk, socket: WebSocket, { raw, address }: { raw: Socket; address: string }): void {
    const { channel, fanOut } = desk;
    this.#addresses.set(address, (this.#addresses.get(address) ?? 0) + 1);
    const listener = new Listener(socket, channel, {
      id: randomUUID(),
      log: this.#log.child({ channel: channel.slug, role: 'listener' }),
      now: this.#now,
      raw,
      bundle: (from, to) => fanOut.bundle(from, to),
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

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  #open({ slug, settings, clock }: ChannelRecord): Desk {
    const channel = new Channel(slug, { clock });
    const log = new BroadcastLog(slug, { store: this.#store, now: this.#now });
    channel.attend(log);
    const desk: Desk = {
      channel,
      log,
      seat: new Seat(channel, { epochs: this.#epochs }),
      fanOut: new FanOut(channel, { now: this.#now }),
      publishers: new Set(),
      settings,
    };
    this.#desks.set(slug, desk);
    return desk;
  }

  #tick(): void {
    const now = this.#now();
    for (const { channel } of this.#desks.values()) channel.tick(now);
  }

  #judge(): void {
    const now = this.#now();
    for (const { fanOut } of this.#desks.values())
      for (const listener of fanOut.sessions) listener.tick(now);
  }
}
