/** The titles of a programme, each at the sample from which on it holds. */
import type { Metadata } from '../../shared/control.ts';
import { type Samples, samples } from '../../shared/time.ts';
import type { Continuity } from './continuity.ts';
import type { DatedTitle } from './hls-titles.ts';
import type { TimedMetadata } from './track.ts';

/** Titles kept for playlists: songs of three minutes in a window of a day. */
const MOST = 480;
/** Titles that wait for the first frame of their epoch. */
const WAITING_MOST = 8;
/** Dates in playlists have milliseconds. */
const MILLISECOND = samples(48);

type Words = Omit<TimedMetadata, 'at'>;

/** What holds while nothing is on. */
const NOTHING_ON: Words = { title: '', artist: null, artwork: null, url: null };

const isSaid = (one: Words, other: Words): boolean =>
  one.title === other.title &&
  one.artist === other.artist &&
  one.artwork === other.artwork &&
  one.url === other.url;

/** Where the titles of one timeline stand. */
export class ProgrammeTitles {
  readonly #placed: DatedTitle[];
  readonly #timeline: Pick<Continuity, 'trackTimeOf' | 'utcOf' | 'head'>;
  #waiting: readonly Metadata[] = [];

  constructor(kept: readonly DatedTitle[], timeline: Continuity) {
    this.#placed = [...kept];
    this.#timeline = timeline;
  }

  /** Oldest first; no two at the same sample. */
  get placed(): readonly DatedTitle[] {
    return this.#placed;
  }

  /**
   * Enters a title; returns it if it stands now. One whose epoch has not begun waits for it, of more
   * than eight the newest; an epoch that never comes takes its titles with it.
   */
  enter(metadata: Metadata): TimedMetadata[] {
    const track = this.#trackTimeOf(metadata);
    if (track !== null) return this.#place(metadata, track);
    this.#waiting = [...this.#waiting, metadata].slice(-WAITING_MOST);
    return [];
  }

  /** An epoch has begun: returns those that have waited for it. */
  begin(): TimedMetadata[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting.flatMap((metadata) => this.enter(metadata));
  }

  /** Whether one has no end yet, or is placed ahead. */
  get stand(): boolean {
    return (this.#placed.at(-1)?.title ?? '') !== '';
  }

  /** The broadcast is over and silence follows, in which nothing holds that was placed so far. */
  rest(): TimedMetadata[] {
    const { head } = this.#timeline;
    while ((this.#placed.at(-1)?.at ?? head) > head) this.#placed.pop();
    return this.stand ? this.#put(NOTHING_ON, head) : [];
  }

  /** Nothing is waited for any more. */
  end(): void {
    this.#waiting = [];
  }

  #trackTimeOf({ at: { epoch, timestamp } }: Metadata): Samples | null {
    return this.#timeline.trackTimeOf(epoch, timestamp);
  }

  #place({ title, artist, artwork, url }: Metadata, track: Samples): TimedMetadata[] {
    const words = { title, artist: artist ?? null, artwork: artwork ?? null, url: url ?? null };
    return this.#put(words, track);
  }

  /**
   * Where another title stands already it is a millisecond later: what players know by its place
   * never changes its text (RFC 8216bis 4.4.5.1). One that says the same again changes nothing.
   */
  #put(words: Words, track: Samples): TimedMetadata[] {
    let at = track;
    let before: DatedTitle | undefined;
    for (let other = this.#at(at); other !== undefined; other = this.#at(at)) {
      before = other;
      at = samples(at + MILLISECOND);
    }
    if (before !== undefined && isSaid(before, words)) return [];
    const timed = { at, ...words };
    this.#placed.push({ ...timed, utc: this.#timeline.utcOf(at) });
    this.#placed.sort((one, other) => one.at - other.at);
    if (this.#placed.length > MOST) this.#forget();
    return [timed];
  }

  #at(track: Samples): DatedTitle | undefined {
    return this.#placed.find(({ at }) => at === track);
  }

  /** The oldest goes if it no longer holds, or else the one that is furthest ahead. */
  #forget(): void {
    const isPast = (this.#placed[1]?.at ?? Number.POSITIVE_INFINITY) <= this.#timeline.head;
    if (isPast) this.#placed.shift();
    else this.#placed.pop();
  }
}
