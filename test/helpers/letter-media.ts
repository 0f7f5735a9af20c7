/**
 * Fetches every initialization segment, part and segment that playlists name, and lets other
 * people's parsers read each: parts must add up to their segment, to the bit.
 */
import { spawn } from 'node:child_process';
import { createFile, MP4BoxBuffer } from 'mp4box';
import type { ListedSegment } from './hls-text.ts';
import type { Judgement } from './judgement.ts';
import { UNREMARKABLE } from './player-programs.ts';

const PATIENCE = 20_000;
const PROBES_AT_ONCE = 2;
const GRID_TICKS = 1;

type Probed = { readonly complaints: string[]; readonly packets: number };

/** Lets ffprobe read all packets of a file; every line it says is a complaint. */
export const probe = async (format: 'mp4' | 'mpegts', file: Uint8Array): Promise<Probed> => {
  const child = spawn(
    'ffprobe',
    ['-v', 'warning', '-f', format, '-show_entries', 'packet=pts', '-of', 'csv', '-i', 'pipe:0'],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  let [said, listed] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    listed += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(file);
  await new Promise<void>((resolve) => {
    child.once('error', (error) => {
      said += `ffprobe did not run: ${error.message}`;
      resolve();
    });
    child.once('close', () => resolve());
  });
  const packets = listed.split('\n').filter((line) => line.startsWith('packet')).length;
  const complaints = said
    .split('\n')
    .filter((line) => line.trim() !== '' && !UNREMARKABLE.some((known) => known.test(line)));
  return { complaints: packets > 0 ? complaints : [...complaints, 'No packet.'], packets };
};

/** Lets mp4box read a file: its samples must follow each other without a hole. */
export const readWithMp4box = (file: Uint8Array): string[] => {
  const complaints: string[] = [];
  const iso = createFile(true);
  iso.onError = (module, message) => complaints.push(`${module}: ${message}`);
  iso.appendBuffer(MP4BoxBuffer.fromArrayBuffer(new Uint8Array(file).buffer, 0));
  iso.flush();
  const found = iso.getTrackSamplesInfo(1);
  if (found.length === 0) complaints.push('No sample.');
  for (const [index, sample] of found.entries()) {
    const before = found[index - 1];
    const expected = before === undefined ? sample.dts : before.dts + before.duration;
    if (Math.abs(sample.dts - expected) >= GRID_TICKS)
      complaints.push(`Sample ${index} is at ${sample.dts}, not at ${expected}.`);
  }
  return complaints;
};

/** Files by their address, each fetched once. */
export class LetterMedia {
  readonly #judgement: Judgement;
  readonly #excused: () => boolean;
  readonly #begun = new Set<string>();
  readonly #inits = new Map<string, Promise<Uint8Array | undefined>>();
  readonly #parts = new Map<string, Promise<Uint8Array | undefined>>();
  readonly #work = new Set<Promise<void>>();
  readonly #queue: (() => Promise<void>)[] = [];
  #probing = 0;

  /** While `excused` the service is down on purpose, and files may be missing. */
  constructor(judgement: Judgement, { excused }: { excused: () => boolean }) {
    this.#judgement = judgement;
    this.#excused = excused;
  }

  /** Takes what a playlist lists; `init` is undefined for a transport stream. */
  take(playlist: string, segments: readonly ListedSegment[], init: string | undefined): void {
    const address = (uri: string): string => new URL(uri, playlist).href;
    for (const { uri, parts } of segments) {
      const partUris = parts.map((part) => address(part.uri));
      for (const part of partUris)
        if (!this.#parts.has(part)) this.#parts.set(part, this.#fetch(part));
      if (uri !== null) this.segment(address(uri), { init: init && address(init), partUris });
    }
  }

  /** Fetches and judges one segment, once; another caller that knows its parts is not needed. */
  segment(
    url: string,
    { init, partUris = [] }: { init: string | undefined; partUris?: readonly string[] },
  ): void {
    if (this.#begun.has(url)) return;
    this.#begun.add(url);
    const work = this.#judgeSegment(url, { init, partUris });
    this.#work.add(work);
    void work.finally(() => this.#work.delete(work));
  }

  /** Waits until everything taken was judged. */
  async settle(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  async #judgeSegment(
    url: string,
    { init, partUris }: { init: string | undefined; partUris: readonly string[] },
  ): Promise<void> {
    const bytes = await this.#fetch(url);
    const parts = await Promise.all(partUris.map((part) => this.#parts.get(part)));
    if (bytes === undefined) return;
    if (parts.length > 0 && parts.every((part) => part !== undefined))
      this.#judgement.judge('parts add up to their segment', url, () =>
        Buffer.concat(parts).equals(bytes) ? [] : ['The parts together are other bytes.'],
      );
    for (const part of partUris) this.#parts.set(part, Promise.resolve(undefined));
    if (init === undefined) {
      await this.#probed('ffprobe, TS segment', url, { format: 'mpegts', file: bytes });
      return;
    }
    if (!this.#inits.has(init)) this.#inits.set(init, this.#fetch(init));
    const head = await this.#inits.get(init);
    if (head === undefined) return;
    const file = Buffer.concat([head, bytes]);
    this.#judgement.judge('mp4box, init and segment', url, () => readWithMp4box(file));
    await this.#probed('ffprobe, init and segment', url, { format: 'mp4', file });
  }

  async #probed(
    judge: string,
    url: string,
    { format, file }: { format: 'mp4' | 'mpegts'; file: Uint8Array },
  ): Promise<void> {
    while (this.#probing >= PROBES_AT_ONCE)
      await new Promise<void>((resolve) => this.#queue.push(async () => resolve()));
    this.#probing += 1;
    const { complaints } = await probe(format, file);
    this.#judgement.note(judge, url, { complaints });
    this.#probing -= 1;
    await this.#queue.shift()?.();
  }

  async #fetch(url: string): Promise<Uint8Array | undefined> {
    const kind = /\/init\.mp4$/.test(url) ? 'init' : /\.\d+\.m4s$/.test(url) ? 'part' : 'segment';
    const excused = this.#excused();
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
      const bytes = new Uint8Array(await answer.arrayBuffer());
      if (answer.status === 200) {
        this.#judgement.note(`served: ${kind}`, url);
        return bytes;
      }
      if (!excused && !this.#excused())
        this.#judgement.note(`served: ${kind}`, url, { complaints: [`Status ${answer.status}.`] });
    } catch (error) {
      if (!excused && !this.#excused())
        this.#judgement.note(`served: ${kind}`, url, { complaints: [String(error)] });
    }
    return undefined;
  }
}
