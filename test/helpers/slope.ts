/** A straight line through measurements, and how sure its slope is. */

/** One measurement; units are the caller's. */
export type Measurement = { readonly x: number; readonly y: number };

/** Slope in units of y for one of x, and half the width of its 95 % confidence interval. */
export type Slope = {
  readonly slope: number;
  readonly margin: number;
  readonly count: number;
  /** Difference of the greatest and the least measurement for one of x: no lasting growth is more. */
  readonly most: number;
};

const SURE = 1.96;
/** Fewer independent measurements than this say nothing. */
const LEAST = 3;

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const rangeOf = (measurements: readonly Measurement[], axis: 'x' | 'y'): number => {
  const values = measurements.map((measurement) => measurement[axis]);
  return Math.max(...values) - Math.min(...values);
};

/**
 * Least squares. Memory and delays wander, so neighbours resemble each other: the margin counts only
 * as many measurements as the likeness of neighbouring residuals leaves independent (a first-order
 * autoregression). Without enough of them the margin is infinite.
 */
export const slopeOf = (measurements: readonly Measurement[]): Slope => {
  const count = measurements.length;
  const [meanX, meanY] = [
    meanOf(measurements.map(({ x }) => x)),
    meanOf(measurements.map(({ y }) => y)),
  ];
  const spread = measurements.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  const together = measurements.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  const slope = spread > 0 ? together / spread : 0;
  const residuals = measurements.map(({ x, y }) => y - meanY - slope * (x - meanX));
  const power = residuals.reduce((sum, residual) => sum + residual ** 2, 0);
  const neighbours = residuals
    .slice(1)
    .reduce((sum, residual, index) => sum + residual * residuals[index]!, 0);
  const likeness = power > 0 ? Math.min(0.999, Math.max(0, neighbours / power)) : 0;
  const independent = (count * (1 - likeness)) / (1 + likeness);
  const margin =
    independent <= LEAST || spread === 0
      ? Number.POSITIVE_INFINITY
      : SURE * Math.sqrt(((power / (count - 2)) * count) / (independent * spread));
  return { slope, margin, count, most: rangeOf(measurements, 'y') / rangeOf(measurements, 'x') };
};
