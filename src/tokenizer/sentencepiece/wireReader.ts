/** Thrown by the wire reader and the model parser; `parseSentencePieceModel` turns it into a GlmError with the file's path. */
export class ModelFormatError extends Error {
  constructor(readonly reason: 'truncated' | 'malformed' | 'tooMany') {
    super(reason);
  }
}

const MAX_VARINT_BYTES = 10;

export type WireValue =
  | { type: 'varint'; value: number }
  | { type: 'fixed64'; value: Uint8Array }
  | { type: 'bytes'; value: Uint8Array }
  | { type: 'fixed32'; value: number };

/** A field of a protobuf message; `value` of `fixed32` is the IEEE float. */
export type WireField = WireValue & { field: number };

/**
 * The fields of one protobuf message, in file order. Every length is checked against the bytes at hand before it is used, so
 * nothing is allocated for a length that only claims to be there. Sub-messages come as views of the same memory.
 */
export function* readFields(bytes: Uint8Array): Generator<WireField> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;

  const readVarint = (): number => {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < MAX_VARINT_BYTES; count++) {
      if (offset >= bytes.length) throw new ModelFormatError('truncated');
      const byte = bytes[offset++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new ModelFormatError('malformed');
  };
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - offset) throw new ModelFormatError('truncated');
    offset += length;
    return bytes.subarray(offset - length, offset);
  };

  while (offset < bytes.length) {
    const tag = readVarint();
    const field = Math.floor(tag / 8);
    if (field === 0) throw new ModelFormatError('malformed');
    switch (tag % 8) {
      case 0:
        yield { field, type: 'varint', value: readVarint() };
        break;
      case 1:
        yield { field, type: 'fixed64', value: take(8) };
        break;
      case 2:
        yield { field, type: 'bytes', value: take(readVarint()) };
        break;
      case 5:
        take(4);
        yield { field, type: 'fixed32', value: view.getFloat32(offset - 4, true) };
        break;
      default:
        throw new ModelFormatError('malformed');
    }
  }
}

/** An int32 that protobuf wrote as a varint: negative numbers take ten bytes and arrive as 2^64 - n. */
export function toInt32(varint: number): number {
  return varint > 0x7fffffff ? -1 : varint;
}
