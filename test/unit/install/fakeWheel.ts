/** Small wheels that are built byte by byte, sound and unsound. */
import { deflateRawSync, crc32 as zlibCrc } from 'node:zlib';
import type { WheelPin } from '../../../src/install/pins';
import { sha256 } from './wheelServer';

export interface ZipMember {
  name: string;
  data: Buffer;
  store?: boolean;
}

export interface ZipOptions {
  /** Writes sizes and offsets in zip64 fields. */
  zip64?: boolean;
  comment?: string;
}

/** The checksum is not looked at by the installer (sha256 is); Node 20 has no function for it. */
const crc = (data: Buffer): number => (typeof zlibCrc === 'function' ? zlibCrc(data) : 0);

/** A zip archive. */
export function zip(members: readonly ZipMember[], { zip64 = false, comment = '' }: ZipOptions = {}): Buffer {
  const bodies: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const { name, data, store = false } of members) {
    const packed = store ? data : deflateRawSync(data);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(store ? 0 : 8, 8);
    local.writeUInt32LE(crc(data), 14);
    local.writeUInt32LE(packed.length, 18);
    local.writeUInt32LE(data.length, 22);
    local.writeUInt16LE(Buffer.byteLength(name), 26);
    local.writeUInt16LE(4, 28);
    bodies.push(local, Buffer.from(name), Buffer.from([9, 9, 0, 0]), packed);
    central.push(centralRecord(name, store ? 0 : 8, data.length, packed.length, offset, zip64));
    offset += 34 + Buffer.byteLength(name) + packed.length;
  }
  const directory = Buffer.concat(central);
  return Buffer.concat([
    ...bodies,
    directory,
    endRecords(members.length, directory.length, offset, zip64, comment),
  ]);
}

function centralRecord(
  name: string,
  method: number,
  bytes: number,
  packed: number,
  offset: number,
  zip64: boolean,
): Buffer {
  const record = Buffer.alloc(46);
  record.writeUInt32LE(0x02014b50, 0);
  record.writeUInt16LE(method, 10);
  record.writeUInt32LE(zip64 ? 0xffffffff : packed, 20);
  record.writeUInt32LE(zip64 ? 0xffffffff : bytes, 24);
  record.writeUInt16LE(Buffer.byteLength(name), 28);
  record.writeUInt16LE(zip64 ? 33 : 0, 30);
  record.writeUInt32LE(zip64 ? 0xffffffff : offset, 42);
  if (!zip64) return Buffer.concat([record, Buffer.from(name)]);
  const extra = Buffer.alloc(33);
  // An unrelated field in front of the zip64 one.
  extra.writeUInt16LE(0x5455, 0);
  extra.writeUInt16LE(1, 2);
  extra.writeUInt16LE(1, 5);
  extra.writeUInt16LE(24, 7);
  [bytes, packed, offset].forEach((value, i) => extra.writeBigUInt64LE(BigInt(value), 9 + 8 * i));
  return Buffer.concat([record, Buffer.from(name), extra]);
}

function endRecords(count: number, bytes: number, offset: number, zip64: boolean, comment: string): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(zip64 ? 0xffffffff : bytes, 12);
  end.writeUInt32LE(zip64 ? 0xffffffff : offset, 16);
  end.writeUInt16LE(Buffer.byteLength(comment), 20);
  const tail = Buffer.concat([end, Buffer.from(comment)]);
  if (!zip64) return tail;
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(44n, 4);
  record.writeBigUInt64LE(BigInt(bytes), 40);
  record.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(offset + bytes), 8);
  return Buffer.concat([record, locator, tail]);
}

/** Bytes that hardly shrink, the same ones every time. */
export function noise(length: number, seed: number): Buffer {
  let state = seed;
  return Buffer.from(
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state >>> 24;
    }),
  );
}

export const WHEEL = 'fake_engine-1.0-py3-none-manylinux_x86_64.whl';

export interface FakeEngine {
  wheel: Buffer;
  pin: WheelPin;
  contents: Map<string, Buffer>;
}

/** A wheel with a large library, an executable, a stored file and things nobody wants. */
export function fakeEngine(options: ZipOptions = {}): FakeEngine {
  const library = noise(400_000, 1);
  const tool = noise(3_000, 2);
  const license = Buffer.from('License text\n'.repeat(100));
  const members: ZipMember[] = [
    { name: 'unwanted/huge.bin', data: noise(500_000, 3) },
    { name: 'fake/lib.so.2', data: library },
    { name: 'fake/bin/tool', data: tool },
    { name: 'fake/include/LICENSE', data: license, store: true },
  ];
  const pinned: [string, string, Buffer, boolean][] = [
    ['fake/lib.so.2', 'fake/lib.so.2', library, false],
    ['fake/bin/tool', 'fake/bin/tool', tool, true],
    ['fake/include/LICENSE', 'LICENSE', license, false],
  ];
  const pin: WheelPin = {
    project: 'fake-engine',
    file: WHEEL,
    members: pinned.map(([member, path, data, executable]) => ({
      member,
      path,
      bytes: data.length,
      packedBytes: data.length === license.length ? data.length : deflateRawSync(data).length,
      sha256: sha256(data),
      executable,
    })),
  };
  const contents = new Map(pinned.map(([, path, data]) => [path, data]));
  return { wheel: zip(members, options), pin, contents };
}
