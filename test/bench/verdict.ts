/** How a benchmark that judges says what it found: a row a claim, and an exit code for all. */

/** One figure against what is demanded of it. */
export type Claim = {
  readonly name: string;
  readonly value: number;
  readonly most: number;
  readonly unit: string;
};

/** Prints the claims as a table; the process fails in the end when one of them does not hold. */
export const judge = (claims: readonly Claim[]): void => {
  for (const { name, value, most, unit } of claims) {
    const holds = value <= most;
    if (!holds) process.exitCode = 1;
    const figure = `${value.toFixed(unit === '' ? 0 : 2)} ${unit}`.trim();
    const limit = `at most ${most} ${unit}`.trim();
    process.stdout.write(
      `  ${holds ? 'reached' : 'MISSED '}  ${name.padEnd(54)}${figure.padEnd(16)}${limit}\n`,
    );
  }
};
