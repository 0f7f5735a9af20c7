/** Waits until a claim holds and returns how long that took, ms; throws when it never does. */
export const untilTrue = async (
  claim: () => boolean | Promise<boolean>,
  within = 20_000,
): Promise<number> => {
  const began = performance.now();
  while (!(await claim())) {
    if (performance.now() - began > within) throw new Error(`Never true: ${claim}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return performance.now() - began;
};
