/** What of one channel is told to those who watch the server: its state, its listeners, its titles. */
import type { ChannelStateName, Metadata } from '../../shared/control.ts';
import type { BroadcastLog } from './broadcast-log.ts';
import type { Audience, Channel } from './channel.ts';
import type { News } from './event-ring.ts';
import type { Vitals } from './vitals.ts';

/** What a channel's news are made of. */
export type ChannelNewsOptions = {
  readonly log: BroadcastLog;
  readonly vitals: Vitals;
  readonly tell: (news: News) => void;
};

/** Tells what changes, and what is the case for those who come later. */
export class ChannelNews implements Audience {
  readonly #channel: Channel;
  readonly #options: ChannelNewsOptions;
  #told = '';
  #counted = '';

  constructor(channel: Channel, options: ChannelNewsOptions) {
    this.#channel = channel;
    this.#options = options;
    this.#told = this.#standing();
    this.#counted = JSON.stringify(options.vitals.listeners);
    channel.attend(this);
  }

  /** Everything that is the case now. */
  get present(): readonly News[] {
    const { nowPlaying } = this.#channel;
    return [
      this.#state(),
      this.#listeners(),
      ...(nowPlaying === null ? [] : [this.#title(nowPlaying)]),
    ];
  }

  state(is: ChannelStateName): void {
    // That it is live is told by the next tick, when the broadcast has its identity.
    if (is !== 'live') this.#tellState();
  }

  metadata(metadata: Metadata): void {
    this.#options.tell(this.#title(metadata));
  }

  push(): void {}
  end(): void {}
  clock(): void {}
  catalog(): void {}
  derived(): void {}

  /** Lets time pass, ten times a second. */
  tick(): void {
    if (this.#standing() !== this.#told) this.#tellState();
  }

  /** Tells the number of listeners where it has changed; once a second. */
  count(): void {
    const counted = JSON.stringify(this.#options.vitals.listeners);
    if (counted === this.#counted) return;
    this.#counted = counted;
    this.#options.tell(this.#listeners());
  }

  #standing(): string {
    return `${this.#channel.state} ${this.#options.log.broadcast}`;
  }

  #tellState(): void {
    this.#told = this.#standing();
    this.#options.tell(this.#state());
  }

  #state(): News {
    const { slug, state, since } = this.#channel;
    const { broadcast } = this.#options.log;
    const entered = since === undefined ? null : new Date(since).toISOString();
    return { kind: 'channel', body: { channel: slug, state, since: entered, broadcast } };
  }

  #listeners(): News {
    const { listeners } = this.#options.vitals;
    return { kind: 'listeners', body: { channel: this.#channel.slug, ...listeners } };
  }

  #title({ title, artist, artwork, url, at }: Metadata): News {
    const words = { title, artist: artist ?? null, artwork: artwork ?? null, url: url ?? null };
    return { kind: 'metadata', body: { channel: this.#channel.slug, ...words, at } };
  }
}
