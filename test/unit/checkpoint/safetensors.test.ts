import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { openSafetensors } from '../../../src/checkpoint/safetensors';
import { writeSafetensors, writeSafetensorsAsync } from '../../../src/checkpoint/safetensorsWriter';
import type { StoredDType, TensorToWrite } from '../../../src/checkpoint/types';
import { GlmError } from '../../../src/protocol/errors';
import { safetensorsBytes, soundHeader } from './hostile';
import { temporaryDirectory } from './temporary';

function open(context: TestContext, bytes: Uint8Array): GlmError | null {
  const file = path.join(temporaryDirectory(context), 'model.safetensors');
  fs.writeFileSync(file, bytes);
  try {
    openSafetensors([file]).close();
    return null;
  } catch (error) {
    assert.ok(error instanceof GlmError, String(error));
    assert.ok(error.message.includes(file), 'the file is named');
    return error;
  }
}

const withTensor = (changes: object): string => {
  const header = soundHeader();
  return JSON.stringify({ ...header, second: { ...header.second, ...changes } });
};
const sound = JSON.stringify(soundHeader());

test('a sound file opens, with metadata, padding and an empty tensor', (context) => {
  assert.equal(open(context, safetensorsBytes(sound, 24)), null);
  const empty = { dtype: 'F32', shape: [0, 7], data_offsets: [16, 16] };
  const header = { ...soundHeader(), empty, __metadata__: { format: 'pt' } };
  assert.equal(open(context, safetensorsBytes(`${JSON.stringify(header)}   `, 24)), null);
});

const hostile: [string, Uint8Array, string, string?][] = [
  ['an empty file', new Uint8Array(0), 'checkpoint.badHeader', 'short'],
  ['7 bytes', new Uint8Array(7), 'checkpoint.badHeader', 'short'],
  [
    'a Git LFS pointer',
    Buffer.from('version https://git-lfs.example/spec/v1\noid sha256:0\nsize 9\n'),
    'checkpoint.badHeader',
    'gitLfs',
  ],
  ['a header of 0 bytes', safetensorsBytes('', 0), 'checkpoint.badHeader', 'length'],
  ['a header of 2^60 bytes', safetensorsBytes(sound, 24, 2n ** 60n), 'checkpoint.badHeader', 'length'],
  [
    'a header of 2^64 - 1 bytes',
    safetensorsBytes(sound, 24, 2n ** 64n - 1n),
    'checkpoint.badHeader',
    'length',
  ],
  ['a header longer than the file', safetensorsBytes(sound, 0, 5000n), 'checkpoint.truncated'],
  ['data cut off', safetensorsBytes(sound, 23), 'checkpoint.truncated'],
  ['bytes behind the data', safetensorsBytes(sound, 25), 'checkpoint.badHeader', 'trailing'],
  ['no JSON', safetensorsBytes('{"a":', 0), 'checkpoint.badHeader', 'json'],
  ['a JSON list', safetensorsBytes('[]', 0), 'checkpoint.badHeader', 'json'],
  ['invalid UTF-8', safetensorsBytes(Uint8Array.of(0x7b, 0xff, 0x7d), 0), 'checkpoint.badHeader', 'json'],
  [
    'metadata of numbers',
    safetensorsBytes('{"__metadata__":{"a":1}}', 0),
    'checkpoint.badHeader',
    'metadata',
  ],
  [
    'a negative dimension',
    safetensorsBytes(withTensor({ shape: [-2] }), 24),
    'checkpoint.badTensor',
    'shape',
  ],
  [
    'a fractional dimension',
    safetensorsBytes(withTensor({ shape: [0.5] }), 24),
    'checkpoint.badTensor',
    'shape',
  ],
  [
    'a shape that is a text',
    safetensorsBytes(withTensor({ shape: '2' }), 24),
    'checkpoint.badTensor',
    'shape',
  ],
  [
    'a product beyond exact integers',
    safetensorsBytes(withTensor({ shape: [2 ** 40, 2 ** 40] }), 24),
    'checkpoint.badTensor',
    'shape',
  ],
  [
    '17 dimensions',
    safetensorsBytes(withTensor({ shape: Array(17).fill(1) }), 24),
    'checkpoint.badTensor',
    'shape',
  ],
  [
    'an unknown dtype',
    safetensorsBytes(withTensor({ dtype: 'F8_E4M3' }), 24),
    'checkpoint.badTensor',
    'dtype',
  ],
  [
    'a dtype of the prototype',
    safetensorsBytes(withTensor({ dtype: 'toString' }), 24),
    'checkpoint.badTensor',
    'dtype',
  ],
  ['no shape', safetensorsBytes(withTensor({ shape: undefined }), 24), 'checkpoint.badTensor', 'shape'],
  ['a null entry', safetensorsBytes('{"a":null}', 0), 'checkpoint.badTensor', 'shape'],
  ['one offset', safetensorsBytes(withTensor({ data_offsets: [16] }), 24), 'checkpoint.badTensor', 'offsets'],
  [
    'negative offsets',
    safetensorsBytes(withTensor({ data_offsets: [-8, 0] }), 24),
    'checkpoint.badTensor',
    'offsets',
  ],
  [
    'reversed offsets',
    safetensorsBytes(withTensor({ data_offsets: [24, 16] }), 24),
    'checkpoint.badTensor',
    'size',
  ],
  [
    'a size unlike the shape',
    safetensorsBytes(withTensor({ shape: [3] }), 24),
    'checkpoint.badTensor',
    'size',
  ],
  [
    'overlapping data',
    safetensorsBytes(withTensor({ data_offsets: [12, 20] }), 24),
    'checkpoint.badTensor',
    'overlap',
  ],
  ['a gap', safetensorsBytes(withTensor({ data_offsets: [20, 28] }), 28), 'checkpoint.badTensor', 'gap'],
  [
    'data far outside',
    safetensorsBytes(withTensor({ shape: [2 ** 50], data_offsets: [16, 16 + 2 ** 52] }), 24),
    'checkpoint.truncated',
  ],
  [
    'a name that occurs twice',
    safetensorsBytes(
      `${sound.slice(0, -1)},"fi\\u0072st":{"dtype":"F32","shape":[],"data_offsets":[24,28]}}`,
      28,
    ),
    'checkpoint.badTensor',
    'duplicate',
  ],
];
for (const [what, bytes, code, reason] of hostile) {
  test(`${what} is refused`, (context) => {
    const error = open(context, bytes);
    assert.equal(error?.code, code);
    if (reason) assert.equal((error.args as { reason?: string }).reason, reason);
  });
}

