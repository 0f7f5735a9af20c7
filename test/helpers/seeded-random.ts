/** Returns uniform numbers in [0, 1) that depend on nothing but the seed (32-bit xorshift). */
export const seededRandom = (seed: number): (() => number) => {
  // Xorshift stays at zero for ever and starts slowly from small states, so the seed is spread.
  let state = Math.imul(seed ^ 0x5bd1_e995, 0x9e37_79b1) || 0x1234_5679;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
};
