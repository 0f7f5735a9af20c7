/** Fetches a channel as players do, throws the bytes away, and counts what it was refused. */
import { addressedBy } from './dash-linter.ts';
import { listed, mediaTextOf } from './hls-text.ts';
import { directivesAfter } from './letter-playlist.ts';
import { attributeOf, childrenOf, parseXml } from './xml-tree.ts';

const PATIENCE = 20_000;
const MANIFEST_EVERY = 1280;
const RETRY_AFTER = 500;
/** Addresses that are remembered as fetched. */
const REMEMBERED = 500;

const sleep = (span: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, span));

/** How a puller fetches. */
export type PullerKind = 'll-hls' | 'dash';

/** Pulls one channel until stopped. */
export class MediaPuller {
  readonly #base: string;
  readonly #fetched = new Set<string>();
  readonly #loop: Promise<void>;
  #stopped = false;
  #media = 0;
  #failures = 0;

  /** `base` is that of a channel: `http://127.0.0.1:PORT/c/live`. */
  constructor(base: string, kind: PullerKind) {
    this.#base = base;
    this.#loop = this.#pull(kind === 'll-hls' ? () => this.#reloads() : () => this.#manifests());
  }

  /** Parts or segments fetched. */
  get media(): number {
    return this.#media;
  }

  /** Answers other than 200 since the first that was. */
  get failures(): number {
    return this.#failures;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop;
  }

  async #pull(session: () => Promise<void>): Promise<void> {
    while (!this.#stopped) {
      await session().catch(() => {
        if (this.#media > 0 && !this.#stopped) this.#failures += 1;
      });
      await sleep(RETRY_AFTER);
    }
  }

  async #reloads(): Promise<void> {
    const multivariant = `${this.#base}/hls/index.m3u8`;
    const variants = (await this.#get(multivariant)).toString().split('\n');
    const media = new URL(variants.find((line) => /^[^#]/.test(line)) ?? '', multivariant).href;
    for (let directives = ''; !this.#stopped; ) {
      const text = mediaTextOf((await this.#get(`${media}?${directives}`)).toString());
      const parts = listed(text)
        .slice(-2)
        .flatMap((segment) => segment.parts);
      for (const { uri } of parts) await this.#once(new URL(uri, media).href);
      if (text.ended) return;
      directives = directivesAfter(text, true);
    }
  }

  async #manifests(): Promise<void> {
    const url = `${this.#base}/dash/manifest.mpd`;
    while (!this.#stopped) {
      const mpd = parseXml((await this.#get(url)).toString());
      const template = childrenOf(
        childrenOf(childrenOf(mpd, 'Period').at(-1), 'AdaptationSet')[0],
        'SegmentTemplate',
      )[0];
      const set = childrenOf(childrenOf(mpd, 'Period').at(-1), 'AdaptationSet')[0];
      const [one] = childrenOf(set, 'Representation');
      const number = addressedBy(mpd).findLast(
        (segment) => segment.set === attributeOf(set, 'id'),
      )?.number;
      const address = attributeOf(template, 'media')
        .replace('$RepresentationID$', attributeOf(one, 'id'))
        .replace('$Number$', String(number));
      // The newest segment still grows: this waits for its end, as low-latency players do.
      if (number !== undefined) await this.#once(new URL(address, url).href);
      await sleep(MANIFEST_EVERY);
    }
  }

  async #once(url: string): Promise<void> {
    if (this.#fetched.has(url)) return;
    this.#fetched.add(url);
    const [oldest] = this.#fetched;
    if (this.#fetched.size > REMEMBERED && oldest !== undefined) this.#fetched.delete(oldest);
    await this.#get(url);
    this.#media += 1;
  }

  async #get(url: string): Promise<Buffer> {
    const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (answer.status !== 200) throw new Error(`${url} was answered with ${answer.status}.`);
    return bytes;
  }
}
