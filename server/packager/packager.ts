/**
 * A channel's packager: takes its frames, and has a programme for every broadcast (one for ever on
 * a continuous channel), whose playlists and media the routes hand out.
 */
import { randomBytes } from 'node:crypto';
import type { ChannelStateName, Metadata } from '../../shared/control.ts';
import { encodeFrame, type Frame, HEADER_BYTES } from '../../shared/frame.ts';
import type { Utc } from '../../shared/time.ts';
import type { Audience, Channel, EndReason } from '../relay/channel.ts';
import type { LowRateFrame } from '../transcoder/messages.ts';
import type { LoudnessReading } from '../transcoder/meters.ts';
import { absentTranscoder } from './absent-transcoder.ts';
import { type Arrival, Arrivals } from './arrivals.ts';
import { OldProgrammes } from './old-programmes.ts';
import type { PackagerOptions } from './packager-options.ts';
import { OPUS, Programme } from './programme.ts';
import { CONTINUOUS, ProgrammeSecrets } from './programme-name.ts';
import { newestProgramme, type RestoredProgramme } from './programme-restore.ts';
import { TrackReserve } from './track-reserve.ts';
import { removeFolders, WindowFolder } from './window-folder.ts';

/** Without `warm`, encoding goes on for so long after the last request, ms. */
const COLD_AFTER = 60_000;
/** After a restart a continuous channel waits so long for its publisher before it is silent, ms. */
const SILENT_AFTER = 3000;

