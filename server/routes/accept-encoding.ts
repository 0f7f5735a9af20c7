/** What of our encodings a client likes best (RFC 9110 section 12.5.3). */
import type { Encoding } from '../packager/render-cache.ts';

/** Smallest first: at equal weight the earlier one is sent. */
const OURS: readonly Encoding[] = ['br', 'gzip', 'identity'];

/** A list longer than any client's is looked at no further. */
const CODINGS_MOST = 32;

const WEIGHT = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i;

/** Weights by coding, 0 to 1; one whose weight cannot be read counts as refused. */
const weightsOf = (header: string): Map<string, number> => {
  const weights = new Map<string, number>();
  for (const element of header.split(',', CODINGS_MOST)) {
    const [coding = '', ...parameters] = element.split(';').map((part) => part.trim());
    const name = coding.toLowerCase() === 'x-gzip' ? 'gzip' : coding.toLowerCase();
    if (name === '' || weights.has(name)) continue;
    const [weight] = parameters;
    weights.set(name, weight === undefined ? 1 : Number(WEIGHT.exec(weight)?.[1] ?? 0));
  }
  return weights;
};

/**
 * Chooses the encoding for an `Accept-Encoding` header. Without one, with an empty one, and with one
 * that refuses all we have, the text goes as it is.
 */
export const chooseEncoding = (header: string | undefined): Encoding => {
  const weights = weightsOf(header ?? '');
  const any = weights.get('*');
  const weightOf = (encoding: Encoding): number => {
    const named = weights.get(encoding) ?? any;
    // As it is, a text is acceptable unless refused, but less welcome than whatever is named.
    return named ?? (encoding === 'identity' ? Number.MIN_VALUE : 0);
  };
  let best: Encoding = 'identity';
  let most = 0;
  for (const encoding of OURS)
    if (weightOf(encoding) > most) {
      best = encoding;
      most = weightOf(encoding);
    }
  return best;
};
