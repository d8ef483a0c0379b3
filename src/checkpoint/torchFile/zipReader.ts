/**
 * The members of a zip file, read from its directory as if an enemy had written it. Zip64 included; only members that are stored
 * as they are can be used, so that nothing is ever unpacked and a tensor is a stretch of the file.
 * No library: those at hand read asynchronously or whole files, unpack, and let members overlap or occur twice.
 */
import { readBytes, type ByteRange, type OpenFile } from '../tensorFiles';
import { torchFault } from './fault';
import {
  CENTRAL_BYTES,
  CENTRAL_SIGNATURE,
  END64_BYTES,
  END64_SIGNATURE,
  END_BYTES,
  END_SIGNATURE,
  IN_ZIP64,
  LOCAL_BYTES,
  LOCAL_SIGNATURE,
  LOCATOR64_BYTES,
  LOCATOR64_SIGNATURE,
  ZIP64_FIELD,
} from './zipFormat';

/** A checkpoint has one member per tensor, at about 80 bytes each. */
const MAX_DIRECTORY_BYTES = 16 * 1024 * 1024;
const MAX_MEMBERS = 131_072;
const MAX_COMMENT_BYTES = 0xffff;
const ENCRYPTED = 1;

export interface ZipDirectory {
  /** Data of each member by its name, as it lies in the file. */
  members: ReadonlyMap<string, ByteRange>;
  /** Names of the members whose data is packed. */
  compressed: ReadonlySet<string>;
  directory: ByteRange;
}

interface Member {
  name: string;
  rawName: Buffer;
  isCompressed: boolean;
  headerOffset: number;
  /** As they lie in the file. */
  bytes: number;
}

/** Reads and checks the directory and every local header; throws GlmError `checkpoint.badTorchFile`. */
export function readZipDirectory(open: OpenFile): ZipDirectory {
  const { directory, count } = findDirectory(open);
  if (directory.bytes > MAX_DIRECTORY_BYTES || count > MAX_MEMBERS) throw torchFault(open.file, 'limit');
  const listed = parseDirectory(readBytes(open, directory.offset, directory.bytes), open.file);
  if (listed.length !== count) throw torchFault(open.file, 'directory', 'number of members');
  listed.sort((a, b) => a.headerOffset - b.headerOffset);
  const members = new Map<string, ByteRange>();
  const compressed = new Set<string>();
  let end = 0;
  for (const member of listed) {
    if (member.headerOffset < end) throw torchFault(open.file, 'overlap', member.name);
    if (members.has(member.name)) throw torchFault(open.file, 'duplicate', member.name);
    const data = locateData(open, member, directory.offset);
    members.set(member.name, data);
    if (member.isCompressed) compressed.add(member.name);
    end = data.offset + data.bytes;
  }
  return { members, compressed, directory };
}

/** A member whose data can be used where it lies; undefined where there is none. Throws where it is compressed. */
export function storedMember(zip: ZipDirectory, name: string, file: string): ByteRange | undefined {
  if (zip.compressed.has(name)) throw torchFault(file, 'compressed', name);
  return zip.members.get(name);
}

function findDirectory(open: OpenFile): { directory: ByteRange; count: number } {
  const length = Math.min(open.bytes, END_BYTES + MAX_COMMENT_BYTES + LOCATOR64_BYTES);
  const tailStart = open.bytes - length;
  const tail = readBytes(open, tailStart, length);
  const at = endRecord(tail);
  if (at < 0) throw torchFault(open.file, 'noDirectory');
  const count = tail.readUInt16LE(at + 10);
  const directory = { bytes: tail.readUInt32LE(at + 12), offset: tail.readUInt32LE(at + 16) };
  const locator = at - LOCATOR64_BYTES;
  const isZip64 = locator >= 0 && tail.readUInt32LE(locator) === LOCATOR64_SIGNATURE;
  if (isZip64) {
    return findDirectory64(open, tail.subarray(locator), tailStart + locator);
  }
  if (directory.offset + directory.bytes > tailStart + at) throw torchFault(open.file, 'directory');
  return { directory, count };
}

