import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { crc32 } from '../../../../src/checkpoint/torchFile/crc32';
import { openTorchFiles } from '../../../../src/checkpoint/torchFile/reader';
import { writeTorchFile } from '../../../../src/checkpoint/torchFile/writer';
import type { StoredDType, TensorToWrite } from '../../../../src/checkpoint/types';
import { temporaryDirectory } from '../temporary';

const dtypes: readonly [StoredDType, number][] = [
  ['F64', 8],
  ['F32', 4],
  ['F16', 2],
  ['BF16', 2],
  ['I64', 8],
  ['I32', 4],
  ['I16', 2],
  ['I8', 1],
  ['U8', 1],
  ['BOOL', 1],
];

const tensors: TensorToWrite[] = [
  ...dtypes.map(([dtype, bytes], i) => ({
    name: `transformer.prefix_encoder.${dtype}.重`,
    dtype,
    shape: [2, 3],
    data: Uint8Array.from({ length: 6 * bytes }, (_, j) => (i * 50 + j) & 0xff),
  })),
  { name: 'scalar', dtype: 'F32', shape: [], data: new Uint8Array(4) },
  { name: 'empty', dtype: 'F32', shape: [3, 0], data: new Uint8Array(0) },
];

test('what is written is read again, aligned, and nothing else is left', (context) => {
  const directory = temporaryDirectory(context);
  const file = path.join(directory, 'pytorch_model.bin');
  writeTorchFile(file, tensors);
  const reader = openTorchFiles([file]);
  assert.deepEqual(
    [...reader.tensors.keys()],
    tensors.map(({ name }) => name),
  );
  for (const { name, dtype, shape, data } of tensors) {
    const entry = reader.tensors.get(name)!;
    assert.deepEqual([entry.dtype, entry.shape, entry.offset % 64], [dtype, shape, 0]);
    const read = new Uint8Array(entry.byteLength);
    reader.readInto(name, read);
    assert.deepEqual(read, data);
  }
  reader.close();
  assert.deepEqual(fs.readdirSync(directory), ['pytorch_model.bin']);
});

test('the same tensors give the same file', (context) => {
  const directory = temporaryDirectory(context);
  const files = ['a', 'b'].map((name) => path.join(directory, name, 'pytorch_model.bin'));
  for (const file of files) {
    fs.mkdirSync(path.dirname(file));
    writeTorchFile(file, tensors);
  }
  assert.deepEqual(fs.readFileSync(files[0]), fs.readFileSync(files[1]));
});

test('what cannot be written is refused and leaves the old file', (context) => {
  const directory = temporaryDirectory(context);
  const file = path.join(directory, 'pytorch_model.bin');
  fs.writeFileSync(file, 'old');
  const [tensor] = tensors;
  for (const bad of [
    [tensor, tensor],
    [{ ...tensor, data: new Uint8Array(1) }],
    [{ ...tensor, dtype: 'U16' as const, data: new Uint8Array(12) }],
  ]) {
    assert.throws(() => writeTorchFile(file, bad), RangeError);
  }
  assert.equal(fs.readFileSync(file, 'utf8'), 'old');
  assert.deepEqual(fs.readdirSync(directory), ['pytorch_model.bin']);
});

test('checksums are those of zip', () => {
  assert.equal(crc32(Buffer.from('123456789')), 0xcbf43926);
  assert.equal(crc32(new Uint8Array(0)), 0);
});
