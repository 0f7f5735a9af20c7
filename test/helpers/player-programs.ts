/** Players that are programs: each plays an address into a WAV file, which tells what it played. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Burst } from './burst-detector.ts';
import { IDENTITIES } from './measuring-signal.ts';
import { soundOf } from './wav-bursts.ts';

/** A program under test. */
export type Program = 'ffmpeg' | 'mpv' | 'gstreamer' | 'vlc';

/** What a program left behind. */
export type Played = {
  readonly program: Program;
  readonly url: string;
  /** Sound in the file, s; 0 without one. */
  readonly seconds: number;
  /** How long it took, s. */
  readonly took: number;
  readonly bursts: readonly Burst[];
  /** What it said on its standard error, less what it says about any stream. */
  readonly said: readonly string[];
};

type Line = readonly [command: string, ...args: readonly string[]];

/** All of them decode as fast as they get it; what they ask for lies beyond the live edge. */
const LINES: Record<Program, (url: string, file: string, seconds: number) => Line> = {
  ffmpeg: (url, file, seconds) => [
    'ffmpeg',
    ...['-v', 'warning', '-nostdin', '-y', '-i', url, '-map', '0:a:0'],
    ...['-t', `${seconds}`, '-ac', '1', '-c:a', 'pcm_s16le', file],
  ],
  mpv: (url, file, seconds) => [
    'mpv',
    ...['--no-config', '--no-video', '--no-terminal', '--untimed=no', '--ao=pcm'],
    ...[`--ao-pcm-file=${file}`, '--audio-format=s16', '--audio-channels=mono'],
    ...[`--length=${seconds}`, url],
  ],
  gstreamer: (url, file) => [
    'gst-launch-1.0',
    ...['-e', '-q', 'playbin3', `uri=${url}`],
    'audio-sink=audioconvert ! audioresample ! audio/x-raw,format=S16LE,channels=1,rate=48000 ' +
      `! wavenc ! filesink location=${file}`,
  ],
  // A file written by --sout stops where VLC changes its variant; what a person hears does not.
  vlc: (url, file) => [
    'cvlc',
    ...['-I', 'dummy', '--no-video', '--aout=afile'],
    ...[`--audiofile-file=${file}`, '--audiofile-wav', '--audiofile-format=s16'],
    ...['--audiofile-channels=1', url, 'vlc://quit'],
  ],
};

/**
 * FFmpeg reads the initialization segment again when it has reloaded a live playlist, and then
 * wonders; titles in a transport stream it takes for a stream of its own without a codec.
 */
export const UNREMARKABLE = [
  /Found duplicated MOOV Atom/,
  /Last message repeated/,
  /Unsupported codec with id 98313/,
];

const NOBODY = 65_534;
const LINES_MOST = 200;

const saidBy = (child: ChildProcess): string[] => {
  const said: string[] = [];
  if (child.stderr === null) return said;
  // A line may come in pieces: ffmpeg writes who says something before it writes what.
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line.trim() !== '' && said.length < LINES_MOST && !UNREMARKABLE.some((a) => a.test(line)))
      said.push(line.trim());
  });
  return said;
};

/** Plays until `seconds` of sound are there, or for `within` seconds, whichever is first. */
export const playWith = async (
  program: Program,
  url: string,
  { folder, seconds, within }: { folder: string; seconds: number; within: number },
): Promise<Played> => {
  const home = join(folder, `${program}-${url.replaceAll(/\W+/g, '-')}`);
  await mkdir(home, { recursive: true });
  await chmod(home, 0o777);
  const file = join(home, 'played.wav');
  const [command, ...args] = LINES[program](url, file, seconds);
  const begun = performance.now();
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, HOME: home },
    // VLC refuses to run as root.
    ...(program === 'vlc' && process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  const said = saidBy(child);
  const stop = setTimeout(() => child.kill('SIGINT'), within * 1000);
  const kill = setTimeout(() => child.kill('SIGKILL'), (within + 4) * 1000);
  await once(child, 'close');
  clearTimeout(stop);
  clearTimeout(kill);
  const took = (performance.now() - begun) / 1000;
  return { program, url, took, said, ...(await soundOf(file)) };
};

/** Bursts that do not follow the one before by a second, as sentences. */
export const disorderOf = (bursts: readonly Burst[], slack = 5): string[] =>
  bursts.slice(1).flatMap((burst, index) => {
    const before = bursts[index]!;
    const apart = burst.time - before.time;
    const follows = burst.identity === (before.identity + 1) % IDENTITIES;
    if (follows && Math.abs(apart - 1000) <= slack) return [];
    return [`${burst.identity} after ${before.identity}, ${apart.toFixed(1)} ms later`];
  });

/** A row of a table for a log. */
export const describePlayed = ({ program, url, seconds, took, bursts, said }: Played): string =>
  `  ${program.padEnd(10)}${url.replace(/.*\/c\/live\//, '').padEnd(20)}` +
  `${seconds.toFixed(1)} s in ${took.toFixed(1)} s, ${bursts.length} bursts, ` +
  `${disorderOf(bursts).length} out of order${said.length > 0 ? `; ${said.length} lines` : ''}`;
