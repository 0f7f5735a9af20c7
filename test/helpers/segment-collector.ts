/** Keeps every whole segment of every variant of a channel over a run, as a recorder of HLS does. */
import { listsOf, mediaTextOf } from './hls-text.ts';

const EVERY = 1000;
const MULTIVARIANTS = ['index.m3u8', 'opus.m3u8', 'ts.m3u8'];

/** All segments of one variant. */
export type Collected = {
  /** Rendition and container: `aac128/index.m3u8`. */
  readonly name: string;
  readonly init: Buffer | undefined;
  /** By media sequence. */
  readonly segments: ReadonlyMap<number, Buffer>;
};

type Collecting = { name: string; init: Buffer | undefined; segments: Map<number, Buffer> };

const bytesAt = async (url: string): Promise<Buffer> => {
  const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  if (answer.status !== 200) throw new Error(`${url} was answered with ${answer.status}.`);
  return Buffer.from(await answer.arrayBuffer());
};

/** Collects until stopped. */
export class SegmentCollector {
  readonly #base: string;
  readonly #variants = new Map<string, Collecting>();
  readonly #loop: Promise<void>;
  #stopped = false;

  /** `base` is that of a channel: `http://127.0.0.1:PORT/c/live`. */
  constructor(base: string) {
    this.#base = base;
    this.#loop = this.#collect();
    // Who stops it hears of it.
    this.#loop.catch(() => {});
  }

  /** Looks once more, and hands out what there is. */
  async stop(): Promise<readonly Collected[]> {
    this.#stopped = true;
    await this.#loop;
    return [...this.#variants.values()];
  }

  async #collect(): Promise<void> {
    for (let last = false; !last; ) {
      last = this.#stopped;
      for (const name of MULTIVARIANTS) await this.#find(`${this.#base}/hls/${name}`);
      await Promise.all([...this.#variants].map(([url, variant]) => this.#take(url, variant)));
      if (!last) await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
  }

  async #find(url: string): Promise<void> {
    const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    const text = await answer.text();
    if (answer.status !== 200) return;
    for (const uri of text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))) {
      const media = new URL(uri, url).href;
      const name = uri.split('/').slice(-2).join('/');
      if (!this.#variants.has(media))
        this.#variants.set(media, { name, init: undefined, segments: new Map() });
    }
  }

  async #take(url: string, variant: Collecting): Promise<void> {
    const text = mediaTextOf((await bytesAt(url)).toString());
    const map = listsOf(text.tags, 'EXT-X-MAP')[0]?.get('URI');
    if (map !== undefined && variant.init === undefined)
      variant.init = await bytesAt(new URL(map, url).href);
    for (const { sequence, uri } of text.segments)
      if (uri !== null && !variant.segments.has(sequence))
        variant.segments.set(sequence, await bytesAt(new URL(uri, url).href));
  }
}
