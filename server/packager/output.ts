/** One rendition on its way out: access units in, playlists and their media out. */
import { type Millis, millis, type Samples } from '../../shared/time.ts';
import type { Continuity } from './continuity.ts';
import { initSegment, mediaPart } from './fmp4.ts';
import { mediaPlaylist, type PlaylistView, type Sibling } from './hls.ts';
import { targetDuration } from './hls-bitrates.ts';
import type { DatedTitle } from './hls-titles.ts';
import { continuityAfter, newTransportContinuity, transportSegment } from './mpegts.ts';
import { stretchesAfter } from './programme-restore.ts';
import { judgeReload, type Reload, type Timers, type Waiter, Waiters } from './reload.ts';
import { RenderCache, type RenderCosts, type Rendered } from './render-cache.ts';
import type { SegmentStore } from './segment-store.ts';
import { Segmenter, type StretchBeginning } from './segmenter.ts';
import type {
  AccessUnit,
  Format,
  Grid,
  Piece,
  Rendition,
  Segment,
  TimedMetadata,
} from './track.ts';
import { Window } from './window.ts';
import type { RestoredWindow } from './window-restore.ts';

/** What an output is made of. */
export type OutputOptions = {
  readonly rendition: Rendition;
  readonly grid: Grid;
  readonly duration: Samples;
  readonly stretches: number;
  readonly continuity: Pick<Continuity, 'utcOf'>;
  /** Stands in for units that were lost. */
  readonly silent: { readonly duration: Samples; readonly bytes: Uint8Array };
  readonly titles: () => readonly DatedTitle[];
  readonly siblings: () => readonly Output[];
  readonly timers: Timers;
  readonly store: SegmentStore;
  /** What a restart left, the track time up to which other renditions go, and their stretches. */
  readonly cut?: {
    readonly window: RestoredWindow;
    readonly until: Samples;
    readonly beginnings: readonly StretchBeginning[];
  };
};

type Beginning = Extract<Piece, { kind: 'discontinuity' }>;

