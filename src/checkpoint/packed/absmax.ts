/** Double quantisation: the scales of the blocks, stored in 8 bits. */
import { mean } from './mean';
import { nearestEntry } from './quantizationMap';
import { DYNAMIC_LEVELS, DYNAMIC_MAP, DYNAMIC_ZERO } from './tables';
import type { Absmax } from './types';

export const NESTED_BLOCK_SIZE = 256;

/** Quantises scales around their mean, in blocks of 256. */
export function nestAbsmax(values: Float32Array): Absmax {
  const blockSize = NESTED_BLOCK_SIZE;
  const offset = mean(values);
  const codes = new Uint8Array(values.length);
  const scales = new Float32Array(Math.ceil(values.length / blockSize));
  const centred = values.map((value) => value - offset);
  for (let block = 0; block < scales.length; block++) {
    const part = centred.subarray(block * blockSize, (block + 1) * blockSize);
    const most = part.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    scales[block] = most;
    const inverse = Math.fround(1 / most);
    const target = codes.subarray(block * blockSize, block * blockSize + part.length);
    if (most === 0) target.fill(DYNAMIC_ZERO);
    else part.forEach((value, i) => (target[i] = nearestEntry(Math.fround(value * inverse), DYNAMIC_MAP)));
  }
  return { kind: 'nested', codes, scales, offset, blockSize };
}

/** The scales of all blocks as float32; the products and sums are rounded one by one. */
export function absmaxValues(absmax: Absmax): Float32Array {
  if (absmax.kind === 'plain') return absmax.values;
  const { codes, scales, offset, blockSize } = absmax;
  const values = new Float32Array(codes.length);
  for (let b = 0; b < values.length; b++) {
    values[b] = Math.fround(DYNAMIC_LEVELS[codes[b]] * scales[Math.floor(b / blockSize)]) + offset;
  }
  return values;
}
