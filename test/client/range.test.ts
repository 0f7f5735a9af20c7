import { describe, expect, it } from 'vitest';
import { lengthOfAll, type Range, uncovered, united } from '../../client/net/range.ts';
import { seededRandom } from '../helpers/seeded-random.ts';
import { range } from './publishing.ts';

const SEED = 20_261_122;

describe('ranges', () => {
  it('hold just the sequences put in, apart and in order, and find just those outside', () => {
    const random = seededRandom(SEED);
    const draw = (): Range => {
      const from = Math.floor(random() * 60);
      return { from, to: from + Math.floor(random() * 12) };
    };
    for (let round = 0; round < 300; round += 1) {
      const inside = new Set<number>();
      let ranges: Range[] = [];
      for (let count = 0; count < 8; count += 1) {
        const added = draw();
        if (added.to === added.from) continue;
        const fresh = uncovered(added, ranges).flatMap(({ from, to }) => range(from, to));
        expect(fresh, `seed ${SEED}`).toEqual(
          range(added.from, added.to).filter((sequence) => !inside.has(sequence)),
        );
        ranges = united(ranges, added);
        for (const sequence of range(added.from, added.to)) inside.add(sequence);
      }
      expect(ranges.flatMap(({ from, to }) => range(from, to))).toEqual(
        [...inside].sort((one, other) => one - other),
      );
      expect(lengthOfAll(ranges)).toBe(inside.size);
      expect(ranges.every(({ from }, index) => from > (ranges[index - 1]?.to ?? -1))).toBe(true);
    }
  });
});
