/** Builders of safetensors files, sound and hostile. */

export interface RawTensor {
  dtype: unknown;
  shape: unknown;
  data_offsets: unknown;
}

/** A file with the given header text and `dataBytes` zero bytes behind it; `length` overrides the length field. */
export function safetensorsBytes(
  header: string | Uint8Array,
  dataBytes: number,
  length?: bigint,
): Uint8Array {
  const json = Buffer.from(header);
  const bytes = Buffer.alloc(8 + json.byteLength + dataBytes);
  bytes.writeBigUInt64LE(length ?? BigInt(json.byteLength));
  json.copy(bytes, 8);
  return bytes;
}

/** Two sound float32 tensors of 4 and 2 values: 24 bytes of data. */
export function soundHeader(): Record<string, RawTensor> {
  return {
    first: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] },
    second: { dtype: 'F32', shape: [2], data_offsets: [16, 24] },
  };
}

/** Mulberry32: a small seeded generator, so that a failing case can be run again. Values in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
