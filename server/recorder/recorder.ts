/** Writes a channel's frames into the journal of its broadcast, with titles and clock maps. */
import type { FastifyBaseLogger } from 'fastify';
import type { ClockPoint, Metadata } from '../../shared/control.ts';
import type { Frame } from '../../shared/frame.ts';
import type { Utc } from '../../shared/time.ts';
import type { Audience, Channel } from '../relay/channel.ts';
import type { Archive } from '../relay/time-shift.ts';
import type { Recordings } from '../store/recordings.ts';
import type { Journal } from './journal.ts';
import type { Library } from './library.ts';
import { RecordedPast } from './past.ts';

/** How often what was recorded is made durable, ms: so much, and a write, is at risk. */
export const FLUSH_EVERY = 500;

/** What a recorder is made of. */
export type RecorderOptions = {
  readonly library: Library;
  readonly log: FastifyBaseLogger;
  readonly now: () => Utc;
  /** Identity of the broadcast that is on. */
  readonly broadcast: () => string | null;
  /** The one that frames of an epoch would belong to. */
  readonly broadcastOf: (epoch: number) => string;
  readonly settings: () => { readonly record: boolean };
  /** Integrated loudness of the broadcast so far, LUFS; null while unknown. */
  readonly loudness: () => number | null;
  /** Writes to the database; says so when that fails. */
  readonly keep: (act: (recordings: Recordings) => void) => void;
  /** More frames are durable. */
  readonly kept: () => void;
};

type Current = { readonly id: string; readonly journal: Journal; readonly past: RecordedPast };

/** What is left to do of a broadcast that has ended. */
type Rest = {
  /** Frames were not even entered, for want of room. */
  readonly owing: boolean;
  /** Frames since the last durable one. */
  readonly owed: readonly Frame[];
  readonly upTo: Point | undefined;
  readonly since: number | undefined;
};

type Point = { readonly epoch: number; readonly sequence: number };

/** One channel's recorder; without room or wish it takes nothing, and the broadcast goes on. */
export class Recorder implements Audience {
  readonly #channel: Channel;
  readonly #options: RecorderOptions;
  #current: Current | undefined;
  /** Frames that are entered together at the next flush, which costs less than one at a time. */
  #waiting: Frame[] = [];
  #newest: Point | undefined;
  #durable: Point | undefined;
  #settled: Promise<void> = Promise.resolve();
  /** The first frame since which everything is to be recorded. */
  #wanted: Point | undefined;
  /** Rollbacks of the journal before what was entered since the last flush. */
  #since: number | undefined;
  /** Frames since the last durable one were not written: there was no room for them. */
  #owing = false;
  /** Of the last frame that was entered. */
  #epoch: number | undefined;

  constructor(channel: Channel, options: RecorderOptions) {
    this.#channel = channel;
    this.#options = options;
  }

  /** Whether what is said now is, or would be, recorded. */
  get recording(): boolean {
    const { library, settings } = this.#options;
    return library.enabled && library.room.has && settings().record;
  }

  /** Id under which frames of an epoch are recorded; null when they are not. */
  idOf(epoch: number): string | null {
    const { library, settings, broadcastOf } = this.#options;
    // Want of room passes; what comes meanwhile can be uploaded later.
    return library.enabled && settings().record ? broadcastOf(epoch) : null;
  }

  /** Newest durable sequence of an epoch, -1 before any; undefined while nothing is recorded. */
  durable(epoch: number): number | undefined {
    if (!this.recording) return undefined;
    return this.#durable?.epoch === epoch ? this.#durable.sequence : -1;
  }

  /** What can be heard again of the broadcast that is on; null when nothing is recorded of it. */
  get past(): Archive | null {
    return this.#current?.past ?? null;
  }

  /** Resolves when the recording of the last broadcast that ended is final. */
  get settled(): Promise<void> {
    return this.#settled;
  }

