/** Fetches every playlist and the manifest again and again, and lets all judges look at each. */
import hlsParser from 'hls-parser';
import { Parser } from 'm3u8-parser';
import { parse as parseMpd } from 'mpd-parser';
import { DashReloadLinter } from './dash-linter.ts';
import { type Finding, lintMultivariant } from './hls-linter.ts';
import { ReloadLinter } from './hls-sequence.ts';

hlsParser.setOptions({ strictMode: true });

const EVERY = 300;
const COMPLAINTS_MOST = 50;
const MANIFESTS = ['manifest.mpd', 'listed.mpd', 'delayed.mpd'];
const MULTIVARIANTS = ['index.m3u8', 'opus.m3u8', 'ts.m3u8'];

type Watched = { readonly url: string; readonly linter: ReloadLinter };

/** Watches one channel until stopped. */
export class PlaylistWatch {
  readonly #base: string;
  readonly #complaints = new Set<string>();
  readonly #media = new Map<string, Watched>();
  readonly #manifests = new Map(MANIFESTS.map((name) => [name, new DashReloadLinter()]));
  readonly #last = new Map<string, string>();
  readonly #loop: Promise<void>;
  #stopped = false;
  #fetched = 0;

  /** `base` is that of a channel: `http://127.0.0.1:PORT/c/live`. */
  constructor(base: string) {
    this.#base = base;
    this.#loop = this.#watch();
  }

  /** Texts fetched that differed from the one before. */
  get fetched(): number {
    return this.#fetched;
  }

  /** Every rule broken, once for each address and rule, with the first sentence about it. */
  get complaints(): readonly string[] {
    return [...this.#complaints];
  }

  /** Newest text of each address. */
  get last(): ReadonlyMap<string, string> {
    return this.#last;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop;
  }

  async #watch(): Promise<void> {
    while (!this.#stopped) {
      const begun = performance.now();
      await this.#round();
      const rest = Math.max(20, EVERY - (performance.now() - begun));
      await new Promise((resolve) => setTimeout(resolve, rest));
    }
  }

  async #round(): Promise<void> {
    for (const name of MULTIVARIANTS) {
      const url = `${this.#base}/hls/${name}`;
      const text = await this.#fetch(url);
      if (text === undefined) continue;
      const codecs = name.startsWith('opus') ? /^opus$/ : /^mp4a\.40\.2$/;
      this.#judge(url, () => [...lintMultivariant(text, { codecs }), ...this.#parsers(text)]);
      const uris = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      const siblings = uris.map((uri) => uri.replace(/^\.\.\/media\/[^/]+/, '..'));
      for (const [index, uri] of uris.entries()) {
        const media = new URL(uri, url).href;
        const lowLatency = !media.endsWith('/ts.m3u8');
        const others = lowLatency ? siblings.filter((_, other) => other !== index) : [];
        if (!this.#media.has(media))
          this.#media.set(media, {
            url: media,
            linter: new ReloadLinter({ lowLatency, siblings: others }),
          });
      }
    }
    await Promise.all(
      [...this.#media.values()].map(async ({ url, linter }) => {
        const text = await this.#fetch(url);
        if (text !== undefined)
          this.#judge(url, () => [...linter.next(text), ...this.#parsers(text)]);
      }),
    );
    for (const [name, linter] of this.#manifests) {
      const url = `${this.#base}/dash/${name}`;
      const text = await this.#fetch(url);
      if (text !== undefined)
        this.#judge(url, () => {
          parseMpd(text, { manifestUri: url });
          return linter.next(text);
        });
    }
  }

  /** The text, where it is another than the one before. */
  async #fetch(url: string): Promise<string | undefined> {
    const answer = await fetch(url);
    const text = await answer.text();
    if (answer.status !== 200 && !(answer.status === 404 && !this.#last.has(url)))
      this.#complain(url, { rule: `status ${answer.status}`, sentence: text });
    if (answer.status !== 200 || this.#last.get(url) === text) return undefined;
    this.#last.set(url, text);
    this.#fetched += 1;
    return text;
  }

  #judge(url: string, judge: () => readonly Finding[]): void {
    try {
      for (const finding of judge()) this.#complain(url, finding);
    } catch (error) {
      this.#complain(url, { rule: 'parser', sentence: String(error) });
    }
  }

  #parsers(text: string): Finding[] {
    const found: Finding[] = [];
    hlsParser.parse(text);
    const parser = new Parser();
    for (const event of ['warn', 'error'] as const)
      parser.on(event, (problem) =>
        found.push({ rule: `m3u8-parser ${event}`, sentence: JSON.stringify(problem) }),
      );
    parser.push(text);
    parser.end();
    return found;
  }

  readonly #known = new Set<string>();

  #complain(url: string, { rule, sentence }: Finding): void {
    const name = url.replace(/.*\/(media\/[^/]+\/)?(?=[^/]+\/[^/]+$)/, '');
    if (this.#known.has(`${name} ${rule}`) || this.#complaints.size >= COMPLAINTS_MOST) return;
    this.#known.add(`${name} ${rule}`);
    this.#complaints.add(`${name}: ${rule}: ${sentence.slice(0, 300)}`);
  }
}
