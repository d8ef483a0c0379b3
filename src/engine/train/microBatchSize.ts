/** Rows of a micro-batch, and what happens to them when memory runs out. */
import { isGlmError } from '../../protocol/errors';

export class MicroBatchSize {
  /**
   * @param rows rows of a micro-batch to begin with
   * @param adjusts whether they may be halved
   * @param halved told of the new number
   */
  constructor(
    public rows: number,
    private readonly adjusts: boolean,
    private readonly halved: (rows: number) => void,
  ) {}

  get canHalve(): boolean {
    return this.adjusts && this.rows > 1;
  }

  /** Runs what `rows` is the measure of; again with half of them as long as memory runs out and there is more than one. */
  async fit<T>(work: (rows: number) => Promise<T>): Promise<T> {
    for (;;)
      try {
        return await work(this.rows);
      } catch (error) {
        const full = isGlmError(error) && error.code === 'engine.outOfMemory';
        if (!full || !this.canHalve) throw error;
        this.rows = Math.ceil(this.rows / 2);
        this.halved(this.rows);
      }
  }
}

/** Consecutive pieces of at most `size`. */
export function chunks<T>(values: readonly T[], size: number): T[][] {
  const count = Math.ceil(values.length / size);
  return Array.from({ length: count }, (_, i) => values.slice(i * size, (i + 1) * size));
}
