/**
 * The Huffman codebooks of AAC (ISO/IEC 14496-3, 4.A.1), as far as one must know them to find out
 * where something ends: how many bits a codeword has, and how many follow it.
 *
 * All are canonical: their codewords, in order, are the numbers from 0 on, each of its own length.
 * So a book is told by its lengths. A character stands for a codeword: the sign bits that follow it,
 * or a, b, c, where one escape follows one sign, one two signs, or two of them two signs.
 */
type Book = Readonly<Record<number, string>>;

/** Codewords that nothing follows. */
const plain = (count: number): string => '0'.repeat(count);

/**
 * A book to look up by the next `longest` bits: the bits of the codeword there and its signs, and
 * from bit ESCAPES on the number of its escapes.
 */
export type Lengths = { readonly longest: number; readonly table: Uint8Array };

/** Where in an entry the number of escapes begins; what is below is the number of bits. */
export const ESCAPES = 5;

/** The longest codeword with its signs that an entry can tell, bits. */
export const MOST_LENGTH = (1 << ESCAPES) - 1;

const FOLLOWERS: Readonly<Record<string, readonly [signs: number, escapes: number]>> = {
  0: [0, 0],
  1: [1, 0],
  2: [2, 0],
  3: [3, 0],
  4: [4, 0],
  a: [1, 1],
  b: [2, 1],
  c: [2, 2],
};

const lengthsOf = (book: Book): Lengths => {
  const sizes = Object.keys(book).map(Number);
  const longest = Math.max(...sizes);
  const table = new Uint8Array(1 << longest);
  let from = 0;
  for (const size of sizes)
    for (const character of book[size] ?? '') {
      const [signs, escapes] = FOLLOWERS[character] as readonly [number, number];
      const to = from + (1 << (longest - size));
      table.fill(size + signs + (escapes << ESCAPES), from, to);
      from = to;
    }
  if (from !== table.length) throw new Error('A codebook of AAC is not complete.');
  return { longest, table };
};

/** Differences between scale factors. */
export const SCALE_FACTORS: Lengths = lengthsOf({
  1: plain(1),
  3: plain(1),
  4: plain(3),
  5: plain(2),
  6: plain(4),
  7: plain(3),
  8: plain(5),
  9: plain(4),
  10: plain(6),
  11: plain(6),
  12: plain(6),
  13: plain(5),
  14: plain(8),
  15: plain(4),
  16: plain(7),
  17: plain(3),
  18: plain(7),
  19: plain(46),
});

/** Spectral codebooks 1 to 11; the first four hold four lines in a codeword, the others two. */
export const SPECTRAL: readonly Lengths[] = [
  { 1: plain(1), 5: plain(8), 7: plain(24), 9: plain(24), 10: plain(8), 11: plain(16) },
  { 3: plain(1), 4: plain(1), 5: plain(7), 6: plain(24), 7: plain(15), 8: plain(19), 9: plain(14) },
  {
    1: '0',
    4: '1111',
    5: '22',
    6: '222323',
    7: '433',
    8: '11223',
    9: '232331221224334',
    10: '323244332333223',
    11: '24334423',
    12: '333334444',
    13: '223',
    14: '343',
    15: '44432',
    16: '33',
  },
  {
    4: '4333312022',
    5: '221211',
    7: '444433333',
    8: '333333322222222222211',
    9: '11444444',
    10: '33333333343334',
    11: '44222222433',
    12: '33',
  },
  {
    1: plain(1),
    4: plain(4),
    5: plain(4),
    7: plain(4),
    8: plain(12),
    9: plain(12),
    10: plain(12),
    11: plain(18),
    12: plain(10),
    13: plain(4),
  },
  {
    4: plain(9),
    6: plain(16),
    7: plain(13),
    8: plain(8),
    9: plain(23),
    10: plain(8),
    11: plain(4),
  },
  {
    1: '0',
    3: '11',
    4: '2',
    6: '2211',
    7: '22211',
    8: '2222222211',
    9: '22212122222222',
    10: '211222222222222',
    11: '11222222',
    12: '2222',
  },
  {
    3: '2',
    4: '21212',
    5: '0112222',
    6: '2222211222',
    7: '22222221212222',
    8: '222121222222222',
    9: '22121222',
    10: '2112',
  },
  {
    1: '0',
    3: '11',
    4: '2',
    6: '2211',
    7: '222',
    8: '11222222',
    9: '22112222222',
    10: '12122222222122222222',
    11: '1222122221222211222222222222212',
    12: '22122222222222222222222122122222221222',
    13: '22222222222212212222122222222222',
    14: '22222222222222',
    15: '2222',
  },
  {
    4: '222',
    5: '21122222',
    6: '11222202211222',
    7: '22222222212122222',
    8: '2222222121222222222222222',
    9: '2221222221222222222222222221212',
    10: '22222212222221222222222222222221212122222',
    11: '2222222222121222122212',
    12: '22222122',
  },
  {
    4: '02',
    5: 'c11222',
    6: '2221212',
    7: '2222221122222222',
    8: '2222222bbbbb2b121b2bbbb22222bb22bbb22b2bbb2b22bb2221bb22221',
    9: '2bb22b2b2222222b221222222122222222222222122222222222a22',
    10: '2222a212222222222222222222222222222221222222222222222222122222222222222222222222222211222222222',
    11: '2222222222222222212212122212222211222212212',
    12: '112112',
  },
].map(lengthsOf);
