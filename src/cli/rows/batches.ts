/** Which rows are generated side by side. */

/**
 * Indices of `lengths` in batches of at most `size`. Rows of similar length come together, so that little is padded; one by one
 * they keep their order.
 */
export function lengthBatches(lengths: readonly number[], size: number): number[][] {
  const order = lengths.map((_, index) => index);
  if (size > 1) order.sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
  const batches: number[][] = [];
  for (let start = 0; start < order.length; start += size) batches.push(order.slice(start, start + size));
  return batches;
}
