/** The recording of a broadcast that is on, as what listeners hear who have gone back in it. */
import { captureUtc } from '../../shared/clock.ts';
import type { ClockPoint, FrameId, Metadata } from '../../shared/control.ts';
import type { Frame } from '../../shared/frame.ts';
import { type Samples, samples, type Utc } from '../../shared/time.ts';
import { DiskBusy } from '../packager/file-turns.ts';
import type { Archive } from '../relay/time-shift.ts';
import type { RecordingEpoch } from '../store/recordings.ts';
import type { Library } from './library.ts';

/** How old titles and clock maps may be, ms. */
const NOTES_HOLD = 1000;

type Notes = { readonly titles: readonly Metadata[]; readonly epochs: readonly RecordingEpoch[] };

/** One broadcast's past; outlives the broadcast for those who have not heard its end. */
export class RecordedPast implements Archive {
  readonly id: string;
  readonly #library: Library;
  readonly #now: () => Utc;
  /** When its first frame came, for publishers that never say when it was captured. */
  readonly #begun: Utc;
  #notes: Notes = { titles: [], epochs: [] };
  #notedAt = Number.NEGATIVE_INFINITY;

  constructor(
    id: string,
    { library, now, begun }: { library: Library; now: () => Utc; begun: Utc },
  ) {
    this.id = id;
    this.#library = library;
    this.#now = now;
    this.#begun = begun;
  }

  get since(): Utc | null {
    const first = this.#library.journals.held(this.id)?.first;
    if (first === undefined) return null;
    const clock = this.#known().epochs.find(({ epoch }) => epoch === first.epoch)?.first;
    return clock ? captureUtc(clock, first.timestamp) : this.#begun;
  }

  async read(from: FrameId, most: Samples): Promise<readonly Frame[] | null> {
    return this.#library.journals.frames(this.id, from, most).catch((error) => {
      if (error instanceof DiskBusy) return null;
      throw error;
    });
  }

  before(span: Samples): FrameId | null {
    return this.#library.journals.held(this.id)?.before(span) ?? null;
  }

  titles(): readonly Metadata[] {
    return this.#known().titles;
  }

  clock(epoch: number): ClockPoint | null {
    const notes = this.#known().epochs.find((one) => one.epoch === epoch);
    return notes?.last ?? notes?.first ?? null;
  }

  /** A database that cannot be read costs titles and dates, and nobody's sound. */
  #read(): ReturnType<Library['notes']> {
    try {
      return this.#library.notes(this.id);
    } catch {
      return { titles: [], epochs: this.#notes.epochs };
    }
  }

  /** Everybody who hears the past asks for each frame; the database is asked once a second. */
  #known(): Notes {
    const now = this.#now();
    if (now - this.#notedAt < NOTES_HOLD) return this.#notes;
    this.#notedAt = now;
    const { titles, epochs } = this.#read();
    this.#notes = {
      titles: titles.map(({ epoch, timestamp, name }) => ({
        type: 'metadata',
        title: name,
        at: { epoch, timestamp: samples(timestamp) },
      })),
      epochs,
    };
    return this.#notes;
  }
}
