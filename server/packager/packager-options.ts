/** What a channel's packager has to know, and to be able to do. */
import type { Samples, Utc } from '../../shared/time.ts';
import type { Transcoder, TranscoderSink } from '../transcoder/transcoder.ts';
import type { Timers } from './reload.ts';
import type { Grid, Rendition } from './track.ts';
import type { PackagerMemory } from './track-reserve.ts';
import type { WindowsOnDisk } from './window-folder.ts';

/** What a packager is made of. */
export type PackagerOptions = {
  readonly grid: Grid;
  readonly ladder: readonly Rendition[];
  readonly window: Samples;
  readonly memory: PackagerMemory;
  readonly settings: () => { readonly continuous: boolean; readonly warm: boolean };
  /** Whether what is said now is recorded. */
  readonly isRecorded: () => boolean;
  /** Identity of the broadcast that is on; a resumed one has the same after a restart. */
  readonly broadcast: () => string | null;
  /** Identity of a broadcast that a restart cut, as long as it may be resumed. */
  readonly cut: () => string | null;
  readonly windows: WindowsOnDisk;
  readonly now: () => Utc;
  readonly timers: Timers;
  readonly createTranscoder: (sink: TranscoderSink) => Transcoder;
};
