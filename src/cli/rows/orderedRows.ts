/** Writes results in the order of their rows, whatever order they are computed in. */
export class OrderedRows {
  private readonly waiting = new Map<number, unknown>();
  private next = 0;

  constructor(private readonly write: (result: unknown) => Promise<void>) {}

  /** Takes the result of row `index`, and writes all that are no longer waiting for an earlier one. */
  async put(index: number, result: unknown): Promise<void> {
    this.waiting.set(index, result);
    while (this.waiting.has(this.next)) {
      const ready = this.waiting.get(this.next);
      this.waiting.delete(this.next);
      this.next += 1;
      await this.write(ready);
    }
  }
}
