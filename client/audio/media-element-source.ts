/** What the channel's playlists say before anything is played: whether there is sound, and which. */

/** One variant of the multivariant playlist. */
export type Variant = {
  readonly name: string;
  readonly url: string;
  readonly codec: 'Opus' | 'AAC';
  /** Nominal where the name tells it (`aac128`), else as measured, bit/s. */
  readonly bitrate: number;
};

/** What there is at an address. */
export type Source =
  | {
      readonly is: 'live';
      /** The best first. */
      readonly variants: readonly Variant[];
      /** Parts are there: a player may be closer to live than whole segments let it. */
      readonly lowLatency: boolean;
    }
  | { readonly is: 'ended' }
  /** Off the air, with nothing to play. */
  | { readonly is: 'missing' }
  | { readonly is: 'refused' }
  | { readonly is: 'unreachable' };

/** Something that can be played. */
export type LiveSource = Extract<Source, { is: 'live' }>;

export type Fetching = {
  readonly fetch: typeof globalThis.fetch;
  readonly signal: AbortSignal;
  /** Told the `Date` of every fresh answer: server's UTC in whole seconds, and when it came. */
  readonly dated?: (date: number, sent: number, answered: number) => void;
  readonly now?: () => number;
};

const attribute = (line: string, name: string): string | null =>
  new RegExp(`[:,]${name}=(?:"([^"]*)"|([^,]*))`).exec(line)?.slice(1).find(Boolean) ?? null;

/** Parses a multivariant playlist; the best variant first. */
export const parseVariants = (playlist: string, base: string): Variant[] => {
  const variants: Variant[] = [];
  let stream: string | null = null;
  for (const line of playlist.split(/\r?\n/)) {
    if (line.startsWith('#EXT-X-STREAM-INF:')) stream = line;
    if (line === '' || line.startsWith('#') || stream === null) continue;
    const url = new URL(line, base);
    const steps = url.pathname.split('/').map((step) => step.replace(/\.m3u8$/, ''));
    // A file or a folder is called after the rendition (server/packager/track.ts).
    const name = steps.findLast((step) => /^(aac|opus)\d*$/.test(step)) ?? steps.at(-1) ?? line;
    const nominal = Number(/\d+/.exec(name)?.[0] ?? 0) * 1000;
    const measured = attribute(stream, 'AVERAGE-BANDWIDTH') ?? attribute(stream, 'BANDWIDTH');
    variants.push({
      name,
      url: url.href,
      codec: /opus/i.test(attribute(stream, 'CODECS') ?? '') ? 'Opus' : 'AAC',
      bitrate: nominal || Number(measured) || 0,
    });
    stream = null;
  }
  return variants.sort((a, b) => b.bitrate - a.bitrate);
};

const WHY_NOT: ReadonlyMap<number, Source> = new Map([
  [401, { is: 'refused' }],
  [403, { is: 'refused' }],
  [404, { is: 'missing' }],
]);

/** A server that takes longer has not answered, ms. */
const ANSWER_WITHIN = 6000;

/** Reads the multivariant playlist at `url` and the first media playlist it names. Never rejects. */
export const readSource = async (url: string, fetching: Fetching): Promise<Source> => {
  const { fetch, dated, now = Date.now } = fetching;
  const signal = AbortSignal.any([fetching.signal, AbortSignal.timeout(ANSWER_WITHIN)]);
  const read = async (address: string): Promise<string | Source> => {
    const sent = now();
    const response = await fetch(address, { signal, cache: 'no-store' });
    const date = Date.parse(response.headers.get('date') ?? '');
    const isFresh = !Number(response.headers.get('age') ?? 0);
    if (isFresh && Number.isFinite(date)) dated?.(date, sent, now());
    if (!response.ok) return WHY_NOT.get(response.status) ?? { is: 'unreachable' };
    return response.text();
  };
  try {
    const multivariant = await read(url);
    if (typeof multivariant !== 'string') return multivariant;
    const variants = parseVariants(multivariant, url);
    const [best] = variants;
    if (best === undefined) return { is: 'missing' };
    const media = await read(best.url);
    if (typeof media !== 'string') return media;
    if (media.includes('#EXT-X-ENDLIST')) return { is: 'ended' };
    return { is: 'live', variants, lowLatency: media.includes('#EXT-X-PART-INF') };
  } catch {
    return { is: 'unreachable' };
  }
};

/**
 * The server's clock as far as the whole seconds of `Date` headers tell it: this browser's own is
 * kept as long as it agrees with them, and moved no further than they demand.
 */
export class DateClock {
  #least = Number.NEGATIVE_INFINITY;
  #most = Number.POSITIVE_INFINITY;

  /** The server wrote `date` between `sent` and `answered`; all in ms of UTC. */
  enter(date: number, sent: number, answered: number): void {
    const [least, most] = [date - answered, date + 1000 - sent];
    // A clock was set in between: what was learnt before is void.
    const isVoid = least > this.#most || most < this.#least;
    this.#least = isVoid ? least : Math.max(this.#least, least);
    this.#most = isVoid ? most : Math.min(this.#most, most);
  }

  /** What to add to this browser's clock, ms. */
  get offset(): number {
    return Math.min(Math.max(0, this.#least), this.#most);
  }
}
