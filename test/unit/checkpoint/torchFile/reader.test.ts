import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { openWeights } from '../../../../src/checkpoint/checkpoint';
import { modelFingerprint } from '../../../../src/checkpoint/fingerprint';
import { toHalfBits } from '../../../../src/checkpoint/narrow';
import { openTorchFiles } from '../../../../src/checkpoint/torchFile/reader';
import { Opcode } from '../../../../src/checkpoint/torchFile/storageTypes';
import { GlmError } from '../../../../src/protocol/errors';
import { describeThrown } from '../../../../src/text/errors';
import { fixture } from '../../fixtures';
import { temporaryDirectory } from '../temporary';
import {
  dict,
  global,
  integer,
  pickle,
  tensor,
  torchMembers,
  tuple,
  zipBytes,
  type RawMember,
} from './builder';

const english = (message: string, args: Record<string, string | number> = {}): string =>
  message.replace(/\{(\w+)\}/g, (_, key: string) => String(args[key]));

for (const [half, full] of [
  ['chatglm2-fp16', 'chatglm2'],
  ['chatglm-v1-fp16', 'chatglm-v1'],
]) {
  test(`${half} (.bin) holds the safetensors values of ${full}, rounded to float16`, () => {
    const bin = openWeights(fixture(`models/${half}`));
    const safetensors = openWeights(fixture(`models/${full}`));
    assert.ok(bin.files.every(({ format }) => format === 'torch'));
    assert.deepEqual([...bin.tensors.keys()].sort(), [...safetensors.tensors.keys()].sort());
    for (const [name, entry] of bin.tensors) {
      const exact = safetensors.readFloat32(name);
      assert.deepEqual(entry.shape, safetensors.tensors.get(name)!.shape);
      const stored = new Uint8Array(entry.byteLength);
      bin.readInto(name, stored);
      if (entry.dtype === 'F16') {
        assert.deepEqual(new Uint16Array(stored.buffer), toHalfBits(exact, 'F16'), name);
      }
    }
    assert.ok([...bin.tensors.values()].filter(({ dtype }) => dtype === 'F16').length > 10);
    bin.close();
    safetensors.close();
  });
}

test('int8 codes of a quantised checkpoint are read as they are', () => {
  const reader = openWeights(fixture('models/chatglm2-int4'));
  const name = 'transformer.encoder.layers.0.mlp.dense_h_to_4h.weight';
  const entry = reader.tensors.get(name)!;
  assert.equal(entry.dtype, 'I8');
  assert.deepEqual(entry.shape, [256, 24]);
  assert.throws(() => reader.readFloat32(name), hasCode('checkpoint.badTensor'));
  reader.close();
});

test('the fingerprint of a .bin changes with its values', (context) => {
  const file = write(context, zipBytes(torchMembers(dict({ a: tensor() }))));
  const print = (): string => {
    const reader = openTorchFiles([file]);
    reader.close();
    return modelFingerprint(reader.files);
  };
  const before = print();
  assert.equal(print(), before);
  fs.writeFileSync(file, zipBytes(torchMembers(dict({ a: tensor({ offset: 3, shape: [1, 3] }) }))));
  assert.notEqual(print(), before);
});

test('safetensors come first where a directory has both', (context) => {
  const directory = temporaryDirectory(context);
  fs.copyFileSync(fixture('models/chatglm2/model.safetensors'), path.join(directory, 'model.safetensors'));
  fs.writeFileSync(path.join(directory, 'pytorch_model.bin'), 'nothing of use');
  const reader = openWeights(directory);
  assert.equal(reader.files[0].format, 'safetensors');
  reader.close();
});

function write(context: TestContext, bytes: Uint8Array): string {
  const file = path.join(temporaryDirectory(context), 'pytorch_model.bin');
  fs.writeFileSync(file, bytes);
  return file;
}

function hasCode(code: string, reason?: string): (error: unknown) => boolean {
  return (error) =>
    error instanceof GlmError &&
    error.code === code &&
    (reason === undefined || (error.args as { reason?: string }).reason === reason);
}

const values = (
  context: TestContext,
  members: readonly RawMember[],
  zip64 = false,
): Record<string, number[]> => {
  const reader = openTorchFiles([write(context, zipBytes(members, { zip64 }))]);
  const found = Object.fromEntries(
    [...reader.tensors.keys()].map((name) => [name, [...reader.readFloat32(name)]]),
  );
  reader.close();
  return found;
};