/** The last end record whose comment reaches exactly to the end of the file; -1 where there is none. */
function endRecord(tail: Buffer): number {
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (
      tail.readUInt32LE(at) === END_SIGNATURE &&
      at + END_BYTES + tail.readUInt16LE(at + 20) === tail.length
    )
      return at;
  }
  return -1;
}

function findDirectory64(
  open: OpenFile,
  locator: Buffer,
  locatorOffset: number,
): { directory: ByteRange; count: number } {
  const { file } = open;
  const at = safeInteger(locator, 8, file);
  if (at + END64_BYTES > locatorOffset) throw torchFault(file, 'directory', 'zip64');
  const record = readBytes(open, at, END64_BYTES);
  if (record.readUInt32LE(0) !== END64_SIGNATURE) throw torchFault(file, 'directory', 'zip64');
  const directory = { bytes: safeInteger(record, 40, file), offset: safeInteger(record, 48, file) };
  if (directory.offset + directory.bytes > at) throw torchFault(file, 'directory', 'zip64');
  return { directory, count: safeInteger(record, 32, file) };
}

function parseDirectory(directory: Buffer, file: string): Member[] {
  const members: Member[] = [];
  let at = 0;
  while (at < directory.length) {
    const isRecord =
      at + CENTRAL_BYTES <= directory.length && directory.readUInt32LE(at) === CENTRAL_SIGNATURE;
    if (!isRecord) throw torchFault(file, 'directory');
    const nameEnd = at + CENTRAL_BYTES + directory.readUInt16LE(at + 28);
    const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
    const end = extraEnd + directory.readUInt16LE(at + 32);
    if (end > directory.length) throw torchFault(file, 'directory');
    if (members.length === MAX_MEMBERS) throw torchFault(file, 'limit');
    members.push(parseRecord(directory.subarray(at, extraEnd), file));
    at = end;
  }
  return members;
}

/** @param record a directory record without its comment */
function parseRecord(record: Buffer, file: string): Member {
  const nameEnd = CENTRAL_BYTES + record.readUInt16LE(28);
  const rawName = record.subarray(CENTRAL_BYTES, nameEnd);
  const name = rawName.toString('utf8');
  if ((record.readUInt16LE(8) & ENCRYPTED) !== 0) throw torchFault(file, 'encrypted', name);
  const isCompressed = record.readUInt16LE(10) !== 0;
  const wide = wideFields(record.subarray(nameEnd), file);
  // The zip64 field holds, in this order, those of the values that do not fit.
  const field = (at: number): number =>
    record.readUInt32LE(at) === IN_ZIP64 ? wide() : record.readUInt32LE(at);
  const bytes = field(24);
  const packedBytes = field(20);
  const headerOffset = field(42);
  if (!isCompressed && bytes !== packedBytes) throw torchFault(file, 'directory', name);
  return { name, rawName, isCompressed, headerOffset, bytes: packedBytes };
}

/** Gives the values of the zip64 field one after the other. */
function wideFields(extra: Buffer, file: string): () => number {
  let field: Buffer = Buffer.alloc(0);
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== ZIP64_FIELD) continue;
    field = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
    break;
  }
  let next = 0;
  return () => {
    if (next + 8 > field.length) throw torchFault(file, 'directory', 'zip64');
    next += 8;
    return safeInteger(field, next - 8, file);
  };
}

/** Data begins behind the local header, whose length only the header itself knows. */
function locateData(open: OpenFile, member: Member, limit: number): ByteRange {
  const { name, rawName, headerOffset, bytes } = member;
  const headerEnd = headerOffset + LOCAL_BYTES + rawName.length;
  if (headerEnd > limit) throw torchFault(open.file, 'directory', name);
  const header = readBytes(open, headerOffset, headerEnd - headerOffset);
  const sameName = header.readUInt16LE(26) === rawName.length && header.subarray(LOCAL_BYTES).equals(rawName);
  if (header.readUInt32LE(0) !== LOCAL_SIGNATURE || !sameName) throw torchFault(open.file, 'directory', name);
  const offset = headerEnd + header.readUInt16LE(28);
  if (offset + bytes > limit) throw torchFault(open.file, 'directory', name);
  return { offset, bytes };
}

function safeInteger(buffer: Buffer, at: number, file: string): number {
  const value = buffer.readBigUInt64LE(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw torchFault(file, 'directory', 'zip64');
  return Number(value);
}
