/** The order in which rows are trained on: epoch after epoch, the same for the same seed, resumable at any row. */
import { Random } from '../random';

export interface RowOrder {
  shuffle: boolean;
  groupByLength: boolean;
  seed: number;
  /** Rows per micro-batch; length groups are as wide. */
  batchSize: number;
}

/** Micro-batches of a length group: wide enough to mix, narrow enough to pad little (transformers' sampler uses the same). */
const GROUP_BATCHES = 50;

export class RowStream {
  private epoch = -1;
  private order: number[] = [];

  /** `lengths[i]` is the length of row i in tokens; `consumed` rows have been taken already. */
  constructor(
    private readonly lengths: readonly number[],
    private readonly options: RowOrder,
    public consumed = 0,
  ) {}

  /** Indices of the next rows; a batch may reach into the next epoch, so that every batch is full. */
  next(count: number): number[] {
    return Array.from({ length: count }, () => {
      const epoch = Math.floor(this.consumed / this.lengths.length);
      if (epoch !== this.epoch) this.startEpoch(epoch);
      return this.order[this.consumed++ % this.lengths.length];
    });
  }

  /** Epochs begun and done, as a fraction. */
  get epochs(): number {
    return this.consumed / this.lengths.length;
  }

  private startEpoch(epoch: number): void {
    this.epoch = epoch;
    const { shuffle, groupByLength, seed, batchSize } = this.options;
    const order = Array.from(this.lengths.keys());
    const random = new Random(seed, epoch);
    if (shuffle) random.shuffle(order);
    this.order = groupByLength ? this.grouped(order, batchSize, shuffle ? random : null) : order;
  }

  /** Sorts by length within wide groups, longest first, then mixes the batches of a group. */
  private grouped(order: number[], batchSize: number, random: Random | null): number[] {
    const width = batchSize * GROUP_BATCHES;
    const result: number[] = [];
    for (let start = 0; start < order.length; start += width) {
      const group = order.slice(start, start + width).sort((a, b) => this.lengths[b] - this.lengths[a]);
      const batches: number[][] = [];
      for (let i = 0; i < group.length; i += batchSize) batches.push(group.slice(i, i + batchSize));
      result.push(...(random ? random.shuffle(batches) : batches).flat());
    }
    return result;
  }
}