/** A rendition's segmenter, its window, its playlists and those who wait for them. */
export class Output {
  readonly rendition: Rendition;
  readonly init: Buffer;
  readonly window: Window;
  readonly #options: OutputOptions;
  readonly #segmenter: Segmenter;
  readonly #texts = new RenderCache<`${Format} ${boolean}`>();
  readonly #waiters: Record<Format, Waiters>;
  readonly #written: Record<Format, WeakMap<Segment, string>> = {
    fmp4: new WeakMap(),
    ts: new WeakMap(),
  };
  /** Stretches whose first unit has not come yet. */
  readonly #beginnings: Beginning[] = [];
  #end: { readonly at: Samples; readonly over: () => void } | undefined;
  #version = 0;
  #settling = false;

  constructor(options: OutputOptions) {
    const { rendition, grid, duration, continuity, silent, timers, cut } = options;
    const last = cut?.window.listed.at(-1);
    const { store } = options;
    this.#options = options;
    this.rendition = rendition;
    this.init = initSegment(rendition);
    this.window = new Window({ grid, duration, store, ...cut?.window });
    const lastTs = cut?.window.lastTs ?? null;
    const transport = lastTs === null ? newTransportContinuity() : continuityAfter(lastTs);
    this.#segmenter = new Segmenter({
      grid,
      package: mediaPart,
      ...(rendition.codec === 'aac'
        ? { packageTs: (content) => transportSegment({ ...content, continuity: transport }) }
        : {}),
      nameOf: (sequence) => String(sequence),
      utcOf: (track) => continuity.utcOf(track),
      silent,
      stretches: last === undefined ? options.stretches : stretchesAfter(last),
      to: this.window,
    });
    const patience = millis(3000 * targetDuration(grid));
    this.#waiters = {
      fmp4: new Waiters(patience, { timers }),
      ts: new Waiters(patience, { timers }),
    };
    this.window.onPart(() => this.#grown());
    if (cut !== undefined && last !== undefined)
      this.#segmenter.endCut(last, { ...cut, units: cut.window.units });
  }

  /** Stretches in the channel's life so far. */
  get stretches(): number {
    return this.#segmenter.stretches;
  }

  /** Whether a player can begin: there is a whole segment. */
  get playable(): boolean {
    return this.window.segments[0]?.complete === true;
  }

  /** Requests that wait. */
  get waiting(): number {
    return this.#waiters.fmp4.size + this.#waiters.ts.size;
  }

  /** Changes with every part, every title and the end. */
  get version(): number {
    return this.#version;
  }

  /** What its playlists have cost so far. */
  get costs(): RenderCosts {
    return this.#texts.costs;
  }

  /** A stretch begins; its units may still be on their way. */
  begin(beginning: Beginning): void {
    this.#beginnings.push(beginning);
  }

  push(unit: AccessUnit): void {
    this.#beginUpTo(unit.at);
    this.#segmenter.push(unit);
    if (this.#end !== undefined && unit.at + unit.duration >= this.#end.at) this.#end.over();
  }

  title(metadata: TimedMetadata): void {
    this.#segmenter.title(metadata);
    this.#version += 1;
  }

  /** Titles from a track time on that are still to come will not be told. */
  forgetTitles(from: Samples): void {
    this.#segmenter.forgetTitles(from);
  }

  /** The broadcast ends at a track time; its last units may still be on their way. */
  endAt(end: Samples): void {
    this.#end = { at: end, over: () => this.finish() };
  }

  /** The same without ENDLIST, because the server restarts; resolves once the last units are in. */
  pauseAt(end: Samples): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#end = { at: end, over: resolve };
    return promise.then(() => this.pause());
  }

  /** Nothing more will come, and what did not come is silence, as long as the others: ENDLIST. */
  finish(): void {
    if (this.window.ended) return;
    if (this.#end !== undefined && this.window.segments.length > 0) {
      this.#beginUpTo(this.#end.at);
      this.#segmenter.fillTo(this.#end.at);
    }
    this.#segmenter.end();
    this.window.end();
  }

  /** The stretch is over, and the channel goes on. */
  pause(): void {
    this.#segmenter.pause();
  }

  /** Judges a playlist request: to be answered now, to wait, or wrong. */
  judge(query: URLSearchParams): Reload {
    return judgeReload(query, this.window);
  }

  /** The playlist as it stands. */
  playlist(format: Format, skip: boolean): Rendered {
    return this.#texts.get(`${format} ${skip}`, this.#version, () =>
      mediaPlaylist(this.#view(format), { skip }),
    );
  }

  /** Waits for what was asked for. */
  wait(format: Format, awaited: Extract<Reload, { kind: 'wait' }>): Waiter {
    return this.#waiters[format].wait(awaited);
  }

  /**
   * The next bytes of a segment or part that is to come: resolves when something was added or the
   * window ended, with false after three target durations or when too many wait.
   */
  grown(): { readonly promise: Promise<boolean>; readonly cancel: () => void } {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const callOff = this.#options.timers.after(this.#patience, () => resolve(false));
    const leave = this.window.onPart(() => resolve(true));
    if (leave === null) resolve(false);
    const cancel = (): void => {
      callOff();
      leave?.();
      resolve(false);
    };
    void promise.then(() => {
      callOff();
      leave?.();
    });
    return { promise, cancel };
  }

  /** Lets go of everybody who waits. */
  close(): void {
    for (const waiters of Object.values(this.#waiters)) waiters.close();
  }

  #beginUpTo(at: Samples): void {
    for (
      let [next] = this.#beginnings;
      next !== undefined && at >= next.at;
      [next] = this.#beginnings
    ) {
      this.#segmenter.begin(next);
      this.#beginnings.shift();
    }
  }

  get #patience(): Millis {
    return millis(3000 * targetDuration(this.#options.grid));
  }

  /** A segment's last part, its completion and the opening of the next come in one turn. */
  #grown(): void {
    this.#version += 1;
    if (this.#settling) return;
    this.#settling = true;
    queueMicrotask(() => {
      this.#settling = false;
      this.#release();
    });
  }

  #release(): void {
    this.#version += 1;
    for (const format of ['fmp4', 'ts'] as const) {
      const waiters = this.#waiters[format];
      if (waiters.size > 0) waiters.release(this.window, (skip) => this.playlist(format, skip));
    }
  }

  #view(format: Format): PlaylistView {
    const { grid, titles, siblings } = this.#options;
    const extension = format === 'ts' ? 'ts' : 'm4s';
    const { hint, segments, ended } = this.window;
    return {
      grid,
      segments,
      ended,
      initUri: format === 'ts' ? null : 'init.mp4',
      lowLatency: format === 'fmp4',
      hint,
      uriOf: ({ name }, part) =>
        part === undefined ? `${name}.${extension}` : `${name}.${part}.${extension}`,
      metadata: titles(),
      written: this.#written[format],
      siblings: siblings().flatMap((other) => (other === this ? [] : other.#asSibling())),
    };
  }

  #asSibling(): Sibling[] {
    const last = this.window.segments.at(-1);
    if (last === undefined) return [];
    const lastPart = last.parts.length - 1;
    return [{ uri: `../${this.rendition.name}/index.m3u8`, lastMsn: last.sequence, lastPart }];
  }
}
