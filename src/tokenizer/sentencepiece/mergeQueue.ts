/** A binary heap of numbers, smallest first. */
export class MergeQueue {
  private keys = new Float64Array(64);
  private count = 0;

  get size(): number {
    return this.count;
  }

  push(key: number): void {
    if (this.count === this.keys.length) {
      const larger = new Float64Array(this.count * 2);
      larger.set(this.keys);
      this.keys = larger;
    }
    const { keys } = this;
    let index = this.count++;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (keys[parent] <= key) break;
      keys[index] = keys[parent];
      index = parent;
    }
    keys[index] = key;
  }

  /** Removes and returns the smallest number; the queue must not be empty. */
  pop(): number {
    const { keys } = this;
    const top = keys[0];
    const last = keys[--this.count];
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= this.count) break;
      if (child + 1 < this.count && keys[child + 1] < keys[child]) child++;
      if (keys[child] >= last) break;
      keys[index] = keys[child];
      index = child;
    }
    keys[index] = last;
    return top;
  }
}
