import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { openTorchFiles } from '../../../../src/checkpoint/torchFile/reader';
import { unpickle } from '../../../../src/checkpoint/torchFile/pickleReader';
import { Opcode } from '../../../../src/checkpoint/torchFile/storageTypes';
import { writeTorchFile } from '../../../../src/checkpoint/torchFile/writer';
import { GlmError } from '../../../../src/protocol/errors';
import { seededRandom } from '../hostile';
import { temporaryDirectory } from '../temporary';
import { dict, global, integer, pickle, tensor, text, tuple, torchMembers, zipBytes } from './builder';

type Verdict = 'accepted' | 'refused';

/** Whatever is accepted must lie inside the file and be readable. */
function open(file: string): Verdict {
  try {
    const reader = openTorchFiles([file]);
    const { size } = fs.statSync(file);
    for (const [name, entry] of reader.tensors) {
      assert.ok(entry.offset >= 0 && entry.offset + entry.byteLength <= size, name);
      reader.readInto(name, new Uint8Array(entry.byteLength));
    }
    reader.close();
    return 'accepted';
  } catch (error) {
    assert.ok(error instanceof GlmError, String((error as Error).stack));
    return 'refused';
  }
}

const ARCHIVES = 1200;
test(`${ARCHIVES} damaged archives are either read within their bounds or refused in words`, (context) => {
  const random = seededRandom(20240229);
  const below = (limit: number): number => Math.floor(random() * limit);
  const file = path.join(temporaryDirectory(context), 'pytorch_model.bin');
  const data = new Uint8Array(24);
  writeTorchFile(file, [
    { name: 'a.weight', dtype: 'F32', shape: [2, 3], data },
    { name: 'a.bias', dtype: 'F16', shape: [12], data },
  ]);
  const sound = [fs.readFileSync(file), zipBytes(torchMembers(dict({ a: tensor() })), { zip64: true })];
  const counts = { accepted: 0, refused: 0 };
  for (let round = 0; round < ARCHIVES; round++) {
    let bytes = Buffer.from(sound[round % sound.length]);
    for (let flips = below(4); flips >= 0; flips--) {
      // The directory at the end and the pickle at the beginning are where it matters.
      const at = random() < 0.5 ? below(bytes.length) : bytes.length - 1 - below(Math.min(400, bytes.length));
      bytes[at] = random() < 0.3 ? [0, 1, 0x7f, 0x80, 0xff][below(5)] : below(256);
    }
    if (random() < 0.1) bytes = bytes.subarray(0, below(bytes.length));
    if (random() < 0.05) bytes = Buffer.concat([bytes, Buffer.alloc(below(100))]);
    fs.writeFileSync(file, bytes);
    counts[open(file)]++;
  }
  assert.ok(counts.accepted > 40, `${counts.accepted} accepted`);
  assert.ok(counts.refused > 500, `${counts.refused} refused`);
});

const PICKLES = 10_000;
test(`${PICKLES} random pickles end in a value or a refusal`, () => {
  const random = seededRandom(20231027);
  const below = (limit: number): number => Math.floor(random() * limit);
  const opcodes = Object.values(Opcode);
  const pieces = [
    text('a'),
    text('torch._utils'),
    integer(-1),
    integer(7),
    global('collections', 'OrderedDict'),
    global('torch._utils', '_rebuild_tensor_v2'),
    global('torch', 'FloatStorage'),
    global('os', 'system'),
    tuple('storage', global('torch', 'HalfStorage'), '0', 'cpu', integer(6)),
    tensor(),
    tensor({ shape: [-1], strides: [1] }),
    Buffer.from([Opcode.LONG1, 8, 255, 255, 255, 255, 255, 255, 255, 127]),
    Buffer.from([Opcode.BINUNICODE8, 0, 0, 0, 0, 0, 0, 0, 128]),
  ];
  const counts = { accepted: 0, refused: 0 };
  for (let round = 0; round < PICKLES; round++) {
    const parts = Array.from({ length: 1 + below(12) }, () =>
      random() < 0.5 ? opcodes[below(opcodes.length)] : pieces[below(pieces.length)],
    );
    if (random() < 0.2) parts.push(Buffer.from([below(256), below(256)]));
    try {
      unpickle(pickle(...parts), 'f');
      counts.accepted++;
    } catch (error) {
      assert.ok(error instanceof GlmError, String((error as Error).stack));
      counts.refused++;
    }
  }
  assert.ok(counts.accepted > 150, `${counts.accepted} accepted`);
  assert.ok(counts.refused > 7000, `${counts.refused} refused`);
});

test('a pickle that doubles itself, refers to itself or fills memory stays small', () => {
  const before = process.memoryUsage().heapUsed;
  const doubling = Array.from({ length: 60 }, () => [
    Buffer.from([Opcode.BINPUT, 0, Opcode.BINGET, 0]),
    Opcode.TUPLE2,
  ]).flat();
  assert.ok(unpickle(pickle(Opcode.EMPTY_LIST, ...doubling), 'f'));
  const self = pickle(Opcode.EMPTY_LIST, Buffer.from([Opcode.BINPUT, 0, Opcode.BINGET, 0]), Opcode.APPEND);
  assert.ok(unpickle(self, 'f'));
  const many = pickle(Buffer.alloc(1_900_000, Opcode.EMPTY_DICT));
  assert.throws(() => unpickle(many, 'f'), { code: 'checkpoint.badTorchFile' });
  assert.ok(process.memoryUsage().heapUsed - before < 600e6);
});
