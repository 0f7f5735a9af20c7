/** Readings that come many times a second, past the rendering of the page. */
import type { ReactiveController, ReactiveControllerHost } from 'lit';

/** Hands each reading to whoever has subscribed, and remembers the newest. */
export class Feed<T> {
  readonly #readers = new Set<(reading: T | null) => void>();
  #newest: T | null = null;

  get newest(): T | null {
    return this.#newest;
  }

  /** Null says that the source has gone. */
  push(reading: T | null): void {
    this.#newest = reading;
    for (const reader of this.#readers) reader(reading);
  }

  /** Returns what ends the subscription. */
  subscribe(reader: (reading: T | null) => void): () => void {
    this.#readers.add(reader);
    return () => void this.#readers.delete(reader);
  }
}

/** Subscribes its host to the feed of a property while the host is in the document. */
export class FeedController<T> implements ReactiveController {
  readonly #feed: () => Feed<T> | null;
  readonly #reader: (reading: T | null) => void;
  #current: Feed<T> | null = null;
  #unsubscribe: (() => void) | null = null;

  constructor(
    host: ReactiveControllerHost,
    feed: () => Feed<T> | null,
    reader: (reading: T | null) => void,
  ) {
    this.#feed = feed;
    this.#reader = reader;
    host.addController(this);
  }

  hostConnected(): void {
    this.hostUpdate();
  }

  hostUpdate(): void {
    const feed = this.#feed();
    if (feed === this.#current) return;
    this.hostDisconnected();
    this.#current = feed;
    this.#unsubscribe = feed?.subscribe(this.#reader) ?? null;
  }

  hostDisconnected(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#current = null;
  }
}
