/** A programme over a folder of its own, with an encoder that does what a test says. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { absentTranscoder } from '../../../server/packager/absent-transcoder.ts';
import { FileReads } from '../../../server/packager/file-reads.ts';
import { Programme } from '../../../server/packager/programme.ts';
import {
  newestProgramme,
  type RestoredProgramme,
} from '../../../server/packager/programme-restore.ts';
import type { AccessUnit, Rendition } from '../../../server/packager/track.ts';
import { WindowFolder, type WindowsOnDisk } from '../../../server/packager/window-folder.ts';
import type { Transcoder, TranscoderSink } from '../../../server/transcoder/transcoder.ts';
import { type Millis, millis, samples, utc } from '../../../shared/time.ts';
import { BEGIN, frameOf, GRID, START } from './continuity-run.ts';

const AAC: Rendition = { name: 'aac128', codec: 'aac', channels: 2, bitrate: 128_000 };
const UNIT = 1024;

/** A programme whose encoder gives a unit a piece until it dies, and never says so. */
const programmeIn = (
  folder: WindowFolder,
  {
    dies = Number.POSITIVE_INFINITY,
    restored,
  }: { readonly dies?: number; readonly restored?: RestoredProgramme } = {},
) => {
  let sink: TranscoderSink | undefined;
  let next = BEGIN as number;
  const unit = (at: number): AccessUnit => ({
    at: samples(at),
    duration: samples(UNIT),
    bytes: Buffer.alloc(300, 1),
  });
  const encoder: Transcoder = {
    ...absentTranscoder(true),
    push: (piece) => {
      if (piece.kind === 'discontinuity') next = piece.at;
      const end = piece.kind === 'frame' ? piece.at + piece.frame.duration : piece.at;
      for (; next + UNIT <= Math.min(end, BEGIN + dies); next += UNIT)
        sink?.unit(AAC.name, unit(next));
    },
  };
  const programme = new Programme({
    secret: 'k3y',
    folder,
    restored,
    grid: GRID,
    ladder: [AAC],
    window: samples(60 * 48_000),
    begin: restored?.end ?? BEGIN,
    stretches: restored?.stretches ?? 0,
    continuous: false,
    timers: { now: (): Millis => millis(0), after: () => () => {} },
    createTranscoder: (to) => {
      sink = to;
      return encoder;
    },
    lowRate: () => {},
    loudness: () => {},
  });
  const speak = (from: number, to: number, epoch = 1): void => {
    for (let sequence = from; sequence < to; sequence += 1)
      programme.push(frameOf(sequence, { epoch }), {
        now: utc(START + sequence * 20),
        clock: null,
      });
  };
  return { programme, speak };
};

const windowsIn = (folder: string): WindowsOnDisk => ({
  ...{ folder, reads: new FileReads(), alarm: () => {} },
});

const newFolder = (): string => {
  const root = mkdtempSync(join(tmpdir(), 'skywave-programme-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return root;
};

/** A new one; `dies` is how many samples its encoder lives. */
export const programmeOf = ({ dies = Number.POSITIVE_INFINITY } = {}) => {
  const folder = newFolder();
  const begun = { name: 'broadcast', secret: 'k3y', grid: GRID };
  return { ...programmeIn(WindowFolder.create(windowsIn(folder), 0, begun), { dies }), folder };
};

/** What a crash leaves of the one in a folder, gone on with. */
export const restored = (folder: string) => {
  const copy = newFolder();
  cpSync(folder, copy, { recursive: true });
  const found = newestProgramme(windowsIn(copy), {
    grid: GRID,
    renditions: ['aac128', 'opus'],
    secretOf: () => 'k3y',
    mayGoOn: () => true,
  });
  if (found === undefined) throw new Error('Nothing was left.');
  return programmeIn(found.folder, { restored: found.restored });
};

/** The media playlist of a rendition as it stands. */
export const textOf = (programme: Programme, name: string): string =>
  programme.outputs.get(name)?.playlist('fmp4', false).text.toString() ?? '';
