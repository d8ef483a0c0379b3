/** Torch's storage classes, the number format of each, and the global names a pickle may use. */
import type { StoredDType } from '../types';

/** Module and name of a Python object, as a pickle's GLOBAL holds them, joined by a dot. */
export const REBUILD_TENSOR = 'torch._utils._rebuild_tensor_v2';
export const REBUILD_PARAMETER = 'torch._utils._rebuild_parameter';
export const ORDERED_DICT = 'collections.OrderedDict';

const DTYPE_OF_CLASS: Readonly<Record<string, StoredDType>> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

/** Number format of `torch.FloatStorage` and the like; undefined for any other global. */
export function storageDType(global: string): StoredDType | undefined {
  const [module, name, ...rest] = global.split('.');
  if (module !== 'torch' || name === undefined || rest.length > 0) return undefined;
  return Object.hasOwn(DTYPE_OF_CLASS, name) ? DTYPE_OF_CLASS[name] : undefined;
}

/** Name in module `torch` of the storage class of a number format. Torch has none for U16, U32, U64: throws RangeError. */
export function storageClass(dtype: StoredDType): string {
  const found = Object.entries(DTYPE_OF_CLASS).find(([, known]) => known === dtype);
  if (!found) throw new RangeError(`no torch storage holds ${dtype}`);
  return found[0];
}

/** Opcodes of pickle protocols 2 to 5 that a state dict needs. */
export const Opcode = {
  MARK: 0x28, // (
  EMPTY_TUPLE: 0x29, // )
  STOP: 0x2e, // .
  BINFLOAT: 0x47, // G
  BININT: 0x4a, // J
  BININT1: 0x4b, // K
  BININT2: 0x4d, // M
  NONE: 0x4e, // N
  BINPERSID: 0x51, // Q
  REDUCE: 0x52, // R
  BINUNICODE: 0x58, // X
  EMPTY_LIST: 0x5d, // ]
  APPEND: 0x61, // a
  BUILD: 0x62, // b
  GLOBAL: 0x63, // c
  APPENDS: 0x65, // e
  BINGET: 0x68, // h
  LONG_BINGET: 0x6a, // j
  BINPUT: 0x71, // q
  LONG_BINPUT: 0x72, // r
  SETITEM: 0x73, // s
  TUPLE: 0x74, // t
  SETITEMS: 0x75, // u
  EMPTY_DICT: 0x7d, // }
  PROTO: 0x80,
  TUPLE1: 0x85,
  TUPLE2: 0x86,
  TUPLE3: 0x87,
  NEWTRUE: 0x88,
  NEWFALSE: 0x89,
  LONG1: 0x8a,
  SHORT_BINUNICODE: 0x8c,
  BINUNICODE8: 0x8d,
  STACK_GLOBAL: 0x93,
  MEMOIZE: 0x94,
  FRAME: 0x95,
} as const;
