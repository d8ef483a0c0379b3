/**
 * Random numbers of TensorFlow's `StatelessRandomUniform`, bit by bit, so that dropout drops the same on every engine: Philox 4x32-10
 * (Salmon et al. 2011, https://doi.org/10.1145/2063384.2063405), its key and counter made of the seed by one application of itself
 * (tensorflow/core/kernels/stateless_random_ops.cc).
 */
import { sizeOf } from '../ops';

const ROUNDS = 10;
const FACTORS = [0xd2511f53, 0xcd9e8d57] as const;
const WEYL = [0x9e3779b9, 0xbb67ae85] as const;
/** Key that scrambles seeds. */
const SCRAMBLER = [0x3ec8f720, 0x02461e29] as const;
const MANTISSA = 0x7fffff;
const MANTISSA_SIZE = 0x800000;

/** Uniform in [0, 1): float32 of the given shape, for an int32 seed of two. */
export function philoxUniform(shape: readonly number[], seed0: number, seed1: number): Float32Array {
  const mix = Uint32Array.of(seed0, seed0 >> 31, seed1, seed1 >> 31);
  philox(mix, SCRAMBLER[0], SCRAMBLER[1]);
  const [key0, key1, counter2, counter3] = mix;
  const values = new Float32Array(sizeOf(shape));
  const block = new Uint32Array(4);
  for (let start = 0, group = 0; start < values.length; start += 4, group++) {
    block[0] = group;
    block[1] = 0;
    block[2] = counter2;
    block[3] = counter3;
    philox(block, key0, key1);
    const end = Math.min(4, values.length - start);
    for (let i = 0; i < end; i++) values[start + i] = (block[i] & MANTISSA) / MANTISSA_SIZE;
  }
  return values;
}

/** Encrypts a counter in place. */
function philox(counter: Uint32Array, key0: number, key1: number): void {
  for (let round = 0; round < ROUNDS; round++) {
    const [a, b, c, d] = counter;
    counter[0] = highProduct(FACTORS[1], c) ^ b ^ key0;
    counter[1] = Math.imul(FACTORS[1], c);
    counter[2] = highProduct(FACTORS[0], a) ^ d ^ key1;
    counter[3] = Math.imul(FACTORS[0], a);
    key0 = (key0 + WEYL[0]) | 0;
    key1 = (key1 + WEYL[1]) | 0;
  }
}

/** The upper 32 bits of a product of two unsigned 32-bit numbers. */
function highProduct(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = aHigh * bLow + Math.floor((aLow * bLow) / 0x10000);
  const carry = (middle & 0xffff) + aLow * bHigh;
  return aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000);
}
