/** Sizes that programs are compiled for: few enough to bound compilation, close enough to bound padding. */

/** The next of 16, 32, 48, 64, then multiples of 64 to 512, of 256 to 2048 and of 1024 beyond. */
export function bucketLength(length: number): number {
  const step = length <= 64 ? 16 : length <= 512 ? 64 : length <= 2048 ? 256 : 1024;
  return Math.ceil(Math.max(length, 1) / step) * step;
}

/** The next power of two from 128, at most `limit` (rounded up to a multiple of 64). */
export function bucketCapacity(length: number, limit: number): number {
  const most = Math.ceil(limit / 64) * 64;
  let capacity = 128;
  while (capacity < length) capacity *= 2;
  return Math.min(capacity, Math.max(most, Math.ceil(length / 64) * 64));
}

/** How many slots of a cache are looked at where `end` are in use: the next power of two from 512. */
export function bucketVisible(end: number, capacity: number): number {
  let visible = 512;
  while (visible < end) visible *= 2;
  return Math.min(visible, capacity);
}

/** `values` followed by `fill` up to `length`, as int32. */
export function padInts(values: ArrayLike<number>, length: number, fill = 0): Int32Array {
  const result = new Int32Array(length).fill(fill);
  result.set(values);
  return result;
}
