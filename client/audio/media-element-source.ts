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
      /** Length of its parts, s, with which a player may be closer to live; null: there are none. */
      readonly part: number | null;
    }
  | { readonly is: 'ended' }
  /** Off the air, with nothing to play. */
  | { readonly is: 'missing' }
  | { readonly is: 'refused' }
  | { readonly is: 'unreachable' };

/** Something that can be played. */
export type LiveSource = Extract<Source, { is: 'live' }>;

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

/** A server that takes longer has not answered, ms; for what begins just now Skywave takes up to 9 s. */
const ANSWER_WITHIN = 10_000;

/** Reads the multivariant playlist at `url` and the first media playlist it names. Never rejects. */
export const readSource = async (url: string, signal: AbortSignal): Promise<Source> => {
  const within = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN)]);
  const read = async (address: string): Promise<string | Source> => {
    const response = await fetch(address, { signal: within, cache: 'no-store' });
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
    const [, part] = /^#EXT-X-PART-INF:.*PART-TARGET=([\d.]+)/m.exec(media) ?? [];
    return { is: 'live', variants, part: Number(part) || null };
  } catch {
    return { is: 'unreachable' };
  }
};
