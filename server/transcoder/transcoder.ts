/**
 * The transcoder as the server sees it: pieces of a channel's sound in, AAC access units, low-rate
 * Opus frames and loudness out, all in track time. The codecs run in a child process that may die or
 * hang at any moment; another one takes over from pieces that are kept for it, and the units go on
 * without a hole and without one twice.
 */
import { type Samples, samples } from '../../shared/time.ts';
import type { AccessUnit, Piece } from '../packager/track.ts';
import { PRE_ROLL, UNIT } from './aac-encoder.ts';
import { KeptPieces } from './kept-pieces.ts';
import { LastingChild, type LastingChildOwner, type TranscoderLog } from './lasting-child.ts';
import type { AacName, Feed, LadderStep, LowRate, LowRateFrame, Outcome } from './messages.ts';
import { type LoudnessReading, ProgrammeLoudness } from './meters.ts';
import { LADDER, LOW_RATES } from './presets.ts';
import { messagesUntil } from './turns.ts';
import { SILENT_UNIT, UnitOrder } from './unit-order.ts';

/** Children in a row that died without any output before the sound itself is suspected. */
const FRUITLESS = 2;

/** Children in a row that never started before AAC is said to be unavailable. */
const STILLBORN = 3;

/** Takes what the transcoder makes. */
export interface TranscoderSink {
  /** An access unit of the rendition of that name: gapless in each stretch, none twice. */
  unit(rendition: string, unit: AccessUnit): void;
  /** A frame of a low-rate rendition that is on. */
  frame(frame: LowRateFrame): void;
  /** One for each 100 ms, several at a time. */
  loudness(reading: LoudnessReading): void;
}

/** What went wrong so far, counted. */
export type TranscoderCounters = {
  /** Children after the first. */
  readonly restarts: number;
  /** Of these, because the one before gave no output. */
  readonly stalls: number;
  /** Frames that could not be decoded and were concealed. */
  readonly corruptFrames: number;
  /** Frames given up because children died of them or could not keep up. */
  readonly lostFrames: number;
  /** Units (of each rendition) that are silence because their sound was lost. */
  readonly silentUnits: number;
  /** Units that came twice or in no stretch, and were dropped. */
  readonly strayUnits: number;
};

/** Makes AAC and low-rate Opus of a channel's sound. */
export interface Transcoder {
  readonly counters: TranscoderCounters;
  /** Sound that went in and was not yet taken. Above 2 s the sender is faster than the codecs. */
  readonly behind: Samples;
  /** Whether AAC can be made here; null until the first child runs, and false while none does. */
  readonly aac: boolean | null;
  /** The first answer to that. */
  available(): Promise<boolean>;
  /**
   * Takes the next piece; up to 320 ms gather first. What a publisher kept over an outage, 120 s, may
   * come at once; of what then waits for more than 7 s some is given up.
   */
  push(piece: Piece): void;
  /** Ends the stretch: its last units come out. Only a discontinuity may follow. */
  end(): void;
  /** Switches low-rate renditions: exactly the named ones are encoded from now on. */
  setLowRate(names: readonly string[]): void;
  /** The next stretch begins a new programme: nothing before it counts for its loudness. */
  resetLoudness(): void;
  /** Ends the child and resolves when it has gone. Nothing comes out any more. */
  close(): Promise<void>;
}

/** How it is set up: `now` reads a clock in ms; when none of the `encoders` is there, `lacksAac`. */
export type TranscoderOptions = {
  readonly log: TranscoderLog;
  readonly now: () => number;
  readonly ladder?: readonly LadderStep[];
  readonly lowRates?: readonly LowRate[];
  readonly encoders?: readonly AacName[];
  readonly lacksAac: () => void;
};

