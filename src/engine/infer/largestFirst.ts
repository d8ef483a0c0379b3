/**
 * Indices of the positive values, largest first, lower indices first among equals. Sorted only as far as they are asked for: of a
 * vocabulary of 150,000 a few hundred are.
 */
export function* largestFirst(values: Float64Array): Generator<number> {
  const heap = new Int32Array(values.length);
  let size = 0;
  for (let i = 0; i < values.length; i++) if (values[i] > 0) heap[size++] = i;
  const precedes = (a: number, b: number): boolean =>
    values[a] > values[b] || (values[a] === values[b] && a < b);
  const sink = (from: number): void => {
    const moved = heap[from];
    let at = from;
    for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && precedes(heap[child + 1], heap[child])) child++;
      if (!precedes(heap[child], moved)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = moved;
  };
  for (let i = (size >> 1) - 1; i >= 0; i--) sink(i);
  while (size > 0) {
    yield heap[0];
    heap[0] = heap[--size];
    sink(0);
  }
}