  push(frame: Frame): void {
    const { broadcast, library, settings } = this.#options;
    const { epoch, sequence } = frame;
    const id = broadcast();
    if (id === null) return;
    if (!library.enabled || !settings().record) return this.#forget();
    this.#wanted ??= { epoch, sequence };
    if (!library.room.has) {
      this.#owing = true;
      return;
    }
    const { journal } = this.#current?.id === id ? this.#current : this.#begin(id);
    const turned = this.#newest?.epoch !== epoch;
    if (turned && this.#channel.clockPoint?.epoch === epoch) this.clock(this.#channel.clockPoint);
    this.#waiting.push(frame);
    this.#newest = frame;
    // What is owed is in the channel's ring, which forgets.
    if (this.#owing) this.#enter(journal);
    // The first acknowledgement is the proof of being on the air.
    if (turned) this.flush();
  }

  /** Makes durable what there is; a write that is under way is not waited for. */
  flush(): void {
    const { journal } = this.#current ?? {};
    if (journal === undefined) return;
    this.#enter(journal);
    const upTo = this.#newest;
    if (journal.busy || upTo === this.#durable) return;
    const since = this.#since;
    this.#since = undefined;
    journal.flush(since).then(
      () => {
        this.#durable = upTo;
        this.#options.kept();
      },
      (error) => this.#failed(error),
    );
  }

  end(): void {
    const { library, loudness, keep } = this.#options;
    const current = this.#current;
    if (current !== undefined) this.#enter(current.journal);
    const rest = {
      owing: this.#owing,
      owed: this.#owed(),
      upTo: this.#newest,
      since: this.#since,
    };
    this.#forget();
    if (current === undefined) return;
    this.#current = undefined;
    this.#newest = undefined;
    this.#since = undefined;
    const lufs = loudness();
    if (lufs !== null && Number.isFinite(lufs))
      keep((recordings) => recordings.keepLoudness(current.id, lufs));
    this.#settled = this.#settle(current, rest).catch((error) => library.room.failed(error));
  }

  clock(point: ClockPoint): void {
    const current = this.#current;
    if (current !== undefined)
      this.#options.keep((recordings) => recordings.keepClock(current.id, point));
  }

  metadata({ title, artist, at }: Metadata): void {
    const current = this.#current;
    const name = artist === undefined ? title : `${artist} – ${title}`;
    if (current !== undefined)
      this.#options.keep((recordings) => recordings.keepTitle(current.id, { ...at, name }));
  }

  state(): void {}
  catalog(): void {}
  derived(): void {}

  /** Frames from here on are none of the recording's, or of the next one's. */
  #forget(): void {
    this.#wanted = undefined;
    this.#owing = false;
  }

  /** Enters what waits, or, once there is room, everything that is owed. */
  #enter(journal: Journal): void {
    if (this.#waiting.length === 0) return;
    const paid = this.#owing && this.#options.library.room.has;
    const frames = paid ? [...this.#owed(), ...this.#waiting] : this.#waiting;
    this.#waiting = [];
    try {
      this.#since ??= journal.rollbacks;
      for (const frame of frames) {
        const { epoch } = frame;
        if (journal.enter(frame) === 'misfit' && this.#epoch !== epoch)
          this.#options.log.error({ epoch }, 'Frames contradict the recording and are left out.');
        this.#epoch = epoch;
      }
      if (paid) this.#owing = false;
    } catch (error) {
      this.#failed(error);
    }
  }

  /** The journal has forgotten what was not durable: no later flush may be taken for that. */
  #failed(error: unknown): void {
    this.#waiting = [];
    this.#owing = true;
    this.#newest = this.#durable;
    this.#since = undefined;
    this.#options.library.room.failed(error);
  }

  /**
   * What came since the last durable frame, as far back as the channel's ring reaches: a disk that is
   * full for a moment leaves no hole.
   */
  #owed(): Frame[] {
    const { ring } = this.#channel;
    const [wanted, durable] = [this.#wanted, this.#durable];
    let index = wanted === undefined ? ring.head : ring.find(wanted.epoch, wanted.sequence);
    if (durable !== undefined)
      index = Math.max(index, ring.find(durable.epoch, durable.sequence + 1));
    const owed: Frame[] = [];
    for (let frame = ring.at(index); frame !== undefined; frame = ring.at(index)) {
      owed.push(frame);
      index += 1;
    }
    return owed;
  }

  /** At the end of a broadcast: the disk is looked at once more for what it did not take. */
  async #settle({ id, journal }: Current, { owing, owed, upTo, since }: Rest): Promise<void> {
    const { library, keep } = this.#options;
    const last = owed.at(-1);
    // Whatever comes of it, the recording knows that it is not whole without these.
    if (last !== undefined)
      keep((recordings) => recordings.keepUntil(id, last.epoch, last.sequence));
    const written = !owing && (await this.#flushed(journal, since));
    if (!written && last !== undefined) {
      await library.room.look();
      const again = journal.rollbacks;
      if (library.room.has) for (const frame of owed) journal.enter(frame);
      await journal.flush(again);
    }
    this.#durable = last !== undefined && library.room.has ? last : upTo;
    await library.settle(id);
  }

  async #flushed(journal: Journal, since: number | undefined): Promise<boolean> {
    try {
      await journal.flush(since);
      return true;
    } catch (error) {
      this.#options.library.room.failed(error);
      return false;
    }
  }

  #begin(id: string): Current {
    const { library, now, keep } = this.#options;
    keep((recordings) => recordings.begin(id));
    const journal = library.journals.begin(id);
    // One that goes on after a restart began before this life.
    const begun = journal.first === undefined ? now() : library.startedOf(id);
    const current = {
      id,
      journal,
      past: new RecordedPast(id, { library, now, begun: begun ?? now() }),
    };
    this.#current = current;
    this.#newest = undefined;
    this.#epoch = undefined;
    if (this.#channel.nowPlaying !== null) this.metadata(this.#channel.nowPlaying);
    return current;
  }
}
