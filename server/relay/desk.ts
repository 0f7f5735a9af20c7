/** One channel with all that belongs to it on this node, put together. */
import { join } from 'node:path';
import type { FastifyBaseLogger } from 'fastify';
import { millis } from '../../shared/time.ts';
import type { FileReads } from '../packager/file-reads.ts';
import { targetDuration } from '../packager/hls-bitrates.ts';
import { Packager } from '../packager/packager.ts';
import type { PackagerOptions } from '../packager/packager-options.ts';
import type { Library } from '../recorder/library.ts';
import { Recorder } from '../recorder/recorder.ts';
import type { ChannelSettings } from '../store/channel-settings.ts';
import type { ChannelRecord, Store } from '../store/store.ts';
import { LOW_RATES } from '../transcoder/presets.ts';
import type { Alarms } from './alarms.ts';
import { BroadcastLog, type Keep } from './broadcast-log.ts';
import { Channel } from './channel.ts';
import { ChannelAlarms } from './channel-alarms.ts';
import { ChannelNews } from './channel-news.ts';
import type { EventRing } from './event-ring.ts';
import { FanOut } from './fan-out.ts';
import type { Publisher } from './publisher.ts';
import { type EpochSource, Seat } from './seat.ts';
import type { Now } from './session.ts';
import { Vitals } from './vitals.ts';

/** How channels are packaged, the same for all of them. */
export type Packaging = Pick<
  PackagerOptions,
  'grid' | 'ladder' | 'window' | 'timers' | 'createTranscoder'
>;

/** Where the windows of all channels are. */
export type Windows = { readonly folder: string; readonly reads: FileReads };

/** What all channels of a node share. */
export type House = {
  readonly store: Store;
  readonly log: FastifyBaseLogger;
  readonly now: Now;
  readonly packaging: Packaging;
  readonly library: Library;
  readonly events: EventRing;
  readonly alarms: Alarms;
  readonly windows: Windows;
};

/** What one desk needs beside that. */
export type DeskOptions = House & {
  readonly epochs: EpochSource;
  readonly keep: Keep;
  /** The disk fails, or (null) is well again. */
  readonly diskFailed: (error: unknown) => void;
};

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

/** What all low-rate renditions have in common; channels and frames are the source's. */
const OFFERED = { codec: 'opus', channels: 1, frame: 960, fec: false, dtx: false } as const;

const packagerOf = (
  channel: Channel,
  log: BroadcastLog,
  {
    record,
    settings,
    isRecorded,
    options,
  }: {
    record: ChannelRecord;
    settings: () => ChannelSettings;
    isRecorded: () => boolean;
    options: DeskOptions;
  },
): Packager => {
  const { slug, track, stretches, secret } = record;
  const { store, packaging, windows, now, keep, diskFailed } = options;
  return new Packager(channel, {
    ...packaging,
    memory: {
      track,
      stretches,
      secret,
      keepTrack: (free, count) => keep(() => store.keepTrack(slug, free, count)),
      keepSecret: (key) => keep(() => store.keepSecret(slug, key)),
    },
    settings,
    isRecorded,
    broadcast: () => log.broadcast,
    cut: () => log.cut,
    windows: { folder: join(windows.folder, slug), reads: windows.reads, alarm: diskFailed },
    now,
  });
};

/** Opens a channel as it was stored. */
export const openDesk = (record: ChannelRecord, options: DeskOptions): Desk => {
  const { store, log: logger, now, packaging, library, events, alarms, epochs, keep } = options;
  const { slug, clock } = record;
  const channel = new Channel(slug, { clock });
  const settings = (): ChannelSettings => desk?.settings ?? record.settings;
  // Listeners first; the log before the packager, which asks it which broadcast it is.
  const fanOut = new FanOut(channel, { now });
  const log = new BroadcastLog(slug, { store, now, keep, heard: clock?.utc ?? null });
  channel.attend(log);
  let desk: Desk | undefined;
  const isRecorded = (): boolean => recorder.recording;
  const packager = packagerOf(channel, log, { record, settings, isRecorded, options });
  const publishers = new Set<Publisher>();
  const recorder = new Recorder(channel, {
    library,
    now,
    log: logger.child({ channel: slug, role: 'recorder' }),
    broadcast: () => log.broadcast,
    broadcastOf: (epoch) => log.of(epoch),
    settings,
    loudness: () => packager.loudness?.integrated ?? null,
    keep: (act) => keep(() => act(store.recordings)),
    kept: () => {
      for (const publisher of publishers) publisher.kept();
    },
  });
  // Before the packager, whose figures of the broadcast it wants at the end.
  channel.attend(recorder);
  channel.attend(packager);
  const vitals = new Vitals(channel, {
    fanOut,
    sound: packager,
    now,
    fetchesWithin: millis(3000 * targetDuration(packaging.grid)),
  });
  desk = {
    channel,
    log,
    packager,
    recorder,
    seat: new Seat(channel, { epochs }),
    fanOut,
    vitals,
    news: new ChannelNews(channel, { log, vitals, tell: (news) => events.push(news) }),
    watches: new ChannelAlarms(channel, { sound: packager, raise: alarms.raiser(slug) }),
    publishers,
    settings: record.settings,
  };
  channel.offer(LOW_RATES.map((rate) => ({ ...OFFERED, id: rate.id, bitrate: rate.bitrate })));
  return desk;
};
