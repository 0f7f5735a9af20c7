/**
 * The hub: one channel's frames, its clock map and its state, for whoever wants to hear of them.
 * It knows nobody by name; what takes frames from here is a `Sink`.
 */
import type { Catalog, Rendition } from '../../shared/catalog.ts';
import type { ChannelStateName, ClockPoint, Metadata } from '../../shared/control.ts';
import { type Frame, frameEnd } from '../../shared/frame.ts';
import { Ring } from '../../shared/ring.ts';
import { millis, type Samples, samples, type Utc, utc } from '../../shared/time.ts';
import { type ChannelEvent, nextChannelState } from './channel-state.ts';
import { MediaPace } from './media-pace.ts';

/** Media that a channel keeps for resuming and slow listeners, samples: 10 s. */
export const RING_DURATION = samples(480_000);

/** Why a broadcast is over. */
export type EndReason = 'bye' | 'grace' | 'closed';

/** Something that takes every frame of a channel. Must not throw and must not block. */
export interface Sink {
  push(frame: Frame): void;
  end(reason: EndReason): void;
}

/** Something that wants to know more than the frames: a channel's listeners. */
export interface Audience extends Sink {
  state(is: ChannelStateName): void;
  clock(point: ClockPoint): void;
  metadata(metadata: Metadata): void;
  catalog(catalog: Catalog): void;
  /** A frame of a derived rendition has come into its ring. */
  derived(frame: Frame): void;
}

/** The run of a media clock that the channel is in. */
export type Epoch = {
  readonly id: number;
  readonly rendition: Rendition;
  /** First sequence that the channel does not have. */
  next: number;
  /** Timestamp after the newest frame's last sample; null before the first. */
  end: Samples | null;
  pace: MediaPace | undefined;
  /** Whether its publisher has said when its samples were captured. */
  clocked: boolean;
};

/** One channel on this node. */
export class Channel {
  readonly slug: string;
  /** The publisher's own frames. */
  readonly ring = new Ring<Frame>({ duration: RING_DURATION });
  readonly #derived = new Map<number, Ring<Frame>>();
  readonly #sinks = new Set<Sink>();
  readonly #audiences = new Set<Audience>();
  #state: ChannelStateName = 'idle';
  #since: Utc | undefined;
  #arrived = utc(0);
  #epoch: Epoch | undefined;
  #clock: ClockPoint | null;
  #metadata: Metadata | null = null;
  #catalog: Catalog = [];
  #offered: Catalog = [];

  constructor(slug: string, { clock }: { clock: ClockPoint | null }) {
    this.slug = slug;
    this.#clock = clock;
  }

  get state(): ChannelStateName {
    return this.#state;
  }

  /** When the state was entered; undefined while idle. */
  get since(): Utc | undefined {
    return this.#since;
  }

  get onAir(): boolean {
    return this.#state !== 'idle' && this.#state !== 'ended';
  }

  get epoch(): Epoch | undefined {
    return this.#epoch;
  }

  /** The newest point of the media clock; null before any. */
  get clockPoint(): ClockPoint | null {
    return this.#clock;
  }

  get nowPlaying(): Metadata | null {
    return this.#metadata;
  }

  get renditions(): Catalog {
    return this.#catalog;
  }

  /** The ring of a rendition of the catalog; undefined where nothing of it was made yet. */
  ringOf(rendition: number): Ring<Frame> | undefined {
    return rendition === 0 ? this.ring : this.#derived.get(rendition);
  }

  /** Renditions that somebody can make of the publisher's own, while listeners ask for them. */
  offer(renditions: Catalog): void {
    this.#offered = renditions;
    if (this.#epoch !== undefined) this.#announce(this.#epoch.rendition);
  }

  /** Takes a frame that was made of one of the current epoch's, with its sequence and timestamp. */
  pushDerived(frame: Frame): void {
    let ring = this.#derived.get(frame.rendition);
    if (ring === undefined) {
      ring = new Ring<Frame>({ duration: RING_DURATION });
      this.#derived.set(frame.rendition, ring);
    }
    ring.push(frame);
    for (const audience of this.#audiences) audience.derived(frame);
  }

  /** Sends every frame from now on to a sink, until the returned function is called. */
  subscribe(sink: Sink): () => void {
    this.#sinks.add(sink);
    return () => this.#sinks.delete(sink);
  }

  /** Like `subscribe`, for those who are also told of state, clock, titles and catalog. */
  attend(audience: Audience): () => void {
    this.#audiences.add(audience);
    const leave = this.subscribe(audience);
    return () => {
      leave();
      this.#audiences.delete(audience);
    };
  }

  /** Begins a new run of the publisher's media clock; its first frame has sequence 0. */
  begin(id: number, rendition: Rendition, next = 0): Epoch {
    // A clock map of this very epoch is there after a restart: a backlog is not running ahead.
    const known = this.#clock?.epoch === id ? this.#clock : undefined;
    const pace = known && new MediaPace(known.timestamp, known.utc);
    this.#epoch = { id, rendition, next, end: null, pace, clocked: pace !== undefined };
    this.#derived.clear();
    this.#announce(rendition);
    return this.#epoch;
  }

  /** Takes the next frame of the current epoch, which the publisher session has checked. */
  push(frame: Frame, now: Utc): void {
    const epoch = this.#epoch;
    if (epoch === undefined || epoch.id !== frame.epoch) return;
    epoch.next = frame.sequence + 1;
    epoch.end = frameEnd(frame);
    this.#arrived = now;
    // Nobody begins a broadcast with the end of the one before.
    if (!this.onAir) this.ring.clear();
    this.ring.push(frame);
    this.#happen({ type: 'frame' }, now);
    for (const sink of this.#sinks) sink.push(frame);
  }

  /** Tells where on the server's UTC a sample of the current epoch was captured. */
  clock(point: ClockPoint): void {
    if (point.epoch !== this.#epoch?.id) return;
    this.#clock = point;
    for (const audience of this.#audiences) audience.clock(point);
  }

  /** Announces a title from a sample on. */
  metadata(metadata: Metadata): void {
    this.#metadata = metadata;
    for (const audience of this.#audiences) audience.metadata(metadata);
  }

  /** Lets time pass: a channel whose frames stop holds, fills and at last ends. */
  tick(now: Utc): void {
    if (this.onAir) this.#happen({ type: 'silence', lasted: millis(now - this.#arrived) }, now);
  }

  /** The publisher said goodbye: the broadcast is over. */
  bye(now: Utc): void {
    this.#happen({ type: 'bye' }, now);
  }

  /** Of what is offered, what saves bits against the publisher's own. */
  #announce(source: Rendition): void {
    const { channels, frame } = source;
    const lower = this.#offered.filter(({ bitrate }) => bitrate < source.bitrate);
    this.#catalog = [
      { id: 0, ...source },
      ...lower.map((offered) => ({ ...offered, channels, frame })),
    ];
    for (const audience of this.#audiences) audience.catalog(this.#catalog);
  }

  #happen(event: ChannelEvent, now: Utc): void {
    const before = this.#state;
    this.#state = nextChannelState(before, event);
    if (this.#state === before) return;
    this.#since = now;
    for (const audience of this.#audiences) audience.state(this.#state);
    if (this.#state === 'ended') this.#end(event.type === 'bye' ? 'bye' : 'grace');
  }

  #end(reason: EndReason): void {
    this.#epoch = undefined;
    this.#metadata = null;
    for (const sink of this.#sinks) sink.end(reason);
  }
}
