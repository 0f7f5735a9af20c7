/** Writes down when a channel's broadcasts began and ended, and which epochs belong to which. */
import { randomUUID } from 'node:crypto';
import type { ChannelStateName } from '../../shared/control.ts';
import type { Frame } from '../../shared/frame.ts';
import type { Store } from '../store/store.ts';
import type { Audience } from './channel.ts';
import type { Now } from './session.ts';

/** One channel's log; a broadcast goes on over restarts of the server and its publisher's epochs. */
export class BroadcastLog implements Audience {
  readonly #slug: string;
  readonly #store: Store;
  readonly #now: Now;
  #broadcast: string | null = null;
  #epoch = -1;

  constructor(slug: string, { store, now }: { store: Store; now: Now }) {
    this.#slug = slug;
    this.#store = store;
    this.#now = now;
  }

  /** Identity of the broadcast that is on; null off the air. */
  get broadcast(): string | null {
    return this.#broadcast;
  }

  push({ epoch }: Frame): void {
    if (epoch === this.#epoch && this.#broadcast !== null) return;
    this.#epoch = epoch;
    if (this.#broadcast === null) this.#begin(epoch);
    if (this.#broadcast !== null)
      this.#store.keepBroadcastEpoch(this.#broadcast, { slug: this.#slug, epoch });
  }

  state(is: ChannelStateName): void {
    if (is !== 'ended' || this.#broadcast === null) return;
    this.#store.endBroadcast(this.#broadcast, this.#now());
    this.#broadcast = null;
  }

  end(): void {}
  clock(): void {}
  metadata(): void {}
  catalog(): void {}

  #begin(epoch: number): void {
    const before = this.#store.broadcastOf(this.#slug, epoch);
    this.#broadcast = before !== undefined && before.ended === null ? before.id : randomUUID();
    if (before?.id !== this.#broadcast)
      this.#store.beginBroadcast(this.#broadcast, { slug: this.#slug, now: this.#now() });
  }
}
