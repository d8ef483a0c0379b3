/** Looks for values that are no numbers or infinite. Reads every byte of the weights. */
import { setImmediate } from 'node:timers/promises';
import type { ModelFinding } from '../../protocol/modelReport';
import type { StoredDType, TensorEntry, TensorReader } from '../types';

const PIECE_BYTES = 4 * 1024 * 1024;

/** Counts, in a piece of little-endian values, those whose exponent is all ones. */
const COUNTERS: Partial<Record<StoredDType, (piece: Uint8Array) => number>> = {
  F16: (piece) => countMasked(new Uint16Array(piece.buffer, 0, piece.byteLength / 2), 0x7c00),
  BF16: (piece) => countMasked(new Uint16Array(piece.buffer, 0, piece.byteLength / 2), 0x7f80),
  F32: (piece) => countMasked(new Uint32Array(piece.buffer, 0, piece.byteLength / 4), 0x7f800000),
  F64: (piece) => countWhere(new Float64Array(piece.buffer, 0, piece.byteLength / 8)),
};

/**
 * Reads all floating-point tensors. Between tensors others get their turn.
 * @param progress told the bytes read so far
 */
export async function valueFindings(
  reader: TensorReader,
  progress: (bytes: number) => void = () => undefined,
): Promise<ModelFinding[]> {
  const findings: ModelFinding[] = [];
  const buffer = new Uint8Array(PIECE_BYTES);
  let read = 0;
  for (const entry of reader.tensors.values()) {
    const count = countNonFinite(reader, entry, buffer);
    if (count > 0) {
      findings.push({ severity: 'error', code: 'nonFinite', args: { tensor: entry.name, count } });
    }
    read += entry.byteLength;
    progress(read);
    await setImmediate();
  }
  return findings;
}

function countNonFinite(reader: TensorReader, entry: TensorEntry, buffer: Uint8Array): number {
  const counter = COUNTERS[entry.dtype];
  if (!counter) return 0;
  let count = 0;
  for (let offset = 0; offset < entry.byteLength; offset += buffer.byteLength) {
    const piece = buffer.subarray(0, Math.min(buffer.byteLength, entry.byteLength - offset));
    reader.readSlice(entry.name, offset, piece);
    count += counter(piece);
  }
  return count;
}

function countMasked(values: Uint16Array | Uint32Array, exponent: number): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if ((values[i] & exponent) === exponent) count++;
  return count;
}

function countWhere(values: Float64Array): number {
  let count = 0;
  for (const value of values) if (!Number.isFinite(value)) count++;
  return count;
}
