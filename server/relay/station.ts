/**
 * The composition of the relay: for every channel its hub, its seat and its listeners. Nobody else
 * knows which sinks a channel has.
 */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { FastifyBaseLogger } from 'fastify';
import type { WebSocket } from 'ws';
import { CLOSE } from '../../shared/codes.ts';
import { type Millis, millis } from '../../shared/time.ts';
import type { Principal } from '../auth/tickets.ts';
import { targetDuration } from '../packager/hls-bitrates.ts';
import { Packager, type PackagerOptions } from '../packager/packager.ts';
import { sweepWindows } from '../packager/window-folder.ts';
import type { Library } from '../recorder/library.ts';
import { FLUSH_EVERY, Recorder } from '../recorder/recorder.ts';
import type { ChannelSettings } from '../store/channel-settings.ts';
import type { ChannelRecord, Store } from '../store/store.ts';
import { LOW_RATES } from '../transcoder/transcoder.ts';
import type { Alarms } from './alarms.ts';
import { BroadcastLog, type Keep } from './broadcast-log.ts';
import { Channel } from './channel.ts';
import { ChannelAlarms } from './channel-alarms.ts';
import { ChannelNews } from './channel-news.ts';
import { epochSource } from './epochs.ts';
import type { EventRing } from './event-ring.ts';
import { FanOut } from './fan-out.ts';
import { Listener } from './listener.ts';
import { Publisher } from './publisher.ts';
import { type EpochSource, Seat } from './seat.ts';
import type { Now } from './session.ts';
import { Vitals } from './vitals.ts';

/** How often channels are told that time passes, ms. */
const TICK = 100;

/** How often listeners are judged by their reports, ms. */
const JUDGE = 1000;

/** Listeners that one address may have: 10,000 from this machine, 1,000 from elsewhere. */
const LISTENERS_LOOPBACK = 10_000;
const LISTENERS_ELSEWHERE = 1000;

/** How channels are packaged, the same for all of them. */
export type Packaging = Pick<
  PackagerOptions,
  'grid' | 'ladder' | 'window' | 'timers' | 'createTranscoder'
>;

/** A folder for each channel is in this one. */
export type Windows = Pick<PackagerOptions['windows'], 'folder' | 'reads'>;

/** What a station is made of. */
export type StationOptions = {
  readonly store: Store;
  readonly log: FastifyBaseLogger;
  readonly now: Now;
  readonly packaging: Packaging;
  readonly library: Library;
  readonly events: EventRing;
  readonly alarms: Alarms;
  /** Where the windows of all channels are. */
  readonly windows: Windows;
};

/** What all low-rate renditions have in common; channels and frames are the source's. */
const OFFERED = { codec: 'opus', channels: 1, frame: 960, fec: false, dtx: false } as const;

/** One channel with all that belongs to it on this node. */
export type Desk = {
  readonly channel: Channel;
  readonly log: BroadcastLog;
  readonly packager: Packager;
  readonly recorder: Recorder;
  readonly seat: Seat;
  readonly fanOut: FanOut;
  readonly vitals: Vitals;
  readonly news: ChannelNews;
  readonly watches: ChannelAlarms;
  readonly publishers: Set<Publisher>;
  settings: ChannelSettings;
};

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
  readonly #store: Store;
  readonly #log: FastifyBaseLogger;
  readonly #now: Now;
  readonly #packaging: Packaging;
  readonly #library: Library;
  readonly #windows: Windows;
  readonly #timers: NodeJS.Timeout[];
  #draining = false;

  constructor(options: StationOptions) {
    const { store, log, now, packaging, windows, library, events, alarms } = options;
    this.#windows = windows;
    this.#store = store;
    this.#log = log;
    this.#now = now;
    this.#packaging = packaging;
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
    const { slug, settings, clock } = record;
    const channel = new Channel(slug, { clock });
    const keep: Keep = (act) => this.#keep(slug, act);
    // Listeners first; the log before the packager, which asks it which broadcast it is.
    const fanOut = new FanOut(channel, { now: this.#now });
    const heard = clock?.utc ?? null;
    const log = new BroadcastLog(slug, { store: this.#store, now: this.#now, keep, heard });
    channel.attend(log);
    const packager = this.#packagerOf(channel, log, record);
    const publishers = new Set<Publisher>();
    const recorder = new Recorder(channel, {
      library: this.#library,
      now: this.#now,
      log: this.#log.child({ channel: slug, role: 'recorder' }),
      broadcast: () => log.broadcast,
      settings: () => this.#desks.get(slug)?.settings ?? settings,
      loudness: () => packager.loudness?.integrated ?? null,
      keep: (act) => keep(() => act(this.#store.recordings)),
      kept: () => {
        for (const publisher of publishers) publisher.kept();
      },
    });
    // Before the packager, whose figures of the broadcast it wants at the end.
    channel.attend(recorder);
    const vitals = new Vitals(channel, {
      fanOut,
      sound: packager,
      now: this.#now,
      fetchesWithin: millis(3000 * targetDuration(this.#packaging.grid)),
    });
    const desk: Desk = {
      channel,
      log,
      packager,
      recorder,
      seat: new Seat(channel, { epochs: this.#epochs }),
      fanOut,
      vitals,
      news: new ChannelNews(channel, { log, vitals, tell: (news) => this.events.push(news) }),
      watches: new ChannelAlarms(channel, { sound: packager, raise: this.alarms.raiser(slug) }),
      publishers,
      settings,
    };
    channel.attend(desk.packager);
    channel.offer(LOW_RATES.map((rate) => ({ ...OFFERED, id: rate.id, bitrate: rate.bitrate })));
    this.#desks.set(slug, desk);
    return desk;
  }

  #packagerOf(channel: Channel, log: BroadcastLog, record: ChannelRecord): Packager {
    const { slug, track, stretches, secret, settings } = record;
    return new Packager(channel, {
      ...this.#packaging,
      memory: {
        track,
        stretches,
        secret,
        keepTrack: (free, count) =>
          this.#keep(slug, () => this.#store.keepTrack(slug, free, count)),
        keepSecret: (key) => this.#keep(slug, () => this.#store.keepSecret(slug, key)),
      },
      settings: () => this.#desks.get(slug)?.settings ?? settings,
      broadcast: () => log.broadcast,
      cut: () => log.cut,
      windows: {
        folder: join(this.#windows.folder, slug),
        reads: this.#windows.reads,
        alarm: (error) => this.#alarm(slug, error),
      },
      now: this.#now,
    });
  }

  /** Writes to the database; when that fails, the broadcast goes on and an alarm says so. */
  #keep(slug: string, act: () => void): void {
    const raise = this.alarms.raiser(null);
    try {
      act();
      raise('database', null);
    } catch (error) {
      // The error may name a path, which is for the log alone.
      const standing = this.alarms.standing().some(({ kind }) => kind === 'database');
      if (!standing) this.#log.error({ channel: slug, error: String(error) }, 'A write failed.');
      raise('database', 'The database cannot be written; broadcasts go on without it.');
    }
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
      packager.want(LOW_RATES.filter(({ id }) => fanOut.wanted.has(id)).map(({ name }) => name));
      packager.tick();
      watches.tick(now);
      news.tick();
    }
  }

  #judge(): void {
    const now = this.#now();
    for (const { fanOut, news } of this.#desks.values()) {
      for (const listener of fanOut.sessions) listener.tick(now);
      news.count();
    }
  }
}
