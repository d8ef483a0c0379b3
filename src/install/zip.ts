/** The directory of a zip archive, read from its end, as if an enemy had written it. Zip64 included. */
import { GlmError } from '../protocol/errors';

/** Random access to an archive, on a server or on the disk. */
export interface ByteSource {
  /** For messages. */
  readonly name: string;
  readonly bytes: number;
  /** Exactly `length` bytes from `offset`. */
  read(offset: number, length: number, signal: AbortSignal): Promise<Buffer>;
}

export interface ZipEntry {
  /** 0: stored, 8: deflated. */
  method: 0 | 8;
  packedBytes: number;
  bytes: number;
  /** Of the local header. */
  headerOffset: number;
}

const END = 0x06054b50;
const END64 = 0x06064b50;
const END64_LOCATOR = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;
const LOCATOR_BYTES = 20;
/** The end record, its longest comment, and the zip64 records in front of it. */
const TAIL_BYTES = END_BYTES + 0xffff + LOCATOR_BYTES + 56;
/** A wheel with 24 000 files has a directory of 3 MB. */
const MAX_DIRECTORY_BYTES = 64 * 1024 * 1024;

/**
 * Finds entries of an archive.
 * @param wanted names to look for
 * @returns entry per wanted name; throws GlmError `install.badArchive` when one is missing, occurs twice or cannot be read
 */
export async function findEntries(
  source: ByteSource,
  wanted: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Map<string, ZipEntry>> {
  const { offset, bytes } = await findDirectory(source, signal);
  const directory = await source.read(offset, bytes, signal);
  const entries = new Map<string, ZipEntry>();
  for (const { name, record } of records(directory, source)) {
    if (!wanted.has(name)) continue;
    if (entries.has(name)) throw bad(source, `${name} × 2`);
    entries.set(name, parseEntry(record, name, source));
  }
  for (const name of wanted) if (!entries.has(name)) throw bad(source, `${name}?`);
  return entries;
}

/** Offset of the packed data of an entry: behind its local header, whose length only the header itself knows. */
export async function dataOffset(source: ByteSource, entry: ZipEntry, signal: AbortSignal): Promise<number> {
  const header = await source.read(entry.headerOffset, 30, signal);
  if (header.readUInt32LE(0) !== LOCAL) throw bad(source, 'local header');
  const offset = entry.headerOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (offset + entry.packedBytes > source.bytes) throw bad(source, 'size');
  return offset;
}

export function bad(source: { name: string }, detail: string): GlmError {
  return new GlmError('install.badArchive', { file: source.name, detail });
}

async function findDirectory(
  source: ByteSource,
  signal: AbortSignal,
): Promise<{ offset: number; bytes: number }> {
  const length = Math.min(source.bytes, TAIL_BYTES);
  if (length < END_BYTES) throw bad(source, 'size');
  const tail = await source.read(source.bytes - length, length, signal);
  const end = endRecord(tail);
  if (end < 0) throw bad(source, 'end record');
  let bytes = tail.readUInt32LE(end + 12);
  let offset = tail.readUInt32LE(end + 16);
  let limit = source.bytes - length + end;
  if (bytes === 0xffffffff || offset === 0xffffffff || tail.readUInt16LE(end + 10) === 0xffff) {
    ({ bytes, offset, limit } = await findDirectory64(source, tail, end, signal));
  }
  if (bytes > MAX_DIRECTORY_BYTES || offset + bytes > limit) throw bad(source, 'directory');
  return { offset, bytes };
}

/** The last end record whose comment reaches exactly to the end of the file. */
function endRecord(tail: Buffer): number {
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) === END && at + END_BYTES + tail.readUInt16LE(at + 20) === tail.length)
      return at;
  }
  return -1;
}

async function findDirectory64(
  source: ByteSource,
  tail: Buffer,
  end: number,
  signal: AbortSignal,
): Promise<{ offset: number; bytes: number; limit: number }> {
  const locator = end - LOCATOR_BYTES;
  if (locator < 0 || tail.readUInt32LE(locator) !== END64_LOCATOR) throw bad(source, 'zip64 locator');
  const at = safeInteger(tail.readBigUInt64LE(locator + 8), source);
  if (at + 56 > source.bytes) throw bad(source, 'zip64 record');
  const record = await source.read(at, 56, signal);
  if (record.readUInt32LE(0) !== END64) throw bad(source, 'zip64 record');
  const bytes = safeInteger(record.readBigUInt64LE(40), source);
  return { bytes, offset: safeInteger(record.readBigUInt64LE(48), source), limit: at };
}

function* records(directory: Buffer, source: ByteSource): Generator<{ name: string; record: Buffer }> {
  let at = 0;
  while (at < directory.length) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== CENTRAL) throw bad(source, 'directory');
    const nameEnd = at + 46 + directory.readUInt16LE(at + 28);
    const end = nameEnd + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
    if (end > directory.length) throw bad(source, 'directory');
    yield { name: directory.toString('utf8', at + 46, nameEnd), record: directory.subarray(at, end) };
    at = end;
  }
}

function parseEntry(record: Buffer, name: string, source: ByteSource): ZipEntry {
  const method = record.readUInt16LE(10);
  const encrypted = (record.readUInt16LE(8) & 1) !== 0;
  if (encrypted || (method !== 0 && method !== 8)) throw bad(source, `${name}: ${method}`);
  const sizes = {
    bytes: record.readUInt32LE(24),
    packedBytes: record.readUInt32LE(20),
    headerOffset: record.readUInt32LE(42),
  };
  widen(sizes, extraField(record, 1), source);
  if (sizes.headerOffset + 30 + sizes.packedBytes > source.bytes) throw bad(source, name);
  return { method, ...sizes };
}

/** Content of an extra field, or null. */
function extraField(record: Buffer, id: number): Buffer | null {
  let at = 46 + record.readUInt16LE(28);
  const end = at + record.readUInt16LE(30);
  while (at + 4 <= end) {
    const length = record.readUInt16LE(at + 2);
    if (at + 4 + length > end) return null;
    if (record.readUInt16LE(at) === id) return record.subarray(at + 4, at + 4 + length);
    at += 4 + length;
  }
  return null;
}

/** Replaces the values that say "see the zip64 field", in its fixed order. */
function widen(
  sizes: { bytes: number; packedBytes: number; headerOffset: number },
  extra: Buffer | null,
  source: ByteSource,
): void {
  let at = 0;
  for (const key of ['bytes', 'packedBytes', 'headerOffset'] as const) {
    if (sizes[key] !== 0xffffffff) continue;
    if (extra === null || at + 8 > extra.length) throw bad(source, 'zip64 field');
    sizes[key] = safeInteger(extra.readBigUInt64LE(at), source);
    at += 8;
  }
}

function safeInteger(value: bigint, source: ByteSource): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw bad(source, 'zip64');
  return Number(value);
}
