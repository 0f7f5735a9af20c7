/** Requests for media playlists: what they ask for, and those that wait (RFC 8216bis 6.2.5). */
import type { Millis } from '../../shared/time.ts';
import type { Rendered } from './render-cache.ts';
import type { Segment } from './track.ts';

/** How a playlist request is to be answered. */
export type Reload =
  | { readonly kind: 'now'; readonly skip: boolean }
  | Awaited
  /** 400, with the sentence. */
  | { readonly kind: 'bad'; readonly sentence: string };

/** A request that is answered once the playlist holds the named segment, or a part of it. */
export type Awaited = {
  readonly kind: 'wait';
  readonly msn: number;
  /** Null: the whole segment. */
  readonly part: number | null;
  readonly skip: boolean;
};

/** What of a playlist decides about its requests. */
export type Listed = { readonly segments: readonly Segment[]; readonly ended: boolean };

const DIRECTIVES = ['_HLS_msn', '_HLS_part', '_HLS_skip'] as const;
const SEGMENTS_AHEAD = 2;

const bad = (sentence: string): Reload => ({ kind: 'bad', sentence });

const wholeNumber = (text: string): number | null => {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : null;
};

/**
 * Says whether a playlist already answers a request. A part beyond the end of its segment means
 * part 0 of the segment after it.
 */
export const satisfied = (
  { segments, ended }: Listed,
  { msn, part }: Pick<Awaited, 'msn' | 'part'>,
): boolean => {
  const newest = segments.at(-1);
  if (ended) return true;
  if (newest === undefined) return false;
  if (part === null) return newest.sequence > msn || (newest.sequence === msn && newest.complete);
  if (newest.sequence < msn) return false;
  const asked = segments.find((segment) => segment.sequence === msn);
  if (asked === undefined || part < asked.parts.length) return true;
  if (newest.sequence === msn) return false;
  return newest.sequence > msn + 1 || newest.parts.length > 0;
};

/**
 * Judges the query of a playlist request. Directives are ignored once the playlist has ended, and
 * so is a value of `_HLS_skip` that nobody knows; other parameters are none of our business.
 */
export const judgeReload = (query: URLSearchParams, listed: Listed): Reload => {
  if (listed.ended) return { kind: 'now', skip: false };
  const repeated = DIRECTIVES.find((name) => query.getAll(name).length > 1);
  if (repeated !== undefined) return bad(`${repeated} stands in the query more than once.`);
  const skip = ['YES', 'v2'].includes(query.get('_HLS_skip') ?? '');
  const msnText = query.get('_HLS_msn');
  const partText = query.get('_HLS_part');
  if (msnText === null)
    return partText === null ? { kind: 'now', skip } : bad('_HLS_part needs _HLS_msn beside it.');
  const msn = wholeNumber(msnText);
  if (msn === null) return bad('_HLS_msn is not a media sequence number.');
  const part = partText === null ? null : wholeNumber(partText);
  if (partText !== null && part === null) return bad('_HLS_part is not the index of a part.');
  const newest = listed.segments.at(-1)?.sequence ?? 0;
  if (msn > newest + SEGMENTS_AHEAD)
    return bad(
      `_HLS_msn ${msn} is more than ${SEGMENTS_AHEAD} beyond the newest segment, ${newest}.`,
    );
  return satisfied(listed, { msn, part })
    ? { kind: 'now', skip }
    : { kind: 'wait', msn, part, skip };
};

/** What a request that waited gets. */
export type Answer =
  | { readonly kind: 'rendered'; readonly rendered: Rendered }
  /** 503: nothing new came within three target durations. */
  | { readonly kind: 'late' }
  /** 503: too many wait already. */
  | { readonly kind: 'full' }
  /** 404: the playlist is no more. */
  | { readonly kind: 'gone' };

/** One request that waits; `cancel` when its client has left. */
export type Waiter = { readonly answer: Promise<Answer>; readonly cancel: () => void };

/** Time as waiters know it; `after` returns a function that calls it off. */
export type Timers = {
  readonly now: () => Millis;
  readonly after: (span: Millis, act: () => void) => () => void;
};

type Entry = { awaited: Awaited; deadline: number; resolve: (answer: Answer) => void };

const MOST_WAITERS = 20_000;

/** The requests that wait for one playlist to grow. All that one part answers share one text. */
export class Waiters {
  readonly #patience: Millis;
  readonly #timers: Timers;
  readonly #limit: number;
  /** In order of arrival, hence of deadline. */
  #entries = new Set<Entry>();
  #callOff: (() => void) | null = null;
  #refused = 0;
  #late = 0;

  /** `patience` is three target durations. */
  constructor(
    patience: Millis,
    { timers, limit = MOST_WAITERS }: { timers: Timers; limit?: number },
  ) {
    this.#patience = patience;
    this.#timers = timers;
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Requests turned away because too many waited, and because nothing came in time. */
  get counts(): { readonly refused: number; readonly late: number } {
    return { refused: this.#refused, late: this.#late };
  }

  /** Lets a request wait; its answer never rejects. */
  wait(awaited: Awaited): Waiter {
    if (this.#entries.size >= this.#limit) {
      this.#refused += 1;
      return { answer: Promise.resolve({ kind: 'full' }), cancel: () => undefined };
    }
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const entry = { awaited, deadline: this.#timers.now() + this.#patience, resolve };
    this.#entries.add(entry);
    if (this.#callOff === null) this.#arm();
    return { answer: promise, cancel: () => this.#entries.delete(entry) };
  }

  /** Answers all that the playlist now satisfies; `render` is asked once for each kind of text. */
  release(listed: Listed, render: (skip: boolean) => Rendered): void {
    const texts = new Map<boolean, Answer>();
    for (const entry of this.#entries) {
      if (!satisfied(listed, entry.awaited)) continue;
      const { skip } = entry.awaited;
      const answer = texts.get(skip) ?? { kind: 'rendered', rendered: render(skip) };
      texts.set(skip, answer);
      this.#settle(entry, answer);
    }
  }

  /** Answers everybody with 404 and calls the timer off. */
  close(): void {
    for (const entry of this.#entries) this.#settle(entry, { kind: 'gone' });
    this.#callOff?.();
    this.#callOff = null;
  }

  #settle(entry: Entry, answer: Answer): void {
    this.#entries.delete(entry);
    entry.resolve(answer);
  }

  /** One timer for all: it looks at the oldest, and again when that one is not due. */
  #arm(): void {
    const [oldest] = this.#entries;
    this.#callOff =
      oldest === undefined
        ? null
        : this.#timers.after((oldest.deadline - this.#timers.now()) as Millis, () =>
            this.#expire(),
          );
  }

  #expire(): void {
    const now = this.#timers.now();
    for (const entry of this.#entries) {
      if (entry.deadline > now) break;
      this.#late += 1;
      this.#settle(entry, { kind: 'late' });
    }
    this.#arm();
  }
}
