/** Nearest entry of a sorted table, decided in float32 arithmetic as the reference does. */

/** A sorted table of float32 values from -1 to 1 and where each entry begins. */
export interface QuantizationMap {
  readonly values: Float32Array;
  /** `from[i]`: the smallest float32 that is strictly nearer to entry i than to entry i - 1; from[0] is -Infinity. */
  readonly from: Float32Array;
}

export function quantizationMap(values: Float32Array): QuantizationMap {
  const from = new Float32Array(values.length).fill(-Infinity);
  for (let i = 1; i < values.length; i++) from[i] = firstNearer(values[i - 1], values[i]);
  return { values, from };
}

/** Index of the entry nearest to x; of two equally near ones the lower. NaN: 0. */
export function nearestEntry(x: number, { from }: QuantizationMap): number {
  let low = 0;
  let high = from.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (x >= from[middle]) low = middle;
    else high = middle - 1;
  }
  return low;
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** Order of float32 values as integers, negative ones included. */
function ordinal(x: number): number {
  float[0] = x;
  return bits[0] < 0 ? -(bits[0] & 0x7fffffff) : bits[0];
}

function fromOrdinal(order: number): number {
  bits[0] = order < 0 ? -order | 0x80000000 : order;
  return float[0];
}

/** The distances are rounded to float32, so the border need not be the mid-point's neighbour. */
function firstNearer(lower: number, upper: number): number {
  let low = ordinal(lower);
  let high = ordinal(upper);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const x = fromOrdinal(middle);
    if (Math.fround(upper - x) < Math.fround(x - lower)) high = middle;
    else low = middle + 1;
  }
  return fromOrdinal(high);
}
