/** What a journal, with its titles and clock maps, makes: the file as it is served, and its figures. */
import { createHash } from 'node:crypto';
import { samples } from '../../shared/time.ts';
import type {
  RecordingEpoch,
  RecordingFigures,
  RecordingRecord,
  TitleRecord,
} from '../store/recordings.ts';
import type { Journal } from './journal.ts';
import { OggView } from './ogg.ts';
import type { Chapter } from './opus-headers.ts';
import {
  type EpochNotes,
  type Missing,
  positionOf,
  type Timeline,
  timelineOf,
} from './timeline.ts';

/** Titles and clock maps of a recording. */
export type RecordingNotes = {
  readonly titles: readonly TitleRecord[];
  readonly epochs: readonly RecordingEpoch[];
};

/** All that decides what a recording is. */
export type RecordingState = {
  readonly record: RecordingRecord;
  readonly journal: Journal;
  readonly notes: RecordingNotes;
  /** Whether its broadcast is over. */
  readonly final: boolean;
  /** Whether a part of it cannot be read, wherever in time that belongs. */
  readonly parted: boolean;
};

/** A recording as it is now. */
export type Recording = {
  readonly view: OggView;
  readonly etag: string;
  readonly path: string;
  readonly figures: RecordingFigures;
  readonly missing: readonly Missing[];
  readonly timeline: Timeline;
  readonly chapters: readonly Chapter[];
  /** Bytes of the journal that it was made of. */
  readonly durableBytes: number;
};

/** Changes exactly when the recording does. */
export const etagOf = ({ record, journal, notes, final, parted }: RecordingState): string => {
  const { titles, epochs } = notes;
  const key = createHash('sha256')
    .update(JSON.stringify([record.id, journal.durableBytes, final, titles, epochs, parted]))
    .digest('base64url');
  return `"${key.slice(0, 27)}"`;
};

/** Makes the recording of what is durable in a journal. */
export const recordingOf = (
  { record, journal, notes: { titles, epochs }, final, parted }: RecordingState,
  etag: string,
): Recording => {
  const { id, title, started } = record;
  const timeline = timelineOf(
    journal.blocks(),
    new Map(epochs.map(({ epoch, ...notes }): [number, EpochNotes] => [epoch, notes])),
  );
  const chapters = titles
    .map((entry) => ({ name: entry.name, at: positionOf(timeline, entry) ?? samples(0) }))
    .sort((a, b) => a.at - b.at);
  const view = new OggView(timeline, {
    serial: createHash('sha256').update(id).digest().readUInt32BE(),
    comments: { title, date: new Date(started).toISOString(), chapters },
    final,
  });
  const { duration, gaps, missing } = timeline;
  const { path, durableBytes } = journal;
  const complete = final && missing.length === 0 && !parted;
  const figures = { duration, gaps, bytes: view.bytes, complete, final };
  return { view, etag, path, figures, missing, timeline, chapters, durableBytes };
};
