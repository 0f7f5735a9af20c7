/**
 * One broadcast as players get it (on a continuous channel: everything since the start): the frames'
 * timeline, the transcoder, and an output for each rendition.
 */
import type { ClockPoint, Metadata } from '../../shared/control.ts';
import type { Frame } from '../../shared/frame.ts';
import { type Millis, millis, type Samples, samples, type Utc } from '../../shared/time.ts';
import type { LowRateFrame } from '../transcoder/messages.ts';
import type { LoudnessReading } from '../transcoder/meters.ts';
import type { Transcoder, TranscoderSink } from '../transcoder/transcoder.ts';
import { turnsUntil } from '../transcoder/turns.ts';
import { SILENT_UNIT } from '../transcoder/unit-order.ts';
import { Continuity } from './continuity.ts';
import { FirstSegments } from './first-segments.ts';
import type { DatedTitle } from './hls-titles.ts';
import { Output, type OutputOptions } from './output.ts';
import type { RestoredProgramme } from './programme-restore.ts';
import { ProgrammeTitles } from './programme-titles.ts';
import type { Timers } from './reload.ts';
import { RenderCache } from './render-cache.ts';
import { silentPackets } from './silence.ts';
import type { AccessUnit, Grid, Piece, Rendition, TimedMetadata } from './track.ts';
import type { WindowFolder } from './window-folder.ts';

/** How long the encoders may take for what they still have when the server ends, ms. */
const PAUSE_WITHIN = millis(1200);
/** What the encoders still have comes within this after the end, ms: ENDLIST is promised in 2 s. */
const FINISH_WITHIN = millis(1200);
const OPUS_SILENCE = Uint8Array.of(0xfc, 0xff, 0xfe);

/** The publisher's own frames as a rendition. Declared stereo: mono packets decode to both sides. */
export const OPUS: Rendition = { name: 'opus', codec: 'opus', channels: 2, bitrate: 128_000 };

/** What a programme is made of. */
export type ProgrammeOptions = {
  /** Secret part of its media addresses. */
  readonly secret: string;
  readonly grid: Grid;
  readonly ladder: readonly Rendition[];
  readonly window: Samples;
  /** Track time and stretches at which the channel's life goes on. */
  readonly begin: Samples;
  readonly stretches: number;
  readonly folder: WindowFolder;
  /** What a restart left of it. */
  readonly restored?: RestoredProgramme | undefined;
  readonly continuous: boolean;
  readonly timers: Timers;
  readonly createTranscoder: (sink: TranscoderSink) => Transcoder;
  readonly lowRate: (frame: LowRateFrame) => void;
  readonly loudness: (reading: LoudnessReading) => void;
};

/** A broadcast on its way to players. */
export class Programme {
  readonly secret: string;
  /** Goes on for ever: silence between broadcasts. */
  readonly continuous: boolean;
  readonly outputs: ReadonlyMap<string, Output>;
  readonly transcoder: Transcoder;
  /** Its multivariant playlists and its manifest. */
  readonly texts = new RenderCache<string>();
  readonly folder: WindowFolder;
  /** Frames of this epoch before this timestamp are in the window since before a restart. */
  readonly published: RestoredProgramme['next'];
  readonly #timers: Timers;
  readonly #continuity: Continuity;
  readonly #opus: Output;
  readonly #titles: ProgrammeTitles;
  readonly #first: FirstSegments;
  /** When it began; long ago, where that was before a restart. */
  readonly #since: number;
  #ended = false;

