/** TensorBoard's debiased exponential moving average. */

/**
 * Smooths a series as it grows. With weight w, `last = w * last + (1 - w) * x`, divided by `1 - w^n` so that the first
 * points are not pulled to zero. A value that is not finite stays a gap and does not enter the average.
 */
export class DebiasedAverage {
  private last = 0;
  private debias = 1;

  constructor(private readonly weight: number) {}

  add(value: number | null): number | null {
    if (value === null || !Number.isFinite(value)) return null;
    this.last = this.weight * this.last + (1 - this.weight) * value;
    this.debias *= this.weight;
    return this.last / (1 - this.debias);
  }
}

/** @param weight 0 (no smoothing) to below 1 */
export function smooth(values: readonly (number | null)[], weight: number): (number | null)[] {
  const average = new DebiasedAverage(weight);
  return values.map((value) => average.add(value));
}
