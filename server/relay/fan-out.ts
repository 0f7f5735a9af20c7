/** The listeners of one channel: one ring, N cursors, and one buffer shared by all at the live edge. */
import type { Catalog } from '../../shared/catalog.ts';
import type {
  ChannelStateName,
  ClockPoint,
  Metadata,
  ToListenerMessage,
} from '../../shared/control.ts';
import type { Frame } from '../../shared/frame.ts';
import type { Ring } from '../../shared/ring.ts';
import { type Millis, millis, samples, samplesToMillis } from '../../shared/time.ts';
import type { Audience, Channel } from './channel.ts';
import { LateBurst, SETTLE_EVERY } from './late-burst.ts';
import type { Listener } from './listener.ts';
import { asMessages } from './messages.ts';
import type { Now } from './session.ts';

/** Time for the end of a burst to arrive, ms. */
const FLUSH_AFTER = 20;

/** Frames that were made into one buffer. */
type Bundle = { readonly from: number; readonly to: number; readonly buffer: Buffer };

/** Sends a channel's frames to its listeners. */
export class FanOut implements Audience {
  readonly #channel: Channel;
  readonly #now: Now;
  readonly #listeners = new Set<Listener>();
  readonly #burst = new LateBurst();
  #settling: NodeJS.Timeout | undefined;
  readonly #memos = new Map<Ring<Frame>, Bundle>();

  constructor(channel: Channel, { now }: { now: Now }) {
    this.#channel = channel;
    this.#now = now;
    channel.attend(this);
  }

  add(listener: Listener): void {
    this.#listeners.add(listener);
  }

  remove(listener: Listener): void {
    this.#listeners.delete(listener);
  }

  /** Listeners that have said hello. */
  get count(): number {
    let count = 0;
    for (const listener of this.#listeners) if (listener.welcomed) count += 1;
    return count;
  }

  /** Median of the latency that listeners report, s; null when none does. */
  get latency(): number | null {
    const reported: number[] = [];
    for (const { latency } of this.#listeners) if (latency !== null) reported.push(latency);
    const sorted = Float64Array.from(reported).sort();
    const middle = sorted.length >> 1;
    const upper = sorted[middle];
    if (upper === undefined) return null;
    return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
  }

  /** Every open session, also those that have not said hello. */
  get sessions(): ReadonlySet<Listener> {
    return this.#listeners;
  }

  /** Renditions that listeners have asked for, beside the publisher's own. */
  get wanted(): ReadonlySet<number> {
    const wanted = new Set<number>();
    for (const listener of this.#listeners) if (listener.wanted !== 0) wanted.add(listener.wanted);
    return wanted;
  }

  /** Frames of a ring as messages in one buffer; the last answer is kept for the next asker. */
  bundle(ring: Ring<Frame>, from: number, to: number): Buffer {
    const known = this.#memos.get(ring);
    if (known?.from === from && known.to === to) return known.buffer;
    const frames: Frame[] = [];
    for (let index = from; index < to; index += 1) {
      const frame = ring.at(index);
      if (frame !== undefined) frames.push(frame);
    }
    const buffer = asMessages(frames);
    this.#memos.set(ring, { from, to, buffer });
    return buffer;
  }

  /** Lets time pass for those who hear the past, also while nothing new comes. */
  tick(): void {
    for (const listener of this.#listeners) if (listener.shifted) listener.pump();
  }

  push(frame: Frame): void {
    const lateness = this.#lateness(frame);
    const burst = this.#burst.enter(lateness, samplesToMillis(frame.duration), this.#now());
    if (burst === 'lasts') this.#settling ??= setInterval(() => this.#settle(), SETTLE_EVERY);
    else if (burst === 'over') this.#flushSoon();
    else if (this.#settling !== undefined) return;
    else for (const listener of this.#listeners) listener.pump();
  }

  end(): void {
    this.#flush();
  }

  state(is: ChannelStateName): void {
    if (is !== 'live') this.#flush();
    this.#tell({ type: 'state', is });
  }

  clock(point: ClockPoint): void {
    this.#tell({ type: 'clock', ...point });
  }

  metadata(metadata: Metadata): void {
    this.#tell(metadata);
  }

  derived(): void {
    for (const listener of this.#listeners) if (listener.wanted !== 0) listener.pump();
  }

  catalog(catalog: Catalog): void {
    // A new epoch: its derived rings are new ones.
    this.#memos.clear();
    this.#tell({ type: 'catalog', catalog });
  }

  #settle(): void {
    const { newest } = this.#channel.ring;
    if (newest !== undefined && !this.#burst.settle(this.#lateness(newest), this.#now())) return;
    this.#flush();
  }

  /** The frames that reach up to live come right behind the first that is no longer late. */
  #flushSoon(): void {
    clearInterval(this.#settling);
    this.#settling = setTimeout(() => this.#flush(), FLUSH_AFTER);
  }

  /** Sends what waits, after moving those to live whom late frames have put behind. */
  #flush(): void {
    clearInterval(this.#settling);
    this.#settling = undefined;
    for (const listener of this.#listeners) {
      listener.catchUp();
      listener.pump({ flush: true });
    }
  }

  #lateness(frame: Frame): Millis {
    const { epoch } = this.#channel;
    if (epoch?.pace === undefined) return millis(0);
    return samplesToMillis(samples(epoch.pace.expected(this.#now()) - frame.timestamp));
  }

  #tell(message: ToListenerMessage): void {
    for (const listener of this.#listeners) listener.hear(message);
  }
}