  constructor(options: ProgrammeOptions) {
    const { secret, grid, ladder, window, begin, stretches, continuous, timers } = options;
    const { folder, restored } = options;
    this.secret = secret;
    this.continuous = continuous;
    this.folder = folder;
    this.#timers = timers;
    this.#first = new FirstSegments(timers);
    this.#since = restored === undefined ? timers.now() : Number.NEGATIVE_INFINITY;
    this.published = restored?.next ?? null;
    this.#continuity = new Continuity({
      grid,
      begin,
      continuous,
      dated: restored?.dated,
      emit: (piece) => this.#take(piece),
    });
    this.#titles = new ProgrammeTitles(folder.kept.titles, this.#continuity);
    this.transcoder = options.createTranscoder({
      unit: (name, unit) => this.outputs.get(name)?.push(unit),
      frame: options.lowRate,
      loudness: options.loudness,
    });
    const common = {
      grid,
      duration: window,
      stretches,
      continuity: this.#continuity,
      titles: () => this.titles,
      timers,
    };
    const kept = ({ name }: Rendition): Pick<OutputOptions, 'store' | 'cut'> => {
      const found = restored?.windows.get(name);
      const store = folder.store(name, found);
      if (restored === undefined || found === undefined) return { store };
      const { end, beginnings } = restored;
      return { store, cut: { window: found, until: end, beginnings } };
    };
    const silentAac = { duration: samples(1024), bytes: SILENT_UNIT };
    const aac: Output[] = ladder.map(
      (rendition) =>
        new Output({
          ...common,
          ...kept(rendition),
          rendition,
          silent: silentAac,
          siblings: () => aac,
        }),
    );
    const silentOpus = { duration: samples(960), bytes: OPUS_SILENCE };
    this.#opus = new Output({
      ...common,
      ...kept(OPUS),
      rendition: OPUS,
      silent: silentOpus,
      siblings: () => [],
    });
    this.outputs = new Map([...aac, this.#opus].map((output) => [output.rendition.name, output]));
    for (const output of this.outputs.values())
      output.window.onPart(() => {
        if (output.playable || output.window.ended) this.#first.tell();
      });
  }

  /** Outputs of a codec that can be played; without an AAC encoder here AAC is never among them. */
  playable(codec: Rendition['codec']): Output[] {
    return this.#outputsOf(codec).filter((output) => output.playable);
  }

  /**
   * Waits until all outputs of a codec can be played, and no longer than until the programme is so
   * old: what then lacks may never come. What a restart left is not waited for.
   */
  begun(codec: Rendition['codec'], within: Millis): ReturnType<FirstSegments['wait']> {
    const ready = (): boolean =>
      this.#outputsOf(codec).every(({ playable, window }) => playable || window.ended);
    return this.#first.wait(ready, millis(this.#since + within - this.#timers.now()));
  }

  /** Requests that wait for that. */
  get awaited(): number {
    return this.#first.size;
  }

  /** Whether AAC can be made here; null while the first child has not said so. */
  get aac(): boolean | null {
    return this.transcoder.aac;
  }

  /** Track time up to which names may have been used, and stretches so far. */
  get head(): Samples {
    return this.#continuity.head;
  }

  get stretches(): number {
    return this.#opus.stretches;
  }

  /** Titles for playlists, oldest first. */
  get titles(): readonly DatedTitle[] {
    return this.#titles.placed;
  }

  get counts(): Continuity['counts'] {
    return this.#continuity.counts;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Counts what is made of all up to a frame: parts, and messages to the encoders; null for one that
   * has no place yet or comes late, of which nobody knows what it leads to.
   */
  stepOf({ epoch, timestamp, duration }: Frame): number | null {
    const at = this.#ended ? null : this.#continuity.trackTimeOf(epoch, timestamp);
    return at === null || at < this.head ? null : turnsUntil(samples(at + duration));
  }

  push(frame: Frame, { now, clock }: { now: Utc; clock: ClockPoint | null }): void {
    const { published } = this;
    if (published?.epoch === frame.epoch && frame.timestamp < published.timestamp) return;
    this.#continuity.push(frame, { now, clock });
  }

  /** Lets time pass; whether its broadcast is on, or may be resumed. */
  tick(now: Utc, isOn: boolean): void {
    this.#continuity.tick(now);
    if (!isOn) this.#untitle();
  }

  /** A title, at the sample it belongs to, or as soon as that has a place. */
  title(metadata: Metadata): void {
    if (!this.#ended) this.#tell(this.#titles.enter(metadata));
  }

  /** The server restarts: all that came is made into segments and written, without an end. */
  async pause(now: Utc): Promise<void> {
    const { placed } = this.#continuity;
    this.#continuity.end(now);
    this.transcoder.end();
    this.#opus.pause();
    const { head } = this.#continuity;
    const paused = [...this.outputs.values()]
      .filter((output) => output !== this.#opus)
      .map((output) => output.pauseAt(head));
    const late = new Promise<void>((resolve) => this.#timers.after(PAUSE_WITHIN, resolve));
    await Promise.race([Promise.all(paused), late]);
    for (const output of this.outputs.values()) output.pause();
    if (placed !== null) this.folder.keep({ placed });
    await this.folder.flush();
  }

  /** The broadcast is over, and silence follows on a continuous channel. */
  rest(now: Utc): void {
    this.#continuity.end(now);
    this.#untitle();
    this.folder.keep({ placed: null });
  }

  /** The broadcast is over; what is still in the encoders comes, then every playlist ends. */
  end(now: Utc): void {
    this.#continuity.end(now);
    this.#ended = true;
    this.#titles.end();
    this.transcoder.end();
    const { head } = this.#continuity;
    this.#opus.finish();
    for (const output of this.outputs.values()) output.endAt(head);
    this.#timers.after(FINISH_WITHIN, () => void this.release());
  }

  /** Ends what has not ended by itself, and lets the encoders go. */
  async release(): Promise<void> {
    this.#ended = true;
    for (const output of this.outputs.values()) output.finish();
    this.folder.keep({ ended: true });
    await this.transcoder.close();
  }

  /** Lets go of everything, also of those who wait. */
  async close(): Promise<void> {
    this.#first.close();
    for (const output of this.outputs.values()) output.close();
    await Promise.all([this.transcoder.close(), this.folder.close()]);
  }

  #outputsOf(codec: Rendition['codec']): Output[] {
    const wanted = this.aac === false ? 'opus' : codec;
    return [...this.outputs.values()].filter(({ rendition }) => rendition.codec === wanted);
  }

  #take(piece: Piece): void {
    this.transcoder.push(piece);
    if (piece.kind === 'discontinuity') {
      const { placed } = this.#continuity;
      this.folder.keep({ placed: placed && { ...placed, next: null } });
      for (const output of this.outputs.values()) output.begin(piece);
      this.#tell(this.#titles.begin());
      return;
    }
    for (const unit of this.#opusUnits(piece)) this.#opus.push(unit);
  }

  /** What is heard between two broadcasts has no title. */
  #untitle(): void {
    if (!this.#titles.stand) return;
    for (const output of this.outputs.values()) output.forgetTitles(this.head);
    this.#tell(this.#titles.rest());
  }

  #tell(titles: readonly TimedMetadata[]): void {
    for (const title of titles) for (const output of this.outputs.values()) output.title(title);
    if (titles.length > 0) this.folder.keep({ titles: this.titles });
  }

  #opusUnits(piece: Exclude<Piece, { kind: 'discontinuity' }>): AccessUnit[] {
    if (piece.kind === 'silence') return silentPackets(piece.at, piece.duration);
    const { duration, packet } = piece.frame;
    return [{ at: piece.at, duration, bytes: packet }];
  }
}
