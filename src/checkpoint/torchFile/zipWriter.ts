/** Streaming writer of zip files whose members are stored as they are, as torch writes them. */
import { writeFully } from '../atomic';
import { crc32 } from './crc32';
import {
  CENTRAL_BYTES,
  CENTRAL_SIGNATURE,
  END_BYTES,
  END_SIGNATURE,
  LOCAL_BYTES,
  LOCAL_SIGNATURE,
} from './zipFormat';

/** Torch maps storages into memory: their data starts at multiples of this. */
const ALIGNMENT = 64;
/** Id of the extra field that does nothing but move the data; torch uses the same letters. */
const PADDING_FIELD = 0x4246;
/** 1 January 1980, the first day of zip: files do not depend on when they are written. */
const FIRST_DAY = 0x21;
const UTF8_NAMES = 0x0800;
const VERSION_NEEDED = 20;
const MAX_BYTES = 0xffff0000;
const MAX_MEMBERS = 0xfffe;

interface Member {
  name: Buffer;
  crc: number;
  bytes: number;
  headerOffset: number;
}

/** Appends members to an open file; `finish` writes the directory. Files of 4 GiB or more are refused (RangeError). */
export class ZipWriter {
  private readonly members: Member[] = [];
  private position = 0;

  constructor(private readonly descriptor: number) {}

  add(name: string, data: Uint8Array): void {
    if (this.members.length >= MAX_MEMBERS) throw new RangeError('too many members for a zip file');
    const encoded = Buffer.from(name);
    const member = { name: encoded, crc: crc32(data), bytes: data.byteLength, headerOffset: this.position };
    const header = localHeader(member);
    if (this.position + header.byteLength + data.byteLength > MAX_BYTES) {
      throw new RangeError('a zip file without 64-bit records ends at 4 GiB');
    }
    writeFully(this.descriptor, header);
    writeFully(this.descriptor, data);
    this.position += header.byteLength + data.byteLength;
    this.members.push(member);
  }

  finish(): void {
    const directory = Buffer.concat(this.members.map(centralRecord));
    const end = Buffer.alloc(END_BYTES);
    end.writeUInt32LE(END_SIGNATURE, 0);
    end.writeUInt16LE(this.members.length, 8);
    end.writeUInt16LE(this.members.length, 10);
    end.writeUInt32LE(directory.byteLength, 12);
    end.writeUInt32LE(this.position, 16);
    writeFully(this.descriptor, Buffer.concat([directory, end]));
  }
}

function localHeader(member: Member): Buffer {
  const start = member.headerOffset + LOCAL_BYTES + member.name.byteLength + 4;
  const padding = (ALIGNMENT - (start % ALIGNMENT)) % ALIGNMENT;
  const header = Buffer.alloc(LOCAL_BYTES + member.name.byteLength + 4 + padding, 'Z');
  header.writeUInt32LE(LOCAL_SIGNATURE, 0);
  writeCommonFields(header, 4, member);
  header.writeUInt16LE(member.name.byteLength, 26);
  header.writeUInt16LE(4 + padding, 28);
  member.name.copy(header, LOCAL_BYTES);
  header.writeUInt16LE(PADDING_FIELD, LOCAL_BYTES + member.name.byteLength);
  header.writeUInt16LE(padding, LOCAL_BYTES + member.name.byteLength + 2);
  return header;
}

function centralRecord(member: Member): Buffer {
  const record = Buffer.alloc(CENTRAL_BYTES + member.name.byteLength);
  record.writeUInt32LE(CENTRAL_SIGNATURE, 0);
  record.writeUInt16LE(VERSION_NEEDED, 4);
  writeCommonFields(record, 6, member);
  record.writeUInt16LE(member.name.byteLength, 28);
  record.writeUInt32LE(member.headerOffset, 42);
  member.name.copy(record, CENTRAL_BYTES);
  return record;
}

/** Version to uncompressed size: the fields that local header and directory record share. Method 0 is "stored". */
function writeCommonFields(record: Buffer, at: number, member: Member): void {
  record.writeUInt16LE(VERSION_NEEDED, at);
  record.writeUInt16LE(UTF8_NAMES, at + 2);
  record.writeUInt16LE(0, at + 4);
  record.writeUInt16LE(0, at + 6);
  record.writeUInt16LE(FIRST_DAY, at + 8);
  record.writeUInt32LE(member.crc, at + 10);
  record.writeUInt32LE(member.bytes, at + 14);
  record.writeUInt32LE(member.bytes, at + 18);
}
