/**
 * The header of a safetensors file, read as if an enemy had written it: 8 bytes little-endian length, a JSON object
 * `name -> {dtype, shape, data_offsets}` (and `__metadata__`), then the data, which the tensors must cover without gap or overlap.
 */
import { GlmError, type HeaderFault, type TensorFault } from '../protocol/errors';
import { DTYPE_BYTES, isStoredDType } from './dtype';
import { duplicateKey, isTooDeep } from './jsonScan';
import type { TensorEntry } from './types';

/** Far above any real header (about 150 bytes a tensor), far below what would hurt. */
export const MAX_HEADER_BYTES = 32 * 1024 * 1024;
const MAX_RANK = 16;
/** First bytes of what git leaves behind where a large file was not downloaded. */
const GIT_LFS_START = 'version ';

export interface SafetensorsHeader {
  /** In the order of the data. */
  entries: TensorEntry[];
  metadata: Record<string, string>;
}

/**
 * Checks the length field of a file.
 * @returns bytes of JSON that follow the first 8 bytes; throws GlmError
 */
export function headerLength(prefix: Uint8Array, file: string, fileBytes: number): number {
  if (fileBytes < 8 || prefix.byteLength < 8) throw fault(file, 'short');
  if (Buffer.from(prefix).toString('latin1') === GIT_LFS_START) throw fault(file, 'gitLfs');
  const length = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) throw fault(file, 'length');
  if (Number(length) > fileBytes - 8) {
    throw new GlmError('checkpoint.truncated', { file, bytes: fileBytes, expected: 8 + Number(length) });
  }
  if (length < 2n) throw fault(file, 'length');
  return Number(length);
}

/**
 * Parses and checks the JSON of a header.
 * @param json the bytes after the length field
 * @param fileBytes size of the whole file
 * @returns tensors with absolute offsets; throws GlmError naming the file and, where there is one, the tensor
 */
export function parseHeader(json: Uint8Array, file: string, fileBytes: number): SafetensorsHeader {
  const header = parseObject(json, file);
  const dataStart = 8 + json.byteLength;
  const entries: TensorEntry[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') metadata = parseMetadata(value, file);
    else entries.push(parseEntry(name, value, file, dataStart));
  }
  // Empty tensors share their offset with a neighbour: put them in front of it.
  entries.sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  checkCover(entries, file, dataStart, fileBytes);
  return { entries, metadata };
}

function fault(file: string, reason: HeaderFault, detail = ''): GlmError {
  return new GlmError('checkpoint.badHeader', { file, reason, detail });
}

function tensorFault(file: string, tensor: string, reason: TensorFault, detail = ''): GlmError {
  return new GlmError('checkpoint.badTensor', { file, tensor: shorten(tensor), reason, detail });
}

/** Names come from the file: keep a message readable whatever they hold. */
function shorten(name: string): string {
  const printable = JSON.stringify(name).slice(1, -1);
  return printable.length <= 200 ? printable : `${printable.slice(0, 200)}…`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseObject(json: Uint8Array, file: string): Record<string, unknown> {
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json);
    header = JSON.parse(text);
  } catch (error) {
    throw fault(file, 'json', (error as Error).message.slice(0, 200));
  }
  if (!isRecord(header) || isTooDeep(text)) throw fault(file, 'json');
  const duplicate = duplicateKey(text);
  if (duplicate !== null) throw tensorFault(file, duplicate, 'duplicate');
  return header;
}

function parseMetadata(value: unknown, file: string): Record<string, string> {
  if (!isRecord(value)) throw fault(file, 'metadata');
  for (const text of Object.values(value)) if (typeof text !== 'string') throw fault(file, 'metadata');
  return value as Record<string, string>;
}

function parseEntry(name: string, value: unknown, file: string, dataStart: number): TensorEntry {
  if (!isRecord(value)) throw tensorFault(file, name, 'shape');
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isStoredDType(dtype)) throw tensorFault(file, name, 'dtype', String(dtype).slice(0, 40));
  if (!isIntegerList(shape) || shape.length > MAX_RANK) throw tensorFault(file, name, 'shape');
  if (!isIntegerList(offsets) || offsets.length !== 2) throw tensorFault(file, name, 'offsets');
  const [begin, end] = offsets as [number, number];
  const expected = shape.reduce((product, size) => product * size, DTYPE_BYTES[dtype]);
  if (!Number.isSafeInteger(expected)) throw tensorFault(file, name, 'shape');
  if (end - begin !== expected) {
    throw tensorFault(file, name, 'size', `${end - begin} / ${expected}`);
  }
  return { name, dtype, shape, file, offset: dataStart + begin, byteLength: expected };
}

function isIntegerList(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function checkCover(
  entries: readonly TensorEntry[],
  file: string,
  dataStart: number,
  fileBytes: number,
): void {
  let end = dataStart;
  for (const entry of entries) {
    if (entry.offset < end) throw tensorFault(file, entry.name, 'overlap');
    if (entry.offset > end) throw tensorFault(file, entry.name, 'gap');
    end = entry.offset + entry.byteLength;
  }
  if (end > fileBytes) throw new GlmError('checkpoint.truncated', { file, bytes: fileBytes, expected: end });
  if (end < fileBytes) throw fault(file, 'trailing', String(fileBytes - end));
}