test('views share a storage; parameters, OrderedDicts and their metadata are understood', (context) => {
  const parameter = Buffer.concat([
    global('torch._utils', '_rebuild_parameter'),
    tuple(tensor({ offset: 3, shape: [3], strides: [1] }), Opcode.NEWTRUE, Opcode.NONE),
    Buffer.from([Opcode.REDUCE]),
  ]);
  const ordered = pickle(
    global('collections', 'OrderedDict'),
    Opcode.EMPTY_TUPLE,
    Opcode.REDUCE,
    Buffer.from([Opcode.BINPUT, 0, Opcode.MARK]),
    'all',
    tensor(),
    'part',
    parameter,
    'one',
    tensor({ offset: 5, shape: [], strides: [] }),
    'column',
    tensor({ offset: 1, shape: [1, 2, 1], strides: [99, 1, 7] }),
    'none',
    tensor({ shape: [0, 5], strides: [5, 1] }),
    Opcode.SETITEMS,
    Opcode.EMPTY_DICT,
    '_metadata',
    Opcode.EMPTY_DICT,
    Opcode.SETITEM,
    Opcode.BUILD,
  );
  const expected = { all: [1, 2, 3, 4, 5, 6], part: [4, 5, 6], one: [6], column: [2, 3], none: [] };
  assert.deepEqual(values(context, torchMembers(ordered)), expected);
});

test('64-bit records are read', (context) => {
  const members = torchMembers(dict({ a: tensor() })).map((member) => ({ ...member, isWide: true }));
  assert.deepEqual(values(context, members, true), { a: [1, 2, 3, 4, 5, 6] });
});

const good = dict({ a: tensor() });
const sound = torchMembers(good);
const withMember = (index: number, change: Partial<RawMember>): Buffer =>
  zipBytes(sound.map((member, at) => (at === index ? { ...member, ...change } : member)));
const archive = (data: Buffer): Buffer => zipBytes(torchMembers(data));
const system = tuple('touch /tmp/glmtune-was-here');

