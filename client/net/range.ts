/** Ranges of sequences, kept apart and in order, so that nothing is counted twice. */

/** Sequences from `from` up to and without `to`. */
export type Range = { readonly from: number; readonly to: number };

/** How many sequences two ranges share. */
export const overlap = (one: Range, other: Range): number =>
  Math.max(0, Math.min(one.to, other.to) - Math.max(one.from, other.from));

/** How many sequences ranges that lie apart have together. */
export const lengthOfAll = (ranges: readonly Range[]): number =>
  ranges.reduce((sum, { from, to }) => sum + to - from, 0);

/** The ranges with one more, neighbours joined. */
export const united = (ranges: readonly Range[], range: Range): Range[] => {
  const joined: { from: number; to: number }[] = [];
  for (const { from, to } of [...ranges, range].sort((one, other) => one.from - other.from)) {
    const last = joined.at(-1);
    if (last === undefined || from > last.to) joined.push({ from, to });
    else last.to = Math.max(last.to, to);
  }
  return joined;
};

/** What of a range is in none of the others, which lie apart and in order. */
export const uncovered = (range: Range, others: readonly Range[]): Range[] => {
  const free: Range[] = [];
  let { from } = range;
  for (const other of others) {
    if (other.from >= range.to) break;
    if (other.from > from) free.push({ from, to: other.from });
    from = Math.max(from, other.to);
  }
  if (from < range.to) free.push({ from, to: range.to });
  return free;
};
