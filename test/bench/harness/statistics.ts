/** Numbers out of rounds. */

/** Middle value, the mean of the two middle ones of an even count. Throws where there is none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('no values');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export interface Spread {
  min: number;
  median: number;
  max: number;
}

export function spread(values: readonly number[]): Spread {
  return { min: Math.min(...values), median: median(values), max: Math.max(...values) };
}

/**
 * Ratios round by round: what is measured one after the other shares the machine's state, so a busy minute moves both sides.
 * Rounds that only one side has are left out.
 */
export function ratios(ours: ReadonlyMap<number, number>, theirs: ReadonlyMap<number, number>): number[] {
  return [...ours].flatMap(([round, value]) => {
    const other = theirs.get(round);
    return other === undefined ? [] : [value / other];
  });
}

export interface LinearFit {
  intercept: number;
  slope: number;
  /** Coefficient of determination; 1 where all points lie on the line. */
  r2: number;
}

/** Least squares of y = intercept + slope * x over at least two different x. */
export function linearFit(points: readonly (readonly [x: number, y: number])[]): LinearFit {
  const mean = (pick: (point: readonly [number, number]) => number): number =>
    points.reduce((sum, point) => sum + pick(point), 0) / points.length;
  const [centerX, centerY] = [mean(([x]) => x), mean(([, y]) => y)];
  const covariance = mean(([x, y]) => (x - centerX) * (y - centerY));
  const variance = mean(([x]) => (x - centerX) ** 2);
  if (!(variance > 0)) throw new Error('a line needs two different x');
  const slope = covariance / variance;
  const intercept = centerY - slope * centerX;
  const residual = mean(([x, y]) => (y - intercept - slope * x) ** 2);
  const total = mean(([, y]) => (y - centerY) ** 2);
  return { intercept, slope, r2: total > 0 ? 1 - residual / total : 1 };
}

/** Largest relative difference of two series, as far as both go; infinite where they share nothing or a value is no number. */
export function largestDifference(a: readonly number[], b: readonly number[]): number {
  const length = Math.min(a.length, b.length);
  if (length === 0) return Infinity;
  const differences = a.slice(0, length).map((value, i) => Math.abs(value - b[i]) / Math.abs(b[i]));
  return differences.every(Number.isFinite) ? Math.max(...differences) : Infinity;
}