/** What is wrong, the file, and what the error must say. */
const refused: readonly [string, Buffer, string][] = [
  ['an empty file', Buffer.alloc(0), 'notZip'],
  ['a Git LFS pointer', Buffer.from('version https://git-lfs.example/spec/v1\n'), 'gitLfs'],
  ['the format before torch 0.1', Buffer.from(`${'\0'.repeat(257)}ustar`), 'legacy'],
  ['a cut file', zipBytes(torchMembers(dict({ a: tensor() }))).subarray(0, -100), 'noDirectory'],
  ['the format before torch 1.6', Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex'), 'legacy'],
  [
    'TorchScript',
    zipBytes([
      ...sound,
      { name: 'm/code/a.py', data: good, method: 8 },
      { name: 'm/constants.pkl', data: good },
    ]),
    'script',
  ],
  ['a zip without a state dict', zipBytes([{ name: 'a.txt', data: good }]), 'noStateDict'],
  ['a compressed pickle', withMember(0, { method: 8 }), 'compressed'],
  ['a zip bomb', withMember(2, { method: 8, size: 2 ** 32 - 2, packedSize: 24 }), 'compressed'],
  ['an encrypted member', withMember(0, { flags: 1 }), 'encrypted'],
  ['another byte order', withMember(1, { data: Buffer.from('big') }), 'byteOrder'],
  ['a member of 4 GiB', withMember(2, { size: 2 ** 32 - 2 }), 'directory'],
  ['a member behind the end', withMember(2, { headerOffset: 2 ** 31 }), 'directory'],
  ['a member over another one', withMember(2, { headerOffset: 0 }), 'overlap'],
  ['a member of two names', withMember(2, { localName: 'm/data/1' }), 'directory'],
  ['a member that occurs twice', zipBytes([...sound, sound[2]]), 'duplicate'],
  ['os.system', archive(pickle(global('os', 'system'), system, Opcode.REDUCE)), 'global'],
  ['INST of os.system', archive(pickle(Opcode.MARK, 'id', Buffer.from('ios\nsystem\n'))), 'global'],
  [
    'STACK_GLOBAL of builtins.eval',
    archive(pickle('builtins', 'eval', Opcode.STACK_GLOBAL, system, Opcode.REDUCE)),
    'global',
  ],
  ['a whole module', archive(pickle(global('torch.nn', 'Linear'), Opcode.EMPTY_TUPLE, 0x81)), 'global'],
  ['a loader in a loader', archive(pickle(global('torch', 'load'))), 'global'],
  ['NEWOBJ', archive(pickle(Opcode.EMPTY_TUPLE, Opcode.EMPTY_TUPLE, 0x81)), 'opcode'],
  ['an extension', archive(pickle(Buffer.from([0x82, 1]))), 'opcode'],
  ['BUILD on a plain dict', archive(pickle(Opcode.EMPTY_DICT, Opcode.EMPTY_DICT, Opcode.BUILD)), 'opcode'],
  ['a class as a value', archive(dict({ a: global('torch', 'FloatStorage') })), 'notTensors'],
  ['a number as a value', archive(dict({ a: integer(7) })), 'notTensors'],
  ['a list', archive(pickle(Opcode.EMPTY_LIST)), 'notTensors'],
  ['no end', archive(good.subarray(0, -1)), 'pickle'],
  ['an empty stack', archive(pickle(Opcode.REDUCE)), 'pickle'],
  ['an unknown memo', archive(pickle(Buffer.from([Opcode.BINGET, 9]))), 'pickle'],
  ['text of 4 GiB', archive(pickle(Buffer.from([Opcode.BINUNICODE, 255, 255, 255, 255]))), 'limit'],
  ['a number of 255 bytes', archive(pickle(Buffer.from([Opcode.LONG1, 255]))), 'limit'],
  ['a deep pickle', archive(pickle(Buffer.alloc(1000, Opcode.MARK))), 'limit'],
  ['a long pickle', archive(pickle(Buffer.alloc(3_000_000, Opcode.NONE))), 'limit'],
  ['calling a dict', archive(pickle(Opcode.EMPTY_DICT, Opcode.EMPTY_TUPLE, Opcode.REDUCE)), 'pickle'],
];

for (const [name, bytes, reason] of refused) {
  test(`${name} is refused (${reason})`, (context) => {
    const file = write(context, bytes);
    assert.throws(() => openTorchFiles([file]), hasCode('checkpoint.badTorchFile', reason));
  });
}

/** Tensors that cannot be. */
const impossible: readonly [string, Buffer, string][] = [
  ['behind its storage', tensor({ offset: 1 }), 'offsets'],
  ['transposed', tensor({ shape: [3, 2], strides: [1, 3] }), 'strides'],
  ['spread over one value', tensor({ shape: [1000, 1000], strides: [0, 0] }), 'strides'],
  ['too large', tensor({ shape: [2 ** 30, 2 ** 30], strides: [2 ** 30, 1] }), 'shape'],
  ['without its storage', tensor({ key: '7' }), 'storage'],
  ['with a storage elsewhere', tensor({ key: '../version' }), 'storage'],
  ['with a storage of another size', tensor({ elements: 5, shape: [5], strides: [1] }), 'size'],
];

for (const [name, data, reason] of impossible) {
  test(`a tensor ${name} is refused by name`, (context) => {
    const file = write(context, archive(dict({ 'some.weight': data })));
    assert.throws(
      () => openTorchFiles([file]),
      (error) =>
        hasCode('checkpoint.badTensor', reason)(error) && (error as Error).message.includes('some.weight'),
    );
  });
}

test('a tensor that occurs twice is refused, in one file and in two', (context) => {
  const twice = pickle(Opcode.EMPTY_DICT, Opcode.MARK, 'a', tensor(), 'a', tensor(), Opcode.SETITEMS);
  const file = write(context, archive(twice));
  assert.throws(() => openTorchFiles([file]), hasCode('checkpoint.badTensor', 'duplicate'));
  const [first, second] = [write(context, archive(good)), write(context, archive(good))];
  assert.throws(() => openTorchFiles([first, second]), hasCode('checkpoint.badTensor', 'duplicate'));
});

test('the message names what the pickle wanted to call, and nothing was run', (context) => {
  const file = write(context, archive(pickle(global('os', 'system'), system, Opcode.REDUCE)));
  try {
    openTorchFiles([file]);
    assert.fail('accepted');
  } catch (error) {
    const { message, remedy } = describeThrown(english, error);
    assert.match(message, /asks for os\.system/);
    assert.match(remedy, /trust/);
  }
  assert.ok(!fs.existsSync('/tmp/glmtune-was-here'));
});
