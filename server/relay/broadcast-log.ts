/** Writes down when a channel's broadcasts began and ended, and which epochs belong to which. */
import { randomUUID } from 'node:crypto';
import type { ChannelStateName } from '../../shared/control.ts';
import type { Frame } from '../../shared/frame.ts';
import type { Utc } from '../../shared/time.ts';
import type { Store } from '../store/store.ts';
import type { Audience } from './channel.ts';
import { GRACE } from './channel-state.ts';
import type { Now } from './session.ts';

/** Publishers tell the time so often, ms: one was still there for so long after it was last heard. */
const CLOCK_EVERY = 10_000;

/** Runs what may fail, and says so once; the broadcast goes on whatever the disk does. */
export type Keep = (act: () => void) => void;

/** One channel's log; a broadcast goes on over restarts of the server and its publisher's epochs. */
export class BroadcastLog implements Audience {
  readonly #slug: string;
  readonly #store: Store;
  readonly #now: Now;
  readonly #keep: Keep;
  /** Broadcasts that a restart cut: they end when the grace has passed, or another one begins. */
  #cut: readonly string[];
  readonly #graceUntil: number;
  #broadcast: string | null = null;
  /** Identity of the next broadcast: a publisher is told it before its first frame. */
  #next = randomUUID();
  #epoch = -1;

  /** `heard` is when a publisher was last heard of, before a restart. */
  constructor(
    slug: string,
    { store, now, keep, heard }: { store: Store; now: Now; keep: Keep; heard: Utc | null },
  ) {
    this.#slug = slug;
    this.#store = store;
    this.#now = now;
    this.#keep = keep;
    this.#cut = store.unended(slug);
    this.#graceUntil = Math.min(now(), (heard ?? now()) + CLOCK_EVERY) + GRACE;
  }

  /** Identity of the broadcast that is on; null off the air. */
  get broadcast(): string | null {
    return this.#broadcast;
  }

  /** The broadcast that frames of an epoch belong to, were they to come now. */
  of(epoch: number): string {
    return this.#broadcast ?? this.#resumable(epoch) ?? this.#next;
  }

  /** The broadcast that a restart cut, as long as it may be resumed. */
  get cut(): string | null {
    return this.#cut.at(-1) ?? null;
  }

  /** Lets time pass. */
  tick(now: Utc): void {
    if (this.#cut.length > 0 && now >= this.#graceUntil) this.#endCut(null);
  }

  push({ epoch }: Frame): void {
    if (epoch === this.#epoch && this.#broadcast !== null) return;
    this.#epoch = epoch;
    const id = this.#broadcast ?? this.#begin(epoch);
    this.#keep(() => this.#store.keepBroadcastEpoch(id, { slug: this.#slug, epoch }));
  }

  state(is: ChannelStateName): void {
    const id = this.#broadcast;
    if (is !== 'ended' || id === null) return;
    this.#broadcast = null;
    const now = this.#now();
    this.#keep(() => this.#store.endBroadcast(id, now));
  }

  end(): void {}
  clock(): void {}
  metadata(): void {}
  catalog(): void {}
  derived(): void {}

  #begin(epoch: number): string {
    const id = this.of(epoch);
    this.#broadcast = id;
    if (id === this.#next) {
      this.#next = randomUUID();
      const now = this.#now();
      this.#keep(() => this.#store.beginBroadcast(id, { slug: this.#slug, now }));
    }
    this.#endCut(id);
    return id;
  }

  /** A database that cannot be read knows of none; whether it can be written, others find out. */
  #resumable(epoch: number): string | null {
    try {
      const before = this.#store.broadcastOf(this.#slug, epoch);
      return before?.ended === null ? before.id : null;
    } catch {
      return null;
    }
  }

  #endCut(except: string | null): void {
    const over = this.#cut.filter((id) => id !== except);
    this.#cut = [];
    const now = this.#now();
    for (const id of over) this.#keep(() => this.#store.endBroadcast(id, now));
  }
}
