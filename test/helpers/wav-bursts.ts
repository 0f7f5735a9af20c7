/**
 * What a WAV file holds, judged in a thread of its own: half a minute takes a second, and the
 * publisher of this very sound may live in the thread that asks.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type Burst, findBursts } from './burst-detector.ts';
import { decodeWav } from './wav.ts';

/** Length of a file's sound, s, and the bursts in its first channel. */
export type Sound = { readonly seconds: number; readonly bursts: readonly Burst[] };

const NOTHING: Sound = { seconds: 0, bursts: [] };

const judge = async (path: string): Promise<Sound> => {
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes === undefined || bytes.length < 100) return NOTHING;
  const { rate, channels } = decodeWav(bytes);
  const [pcm] = channels;
  if (pcm === undefined || pcm.length === 0) return NOTHING;
  return { seconds: pcm.length / rate, bursts: findBursts(pcm, rate) };
};

/** Judges the file at `path`; one that is not there, or holds nothing, has no sound. */
export const soundOf = (path: string): Promise<Sound> =>
  new Promise((resolve, reject) => {
    const self = fileURLToPath(import.meta.url);
    // Without the arguments of a test runner, whose loader a bare thread does not need.
    new Worker(self, { workerData: { path }, execArgv: [] })
      .once('message', resolve)
      .once('error', reject);
  });

const { path } = (workerData ?? {}) as { path?: string };
if (!isMainThread && path !== undefined) parentPort?.postMessage(await judge(path));