/** The transcoder with a child process for the codecs. */
export class ChildTranscoder implements Transcoder {
  readonly #sink: TranscoderSink;
  readonly #lacksAac: () => void;
  readonly #now: () => number;
  readonly #ladder: readonly LadderStep[];
  readonly #lowRates: readonly LowRate[];
  readonly #child: LastingChild;
  readonly #kept = new KeptPieces();
  readonly #order = new UnitOrder();
  readonly #available = Promise.withResolvers<boolean>();
  readonly #counts = { corruptFrames: 0, lostFrames: 0, silentUnits: 0, strayUnits: 0 };
  #loudness = new ProgrammeLoudness();
  #lowRateOn: readonly LowRate[] = [];
  /** Undefined until the first child is ready. */
  #aac: AacName | null | undefined;
  /** So many failed to start that there may be none; one that comes all the same proves it wrong. */
  #stillborn = false;
  #sending: NodeJS.Immediate | undefined;
  /** End of the last piece. */
  #end = samples(0);
  /** The children together took everything before this; it is not to come out a second time. */
  #taken = samples(0);
  #measured = samples(0);
  /** What comes before the next stretch, a fade included, belongs to the programme before. */
  #awaitsProgramme = false;
  #closed = false;

  constructor(sink: TranscoderSink, options: TranscoderOptions) {
    const { ladder = LADDER, lowRates = LOW_RATES, encoders = ['libfdk_aac', 'aac'] } = options;
    const { log, now } = options;
    this.#sink = sink;
    this.#lacksAac = options.lacksAac;
    this.#now = now;
    this.#ladder = ladder;
    this.#lowRates = lowRates;
    const owner: LastingChildOwner = {
      ready: (aac) => this.#begin(aac),
      outcome: (outcome) => this.#receive(outcome),
      fruitless: (times) => this.#suspect(times),
      stillborn: (times) => {
        if (times < STILLBORN) return;
        this.#stillborn = true;
        this.#available.resolve(false);
      },
    };
    this.#child = new LastingChild(owner, { encoders, log, now });
  }

  get counters(): TranscoderCounters {
    const { restarts, stalls } = this.#child;
    return { restarts, stalls, ...this.#counts };
  }

  get behind(): Samples {
    return this.#kept.behind;
  }

  /** Process id of the running child. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get aac(): boolean | null {
    if (this.#aac === undefined) return this.#stillborn ? false : null;
    return this.#aac !== null;
  }

  available(): Promise<boolean> {
    return this.#available.promise;
  }

  push(piece: Piece): void {
    if (this.#closed) return;
    if (piece.kind === 'discontinuity') {
      this.#order.end(this.#end);
      this.#order.begin(piece.at);
      if (this.#awaitsProgramme) this.#measured = samples(Math.max(this.#measured, piece.at));
      this.#awaitsProgramme = false;
    }
    this.#keep(feedOf(piece));
  }

  end(): void {
    if (this.#closed) return;
    this.#order.end(this.#end);
    this.#keep({ kind: 'end', at: this.#end, duration: samples(0) });
  }

  setLowRate(names: readonly string[]): void {
    this.#send();
    this.#lowRateOn = this.#lowRates.filter(({ name }) => names.includes(name));
    if (this.#child.ready) this.#child.send({ kind: 'lowRates', lowRates: this.#lowRateOn });
  }

  resetLoudness(): void {
    this.#loudness = new ProgrammeLoudness();
    this.#awaitsProgramme = true;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearImmediate(this.#sending);
    this.#available.resolve(false);
    await this.#child.close();
  }

  #keep(piece: Feed): void {
    this.#end = samples(piece.at + piece.duration);
    const lost = this.#kept.push(piece, this.#now());
    this.#child.fed(piece.duration);
    if (lost.length > 0) this.#overflow(lost);
    if (this.#isDue(piece)) this.#sending ??= setImmediate(() => this.#send());
  }

  /**
   * Pieces gather to a message for each part, because a message costs both processes as much as
   * 20 ms of sound. The moment is when the encoders have what they need for the part's last unit, so
   * no part waits for more than their work. Low-rate frames do not wait at all.
   */
  #isDue({ at, duration }: Feed): boolean {
    const completes = messagesUntil(at) < messagesUntil(at + duration);
    return this.#lowRateOn.length > 0 || duration === 0 || completes;
  }

