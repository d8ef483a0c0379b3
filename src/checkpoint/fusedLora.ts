/** The matrices of LoRA on a fused projection and on the projections it consists of. */
import type { LoraWeights } from './loraFiles';

/** A projection of a fused layer: how many rows of the weight are its own. */
export interface Block {
  module: string;
  rows: number;
}

/** The adapters of the blocks of a fused layer's rows: each has all of A, its rows of B and of the magnitude. */
export function splitFused(fused: LoraWeights, blocks: readonly Block[]): LoraWeights[] {
  const rank = fused.a[0];
  let row = 0;
  return blocks.map(({ module, rows }) => {
    const [from, to] = [row, row + rows];
    row = to;
    return {
      module,
      a: fused.a,
      b: [rows, rank],
      aData: fused.aData,
      bData: fused.bData.subarray(from * rank, to * rank),
      magnitudeData: fused.magnitudeData?.subarray(from, to) ?? null,
    };
  });
}

/**
 * The adapter of a fused layer from those of its blocks; `parts[i]` is null where block i has none. Where all share one A it is kept, else
 * the ranks add up: A holds the rows of all, B has a block for each.
 */
export function joinFused(
  module: string,
  blocks: readonly Block[],
  parts: readonly (LoraWeights | null)[],
): LoraWeights {
  const present = parts.filter((part) => part !== null);
  const shared = present.every((part) => sameValues(part.aData, present[0].aData));
  const used = shared ? present.slice(0, 1) : present;
  const rank = used.reduce((sum, { a }) => sum + a[0], 0);
  const inFeatures = present[0].a[1];
  const aData = new Float32Array(rank * inFeatures);
  let offset = 0;
  for (const part of used) {
    aData.set(part.aData, offset);
    offset += part.aData.length;
  }
  const rows = blocks.reduce((sum, block) => sum + block.rows, 0);
  const bData = new Float32Array(rows * rank);
  let [row, column] = [0, 0];
  blocks.forEach((block, i) => {
    const part = parts[i];
    if (part) {
      copyBlock(part, bData, { rank, row, column });
      if (!shared) column += part.a[0];
    }
    row += block.rows;
  });
  return {
    module,
    a: [rank, inFeatures],
    b: [rows, rank],
    aData,
    bData,
    magnitudeData: joinMagnitudes(parts),
  };
}

/** Puts the rows of a part's B into a wider matrix. */
function copyBlock(
  { b, bData }: LoraWeights,
  target: Float32Array,
  { rank, row, column }: { rank: number; row: number; column: number },
): void {
  const [rows, own] = b;
  for (let r = 0; r < rows; r++) {
    target.set(bData.subarray(r * own, (r + 1) * own), (row + r) * rank + column);
  }
}

function joinMagnitudes(parts: readonly (LoraWeights | null)[]): Float32Array | null {
  const magnitudes = parts.map((part) => part?.magnitudeData ?? null);
  if (!magnitudes.every((magnitude) => magnitude !== null)) return null;
  return Float32Array.from(magnitudes.flatMap((magnitude) => [...magnitude]));
}

function sameValues(x: Float32Array, y: Float32Array): boolean {
  return x.length === y.length && x.every((value, i) => value === y[i]);
}
