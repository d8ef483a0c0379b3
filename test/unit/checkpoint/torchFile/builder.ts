/** Builders of zip archives and pickles, sound and hostile. */
import { Opcode } from '../../../../src/checkpoint/torchFile/storageTypes';

export interface RawMember {
  name: string;
  data: Uint8Array;
  method?: number;
  flags?: number;
  /** What the directory says instead of the truth. */
  size?: number;
  packedSize?: number;
  headerOffset?: number;
  localName?: string;
  /** Sizes and offset stand in a zip64 field. */
  isWide?: boolean;
}

/** A zip file of the members in order; `zip64` writes the 64-bit end records as well. */
export function zipBytes(members: readonly RawMember[], { zip64 = false } = {}): Buffer {
  const parts: Buffer[] = [];
  const records: Buffer[] = [];
  let position = 0;
  const put = (bytes: Uint8Array): void => {
    parts.push(Buffer.from(bytes));
    position += bytes.byteLength;
  };
  for (const member of members) {
    records.push(centralRecord(member, member.headerOffset ?? position));
    put(localHeader(member));
    put(member.data);
  }
  const directory = Buffer.concat(records);
  const directoryAt = position;
  put(directory);
  if (zip64) put(wideEnd(members.length, directory.length, directoryAt));
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(zip64 ? 0xffff : members.length, 8);
  end.writeUInt16LE(zip64 ? 0xffff : members.length, 10);
  end.writeUInt32LE(zip64 ? 0xffffffff : directory.length, 12);
  end.writeUInt32LE(zip64 ? 0xffffffff : directoryAt, 16);
  put(end);
  return Buffer.concat(parts);
}

function localHeader(member: RawMember): Buffer {
  const name = Buffer.from(member.localName ?? member.name);
  const header = Buffer.alloc(30 + name.length);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(member.flags ?? 0, 6);
  header.writeUInt16LE(member.method ?? 0, 8);
  header.writeUInt32LE(member.data.byteLength, 18);
  header.writeUInt32LE(member.data.byteLength, 22);
  header.writeUInt16LE(name.length, 26);
  name.copy(header, 30);
  return header;
}

function centralRecord(member: RawMember, headerOffset: number): Buffer {
  const name = Buffer.from(member.name);
  const size = member.size ?? member.data.byteLength;
  const packed = member.packedSize ?? size;
  const extra = Buffer.alloc(member.isWide ? 28 : 0);
  const record = Buffer.alloc(46);
  record.writeUInt32LE(0x02014b50, 0);
  record.writeUInt16LE(member.flags ?? 0, 8);
  record.writeUInt16LE(member.method ?? 0, 10);
  record.writeUInt32LE(member.isWide ? 0xffffffff : packed, 20);
  record.writeUInt32LE(member.isWide ? 0xffffffff : size, 24);
  record.writeUInt16LE(name.length, 28);
  record.writeUInt16LE(extra.length, 30);
  record.writeUInt32LE(member.isWide ? 0xffffffff : headerOffset, 42);
  if (member.isWide) {
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(24, 2);
    extra.writeBigUInt64LE(BigInt(size), 4);
    extra.writeBigUInt64LE(BigInt(packed), 12);
    extra.writeBigUInt64LE(BigInt(headerOffset), 20);
  }
  return Buffer.concat([record, name, extra]);
}

function wideEnd(count: number, bytes: number, offset: number): Buffer {
  const end = Buffer.alloc(56 + 20);
  end.writeUInt32LE(0x06064b50, 0);
  end.writeBigUInt64LE(44n, 4);
  end.writeBigUInt64LE(BigInt(count), 24);
  end.writeBigUInt64LE(BigInt(count), 32);
  end.writeBigUInt64LE(BigInt(bytes), 40);
  end.writeBigUInt64LE(BigInt(offset), 48);
  end.writeUInt32LE(0x07064b50, 56);
  end.writeBigUInt64LE(BigInt(offset + bytes), 64);
  end.writeUInt32LE(1, 72);
  return end;
}

/** What `torch.save` would put around a pickle: the root directory `m` and one storage of 6 float32 values. */
export function torchMembers(pickle: Uint8Array): RawMember[] {
  return [
    { name: 'm/data.pkl', data: pickle },
    { name: 'm/byteorder', data: Buffer.from('little') },
    { name: 'm/data/0', data: new Uint8Array(new Float32Array([1, 2, 3, 4, 5, 6]).buffer) },
    { name: 'm/version', data: Buffer.from('3\n') },
  ];
}

/** Pickled pieces: opcodes as numbers, text as BINUNICODE, `global('os', 'system')`. */
export type PicklePart = number | string | Buffer;

export function pickle(...parts: readonly PicklePart[]): Buffer {
  return Buffer.concat([
    Buffer.from([Opcode.PROTO, 2]),
    ...parts.map((part) => {
      if (typeof part === 'number') return Buffer.from([part]);
      return typeof part === 'string' ? text(part) : part;
    }),
    Buffer.from([Opcode.STOP]),
  ]);
}

export function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const head = Buffer.from([Opcode.BINUNICODE, 0, 0, 0, 0]);
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

export function global(module: string, name: string): Buffer {
  return Buffer.from(`c${module}\n${name}\n`);
}

export function integer(value: number): Buffer {
  const bytes = Buffer.from([Opcode.BININT, 0, 0, 0, 0]);
  bytes.writeInt32LE(value, 1);
  return bytes;
}

export function tuple(...parts: readonly PicklePart[]): Buffer {
  const inner = pickle(...parts).subarray(2, -1);
  return Buffer.concat([Buffer.from([Opcode.MARK]), inner, Buffer.from([Opcode.TUPLE])]);
}

export interface RawView {
  key?: string;
  elements?: number;
  type?: string;
  offset?: number;
  shape?: readonly number[];
  strides?: readonly number[];
}

/** A tensor of 2 rows of 3 values, or what is said instead. */
export function tensor(view: RawView = {}): Buffer {
  const {
    key = '0',
    elements = 6,
    type = 'FloatStorage',
    offset = 0,
    shape = [2, 3],
    strides = [3, 1],
  } = view;
  const storage = tuple('storage', global('torch', type), key, 'cpu', integer(elements));
  const args = tuple(
    Buffer.concat([storage, Buffer.from([Opcode.BINPERSID])]),
    integer(offset),
    tuple(...shape.map(integer)),
    tuple(...strides.map(integer)),
    Opcode.NEWFALSE,
    Buffer.concat([global('collections', 'OrderedDict'), Buffer.from([Opcode.EMPTY_TUPLE, Opcode.REDUCE])]),
  );
  return Buffer.concat([global('torch._utils', '_rebuild_tensor_v2'), args, Buffer.from([Opcode.REDUCE])]);
}

/** A pickled dict. */
export function dict(pairs: Readonly<Record<string, PicklePart>>): Buffer {
  const items = Object.entries(pairs).flat();
  return pickle(Opcode.EMPTY_DICT, Opcode.MARK, ...items, Opcode.SETITEMS);
}