  #send(): void {
    this.#sending = undefined;
    if (!this.#child.ready) return;
    const pieces = this.#kept.next();
    if (pieces.length > 0) this.#child.send({ kind: 'feed', pieces });
  }

  /**
   * A child is ready: it gets everything that was not finished, with the pre-roll before it. One that
   * finds no encoder where the one before had one is of no use.
   */
  #begin(aac: AacName | null): boolean {
    if (aac === null && this.#aac) return false;
    if (aac === null && this.#aac === undefined) this.#lacksAac();
    this.#aac = aac;
    this.#available.resolve(aac !== null);
    this.#kept.rewind();
    const from = this.#order.next ?? this.#end;
    const begin = { ladder: this.#ladder, lowRates: this.#lowRateOn, from };
    this.#child.send({ kind: 'begin', ...begin });
    this.#send();
    return true;
  }

  #receive({ until, units, frames, blocks, corrupt }: Outcome): void {
    for (const frame of frames) if (frame.at >= this.#taken) this.#sink.frame(frame);
    this.#counts.corruptFrames += corrupt.filter((at) => at >= this.#taken).length;
    for (const block of blocks)
      if (block.at >= this.#measured && !this.#awaitsProgramme) {
        this.#measured = samples(block.at + 1);
        this.#sink.loudness(this.#loudness.write(block));
      }
    for (const { at, bytes } of units) this.#deliver(at, bytes);
    if (units.length > 0 || (this.#aac === null && until > this.#taken)) this.#child.heard();
    this.#taken = samples(Math.max(this.#taken, until));
    this.#kept.taken(until);
    this.#kept.done(this.#unfinished(until));
    if (this.#kept.held) this.#send();
  }

  /** Track time from which on sound is still needed. */
  #unfinished(until: Samples): Samples {
    return (this.#aac === null ? undefined : this.#order.next) ?? until;
  }

  #deliver(at: Samples, bytes: readonly Uint8Array[]): void {
    const missing = this.#order.take(at);
    if (missing === undefined) {
      this.#counts.strayUnits += 1;
      return;
    }
    this.#fillIn(missing);
    this.#unit(at, bytes);
  }

  #fillIn(missing: readonly Samples[]): void {
    this.#counts.silentUnits += missing.length;
    const silent = this.#ladder.map(() => SILENT_UNIT);
    for (const at of missing) this.#unit(at, silent);
  }

  #unit(at: Samples, bytes: readonly Uint8Array[]): void {
    for (const [index, { name }] of this.#ladder.entries())
      this.#sink.unit(name, { at, duration: samples(UNIT), bytes: bytes[index] ?? SILENT_UNIT });
  }

  /** More came than may be kept: what no child can encode any more becomes silence. */
  #overflow(lost: readonly Feed[]): void {
    this.#counts.lostFrames += lost.filter(
      ({ kind, at }) => kind === 'frame' && at >= (this.#order.next ?? 0),
    ).length;
    if (this.#child.ready) this.#child.replace('It does not keep up with what it is given.');
    const { begin } = this.#kept;
    if (this.#aac && begin !== undefined)
      this.#fillIn(this.#order.skip(samples(begin + PRE_ROLL * UNIT)));
  }

  /** No child survived what it got. */
  #suspect(times: number): void {
    if (times < FRUITLESS) return;
    this.#counts.lostFrames += this.#kept.hush();
  }
}

const feedOf = (piece: Piece): Feed => {
  if (piece.kind === 'silence') return piece;
  if (piece.kind === 'discontinuity')
    return { kind: piece.kind, at: piece.at, duration: samples(0) };
  const { duration, sequence, timestamp, epoch, packet } = piece.frame;
  return { kind: 'frame', at: piece.at, duration, sequence, timestamp, epoch, packet };
};