test('a tensor in two files is refused', (context) => {
  const directory = temporaryDirectory(context);
  const files = ['a', 'b'].map((name) => path.join(directory, `${name}.safetensors`));
  for (const file of files) fs.writeFileSync(file, safetensorsBytes(sound, 24));
  assert.throws(() => openSafetensors(files), { code: 'checkpoint.badTensor' });
});

test('a file cut while it is open is an error, not wrong data', (context) => {
  const file = path.join(temporaryDirectory(context), 'm.safetensors');
  fs.writeFileSync(file, safetensorsBytes(sound, 24));
  const reader = openSafetensors([file]);
  fs.truncateSync(file, fs.statSync(file).size - 4);
  assert.throws(() => reader.readFloat32('second'), { code: 'checkpoint.truncated' });
  assert.equal(reader.readFloat32('first').length, 4);
  reader.close();
});

const tensors: TensorToWrite[] = (['F32', 'F16', 'BF16', 'I64', 'U8', 'BOOL'] as StoredDType[]).map(
  (dtype, i) => {
    const bytes = { F32: 4, F16: 2, BF16: 2, I64: 8 }[dtype as string] ?? 1;
    const data = Uint8Array.from({ length: 6 * bytes }, (_, j) => (i * 50 + j) & 0xff);
    return { name: `t.${i}.重`, dtype, shape: [2, 3], data };
  },
);

test('what is written is read again, aligned, and nothing else is left', (context) => {
  const directory = temporaryDirectory(context);
  const file = path.join(directory, 'out.safetensors');
  writeSafetensors(file, tensors, { format: 'pt', step: '7' });
  const reader = openSafetensors([file]);
  assert.deepEqual(reader.files[0].metadata, { format: 'pt', step: '7' });
  assert.equal(reader.files[0].headers[0].bytes % 8, 0);
  for (const { name, dtype, shape, data } of tensors) {
    const entry = reader.tensors.get(name)!;
    assert.deepEqual([entry.dtype, entry.shape], [dtype, shape]);
    const read = new Uint8Array(entry.byteLength);
    reader.readInto(name, read);
    assert.deepEqual(read, data);
  }
  assert.throws(() => reader.readFloat32('t.3.重'), { code: 'checkpoint.badTensor' });
  reader.close();
  assert.deepEqual(fs.readdirSync(directory), ['out.safetensors']);
});

test('a write that fails leaves the old file and no temporary one', (context) => {
  const directory = temporaryDirectory(context);
  const file = path.join(directory, 'out.safetensors');
  writeSafetensors(file, tensors);
  const before = fs.readFileSync(file);
  const failing = { ...tensors[0], data: () => assert.fail('disk full') };
  assert.throws(() => writeSafetensors(file, [tensors[1], failing]), /disk full/);
  assert.throws(() => writeSafetensors(file, [{ ...tensors[0], shape: [5] }]), RangeError);
  assert.throws(() => writeSafetensors(file, [tensors[0], tensors[0]]), RangeError);
  assert.deepEqual(fs.readFileSync(file), before);
  assert.deepEqual(fs.readdirSync(directory), ['out.safetensors']);
});

test('tensors that are waited for make the same file, and a failure leaves the old one', async (context) => {
  const directory = temporaryDirectory(context);
  const [file, awaited] = ['out', 'awaited'].map((name) => path.join(directory, `${name}.safetensors`));
  writeSafetensors(file, tensors);
  const later = tensors.map((tensor) => ({ ...tensor, data: () => Promise.resolve(tensor.data) }));
  await writeSafetensorsAsync(awaited, later);
  assert.deepEqual(fs.readFileSync(awaited), fs.readFileSync(file));
  const failing = { ...later[1], data: () => Promise.reject(new Error('no memory')) };
  await assert.rejects(writeSafetensorsAsync(awaited, [later[0], failing]), /no memory/);
  assert.deepEqual(fs.readFileSync(awaited), fs.readFileSync(file));
  assert.deepEqual(fs.readdirSync(directory).sort(), ['awaited.safetensors', 'out.safetensors']);
});
