/** What happens on this server, for whoever watches it: the last events, each with an id. */
import { randomBytes } from 'node:crypto';

/** Kinds of events. */
export type EventKind = 'channel' | 'listeners' | 'metadata' | 'alarm';

/** What happened, as JSON can say it. */
export type News = { readonly kind: EventKind; readonly body: Readonly<Record<string, unknown>> };

/** An event as it goes out; ids of one run of the server share their first half. */
export type StationEvent = { readonly id: string; readonly kind: EventKind; readonly text: string };

const KEPT = 1000;
const ID = /^([\w-]{6})\.(\d{1,15})$/;

/** Keeps the last 1,000 events, and tells them as they come. */
export class EventRing {
  /** So that an id from before a restart is not taken for one of now. */
  readonly #run = randomBytes(6).toString('base64url').slice(0, 6);
  readonly #most: number;
  readonly #subscribers = new Set<(event: StationEvent) => void>();
  #kept: StationEvent[] = [];
  #next = 1;

  constructor({ most = KEPT } = {}) {
    this.#most = most;
  }

  /** Id of the newest event, or of the time before the first. */
  get newest(): string {
    return `${this.#run}.${this.#next - 1}`;
  }

  push({ kind, body }: News): void {
    const event = { id: `${this.#run}.${this.#next}`, kind, text: JSON.stringify(body) };
    this.#next += 1;
    this.#kept.push(event);
    if (this.#kept.length > this.#most) this.#kept.shift();
    for (const subscriber of this.#subscribers) subscriber(event);
  }

  /** All events after an id; undefined when some of them are forgotten, or the id is none of ours. */
  after(id: string): readonly StationEvent[] | undefined {
    const [, run, number] = ID.exec(id) ?? [];
    if (run !== this.#run) return undefined;
    const missed = this.#next - 1 - Number(number);
    if (missed < 0 || missed > this.#kept.length) return undefined;
    return missed === 0 ? [] : this.#kept.slice(-missed);
  }

  /** Tells every event from now on, until the returned function is called. */
  subscribe(subscriber: (event: StationEvent) => void): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }
}
