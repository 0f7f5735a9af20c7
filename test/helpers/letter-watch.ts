/** Reads a channel as all its players together do, from the multivariants to the last part. */
import { parse as parseMpd } from 'mpd-parser';
import { addressedBy, lintDashReloads } from './dash-linter.ts';
import { lintMultivariant } from './hls-linter.ts';
import { listed, listsOf, type MediaText } from './hls-text.ts';
import type { Judgement } from './judgement.ts';
import { LetterMedia } from './letter-media.ts';
import { type Followed, followPlaylist, judgeWithParsers, sentencesOf } from './letter-playlist.ts';
import { attributeOf, childrenOf, parseXml } from './xml-tree.ts';

const EVERY = 1000;
const PATIENCE = 10_000;
const MULTIVARIANTS = ['index.m3u8', 'opus.m3u8', 'ts.m3u8'];

const sleep = (span: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, span));

/** Watches one channel until stopped. */
export class LetterWatch {
  readonly #base: string;
  readonly #judgement: Judgement;
  readonly #media: LetterMedia;
  readonly #followed = new Map<string, Promise<Followed>>();
  readonly #manifests: string[] = [];
  readonly #answered = new Set<string>();
  readonly #loop: Promise<void>;
  #excused = false;
  #stopped = false;

  /** `base` is that of a channel: `http://127.0.0.1:PORT/c/live`. */
  constructor(base: string, judgement: Judgement) {
    this.#base = base;
    this.#judgement = judgement;
    this.#media = new LetterMedia(judgement, { excused: () => this.#excused });
    this.#loop = this.#watch();
  }

  /** While the service is down on purpose, no answer is no complaint. */
  excuse(excused: boolean): void {
    this.#excused = excused;
  }

  /** Whether every media playlist that is still there has come to its end. */
  async ended(): Promise<boolean> {
    const going = sleep(0).then((): 'going' => 'going');
    const ways = await Promise.all(
      [...this.#followed.values()].map((way) => Promise.race([way, going])),
    );
    return ways.includes('ended') && !ways.includes('going');
  }

  /** Lets everything that was taken be judged. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop;
    await Promise.all(this.#followed.values());
    await this.#media.settle();
    this.#judgement.judge(
      'our DASH linter, over reloads',
      'manifest.mpd',
      () => sentencesOf(lintDashReloads(this.#manifests)),
      { documents: this.#manifests.length },
    );
  }

  async #watch(): Promise<void> {
    while (!this.#stopped) {
      const begun = performance.now();
      await Promise.all([...MULTIVARIANTS.map((name) => this.#multivariant(name)), this.#mpd()]);
      await sleep(Math.max(20, EVERY - (performance.now() - begun)));
    }
  }

  async #multivariant(name: string): Promise<void> {
    const url = `${this.#base}/hls/${name}`;
    const text = await this.#fetch(url, 'answered: multivariant');
    if (text === undefined) return;
    const codecs = name.startsWith('opus') ? /^opus$/ : /^mp4a\.40\.2$/;
    judgeWithParsers(this.#judgement, url, text);
    this.#judgement.judge('our HLS linter, multivariants', url, () =>
      sentencesOf(lintMultivariant(text, { codecs })),
    );
    const uris = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const siblings = uris.map((uri) => uri.replace(/^\.\.\/media\/[^/]+/, '..'));
    for (const [index, uri] of uris.entries()) {
      const media = new URL(uri, url).href;
      if (this.#followed.has(media)) continue;
      const lowLatency = !media.endsWith('/ts.m3u8');
      const others = lowLatency ? siblings.filter((_, other) => other !== index) : [];
      const following = followPlaylist(media, {
        judgement: this.#judgement,
        expectation: { lowLatency, siblings: others },
        excused: () => this.#excused,
        stopped: () => this.#stopped,
        took: (playlist, listing) => this.#took(playlist, listing),
      });
      this.#followed.set(media, following);
    }
  }

  readonly #initOf = new Map<string, string>();

  #took(playlist: string, text: MediaText): void {
    const init = listsOf(text.tags, 'EXT-X-MAP')[0]?.get('URI') ?? this.#initOf.get(playlist);
    if (init !== undefined) this.#initOf.set(playlist, init);
    this.#media.take(playlist, listed(text), init);
  }

  async #mpd(): Promise<void> {
    const url = `${this.#base}/dash/manifest.mpd`;
    const text = await this.#fetch(url, 'answered: manifest');
    if (text === undefined) return;
    this.#manifests.push(text);
    this.#judgement.judge('mpd-parser', url, () => {
      parseMpd(text, { manifestUri: url });
      return [];
    });
    this.#judgement.judge('DASH addresses are served', url, () => this.#addresses(url, text), {
      documents: 0,
    });
  }

  /** Every whole segment that a manifest addresses is fetched, as a player would. */
  #addresses(url: string, text: string): string[] {
    const mpd = parseXml(text);
    const now = Date.parse(attributeOf(mpd, 'publishTime'));
    const templates = childrenOf(mpd, 'Period').flatMap((period) =>
      childrenOf(period, 'AdaptationSet').map((set) => ({ period, set })),
    );
    for (const { period, set } of templates) {
      const template = childrenOf(set, 'SegmentTemplate')[0];
      const ids = childrenOf(set, 'Representation').map((one) => attributeOf(one, 'id'));
      const scale = Number(attributeOf(template, 'timescale')) / 1000;
      const whole = addressedBy(mpd).filter(
        (one) =>
          one.period === attributeOf(period, 'id') &&
          one.set === attributeOf(set, 'id') &&
          one.presented + one.duration / scale <= now,
      );
      for (const id of ids) {
        const fill = (uri: string): string =>
          new URL(uri.replaceAll('$RepresentationID$', id), url).href;
        const init = fill(attributeOf(template, 'initialization'));
        for (const { number } of whole) {
          const media = fill(attributeOf(template, 'media')).replace('$Number$', String(number));
          if (!this.#answered.has(media)) this.#judgement.note('DASH addresses are served', media);
          this.#answered.add(media);
          this.#media.segment(media, { init });
        }
      }
    }
    return [];
  }

  /** The text; undefined when there is none, which is a complaint once there was one. */
  async #fetch(url: string, judge: string): Promise<string | undefined> {
    const before = this.#excused;
    const excused = (): boolean => before || this.#excused || !this.#answered.has(url);
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
      const text = await answer.text();
      if (answer.status === 200) {
        this.#answered.add(url);
        this.#judgement.note(judge, url);
        return text;
      }
      if (!excused())
        this.#judgement.note(judge, url, { complaints: [`Status ${answer.status}: ${text}`] });
    } catch (error) {
      if (!excused()) this.#judgement.note(judge, url, { complaints: [String(error)] });
    }
    return undefined;
  }
}