/** One channel's way to HLS and DASH. */
export class Packager implements Audience {
  readonly #channel: Channel;
  readonly #options: PackagerOptions;
  readonly #secrets: ProgrammeSecrets;
  readonly #old: OldProgrammes;
  readonly #arrivals = new Arrivals({
    take: (arrival) => this.#take(arrival),
    // Low-rate frames do not wait; the rest is made part by part.
    stepOf: (frame) =>
      this.#lowRates.length > 0 ? null : (this.#programme?.stepOf(frame) ?? null),
  });
  #programme: Programme | undefined;
  /** It goes on from before a restart, and nobody has come back yet. */
  #waiting = false;
  #paused = false;
  /** The programme ended although its broadcast goes on, because nobody asked. */
  #cold = false;
  readonly #reserve: TrackReserve;
  #asked: number = Number.NEGATIVE_INFINITY;
  readonly #since: Utc;
  #lowRates: readonly string[] = [];
  #loudness: LoudnessReading | null = null;
  #onAir = false;
  /** Frames concealed by the running transcoder before this broadcast began. */
  #damagedBefore = 0;

  constructor(channel: Channel, options: PackagerOptions) {
    this.#channel = channel;
    this.#options = options;
    const { memory, grid, now } = options;
    this.#since = now();
    this.#old = new OldProgrammes(options);
    this.#reserve = new TrackReserve(grid, memory);
    this.#secrets = new ProgrammeSecrets(grid, memory);
    this.#programme = this.#restore();
  }

  /** The programme that is on or was on last; asking for it keeps a cold channel encoding. */
  get programme(): Programme | undefined {
    this.#asked = this.#options.now();
    if (this.#onAir && (this.#programme?.ended ?? true) && !this.#paused) return this.#running();
    return this.#programme;
  }

  /** The programme that a secret belongs to. */
  find(secret: string): Programme | undefined {
    const { programme } = this;
    return programme?.secret === secret ? programme : this.#old.get(secret);
  }

  /** Newest loudness of the channel's sound; null while nothing is measured. */
  get loudness(): LoudnessReading | null {
    return this.#cold ? null : this.#loudness;
  }

  /** Whether AAC can be made here; null while nobody knows. */
  get aac(): boolean | null {
    return this.#programme?.aac ?? null;
  }

  /** Frames of the broadcast that could not be decoded and were concealed in what is made here. */
  get damaged(): number {
    return (this.#programme?.transcoder.counters.corruptFrames ?? 0) - this.#damagedBefore;
  }

  /** Transcoder children after the first of the programme. */
  get restarts(): number {
    return this.#programme?.transcoder.counters.restarts ?? 0;
  }

  /** Low-rate renditions that listeners have asked for. */
  want(names: readonly string[]): void {
    if (names.join() === this.#lowRates.join()) return;
    this.#arrivals.flush();
    this.#lowRates = names;
    this.#programme?.transcoder.setLowRate(names);
  }

  push(frame: Frame): void {
    this.#arrivals.enter({ frame, now: this.#options.now(), clock: this.#channel.clockPoint });
  }

  /** Lets time pass, ten times a second. */
  tick(): void {
    this.#arrivals.enter({ frame: null, now: this.#options.now(), clock: null });
  }

  state(is: ChannelStateName): void {
    this.#arrivals.flush();
    const onAir = is !== 'idle' && is !== 'ended';
    if (onAir && !this.#onAir) this.#beginBroadcast();
    this.#onAir = onAir;
    // At its end the broadcast's loudness is still asked for.
    if (is === 'idle') this.#loudness = null;
  }

  end(_reason: EndReason): void {
    this.#arrivals.flush();
    this.#loudness = null;
    const programme = this.#programme;
    if (programme === undefined || programme.ended) return;
    if (programme.continuous && this.#isContinuous) programme.rest(this.#options.now());
    else this.#finish(programme);
  }

  metadata(metadata: Metadata): void {
    this.#arrivals.flush();
    this.#programme?.title(metadata);
  }

  clock(): void {}
  catalog(): void {}
  derived(): void {}

  /** The server restarts: what came is finished and written, and nothing is taken any more. */
  async pause(): Promise<void> {
    this.#arrivals.flush();
    const programme = this.#programme;
    this.#paused = true;
    if (programme?.ended === true) await programme.release();
    else if (!this.#waiting) await programme?.pause(this.#options.now());
    await programme?.folder.flush();
  }

  /** The channel is deleted, with everything it kept. */
  async remove(): Promise<void> {
    await this.close();
    removeFolders([this.#options.windows.folder]);
  }

  async close(): Promise<void> {
    await Promise.all([this.#programme, ...this.#old.all].map((one) => one?.close()));
  }

  #take({ frame, now, clock }: Arrival): void {
    if (this.#paused) return;
    if (frame === null) this.#pass(now);
    else if (this.#isWanted(now)) this.#running().push(frame, { now, clock });
  }

  #pass(now: Utc): void {
    if (this.#waits(now)) return;
    if (this.#isContinuous) this.#running();
    const programme = this.#programme;
    if (programme === undefined || programme.ended) return;
    this.#cold = !this.#isWanted(now);
    if (this.#cold || !(this.#onAir || this.#isOn(programme.folder.kept.name)))
      return this.#finish(programme);
    programme.tick(now, this.#onAir || this.#broadcast !== null);
    this.#reserve.advance(programme);
  }

  /** What is measured of a broadcast begins anew, also where the programme goes on. */
  #beginBroadcast(): void {
    const programme = this.#programme;
    if (programme === undefined || programme.ended) return;
    programme.transcoder.resetLoudness();
    this.#damagedBefore = programme.transcoder.counters.corruptFrames;
  }

  /** No more comes: the broadcast is over, or nobody has asked for a while. */
  #finish(programme: Programme): void {
    programme.end(this.#options.now());
    this.#reserve.advance(programme);
  }

  get #isContinuous(): boolean {
    return this.#options.settings().continuous;
  }

  #isWanted(now: Utc): boolean {
    const { settings, isRecorded } = this.#options;
    const { warm, continuous } = settings();
    // What is recorded is measured, and told when it is silent.
    const always = warm || continuous || isRecorded();
    return always || this.#lowRates.length > 0 || now - this.#asked < COLD_AFTER;
  }

  /** The programme of the broadcast that is on, begun when there is none. */
  #running(): Programme {
    const current = this.#programme;
    if (this.#waiting && current && !this.#isOn(current.folder.kept.name)) void current.release();
    this.#waiting = false;
    if (current !== undefined && !current.ended) return current;
    if (current !== undefined) this.#old.add(current);
    const { grid, windows } = this.#options;
    const broadcast = this.#broadcast ?? randomBytes(8).toString('hex');
    const name = this.#isContinuous ? CONTINUOUS : broadcast;
    // What has ended is never gone on with at its addresses.
    if (current?.continuous || current?.folder.kept.name === name) this.#secrets.turn();
    const begun = { name, secret: this.#secrets.of(name), grid };
    return this.#begin(WindowFolder.create(windows, this.#reserve.sequence, begun));
  }

  /** The window that a restart left: at once to be played, and gone on in if its broadcast is on. */
  #restore(): Programme | undefined {
    const { windows, grid, ladder } = this.#options;
    const found = newestProgramme(windows, {
      grid,
      renditions: [...ladder, OPUS].map(({ name }) => name),
      secretOf: (name) => this.#secrets.of(name),
      mayGoOn: (end) => !this.#reserve.isBeyond(end),
    });
    if (found === undefined) return undefined;
    const { folder, restored } = found;
    this.#asked = this.#since;
    this.#waiting = !folder.kept.ended && this.#isOn(folder.kept.name);
    const programme = this.#begin(folder, restored);
    if (!this.#waiting) void programme.release();
    return programme;
  }

  #begin(folder: WindowFolder, restored?: RestoredProgramme): Programme {
    const { grid, ladder, window, timers, createTranscoder } = this.#options;
    const over = restored !== undefined && !this.#waiting;
    const programme = new Programme({
      secret: folder.kept.secret,
      grid,
      ladder,
      window,
      begin: restored?.end ?? this.#reserve.track,
      stretches: restored?.stretches ?? this.#reserve.stretches,
      folder,
      restored,
      continuous: folder.kept.name === CONTINUOUS,
      timers,
      createTranscoder: over
        ? () => absentTranscoder(ladder.some(({ name }) => restored.windows.has(name)))
        : createTranscoder,
      lowRate: (frame) => this.#derive(frame),
      loudness: (reading) => {
        // On a continuous channel the silence between broadcasts is measured, too.
        if (this.#onAir) this.#loudness = reading;
      },
    });
    programme.transcoder.setLowRate(this.#lowRates);
    const { nowPlaying } = this.#channel;
    if (restored === undefined && nowPlaying !== null) programme.title(nowPlaying);
    this.#cold = false;
    this.#damagedBefore = 0;
    this.#programme = programme;
    return programme;
  }

  /** Whether a programme from before a restart waits for its publisher; its broadcast may end. */
  #waits(now: Utc): boolean {
    const programme = this.#programme;
    if (!this.#waiting || programme === undefined) return false;
    const over = !this.#isOn(programme.folder.kept.name);
    if (over) void programme.release();
    const patient = this.#options.cut() !== null && now - this.#since < SILENT_AFTER;
    this.#waiting = !over && (patient || !programme.continuous);
    return this.#waiting;
  }

  /** Identity of the broadcast that is on, or may be resumed: the same over restarts. */
  get #broadcast(): string | null {
    return this.#options.broadcast() ?? this.#options.cut();
  }

  /** Whether what a programme is of still goes on. */
  #isOn(name: string): boolean {
    if (name !== CONTINUOUS) return name === this.#broadcast;
    return this.#isContinuous || this.#broadcast !== null;
  }

  /** A frame that the transcoder made of one of ours goes back to the channel, for its sockets. */
  #derive({ packet, ...header }: LowRateFrame): void {
    if (header.epoch !== this.#channel.epoch?.id) return;
    const bytes = encodeFrame({ flags: 0, ...header }, packet);
    this.#channel.pushDerived({ flags: 0, ...header, bytes, packet: bytes.subarray(HEADER_BYTES) });
  }
}
