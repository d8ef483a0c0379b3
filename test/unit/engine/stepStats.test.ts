import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtoWriter } from '../../../src/engine/backend/protobuf';
import { readFields, readSigned, readText } from '../../../src/engine/backend/protobufReader';
import { decodeRunMetadata } from '../../../src/engine/backend/stepStats';

test('fields come back in order, large and negative numbers exactly', () => {
  const message = new ProtoWriter()
    .varint(1, 9_007_199_254_740_993n)
    .bytes(2, 'layer0/MatMul')
    .varint(3, -5)
    .float(4, 1.5)
    .finish();
  const [large, text, negative, float] = [...readFields(message)];
  assert.equal(large.integer, 9_007_199_254_740_993n);
  assert.equal(readText(text), 'layer0/MatMul');
  assert.equal(readSigned(negative), -5n);
  assert.deepEqual([float.field, float.bytes.length], [4, 4]);
});

test('a message that is cut off or damaged is refused', () => {
  const message = new ProtoWriter().bytes(1, 'abcdef').finish();
  assert.throws(() => [...readFields(message.subarray(0, 4))], RangeError);
  assert.throws(() => [...readFields(Uint8Array.of(0x0b))], RangeError);
  assert.throws(() => [...readFields(Uint8Array.of(0x08, ...new Array<number>(11).fill(0xff)))], RangeError);
});

const EPOCH = 1_790_000_000_000_000_000n;

interface Node {
  name: string;
  label: string;
  /** Nanoseconds after the epoch above. */
  start: bigint;
  length: bigint;
  /** Microseconds after it, and bytes. */
  allocations?: [bigint, number][];
}

function nodeStats({ name, label, start, length, allocations = [] }: Node): ProtoWriter {
  const memory = new ProtoWriter().bytes(1, 'cpu').varint(2, 64);
  for (const [at, bytes] of allocations)
    memory.bytes(6, new ProtoWriter().varint(1, EPOCH / 1000n + at).varint(2, bytes));
  return new ProtoWriter()
    .bytes(1, name)
    .varint(2, (EPOCH + start) / 1000n)
    .bytes(6, memory)
    .bytes(8, label)
    .varint(13, EPOCH + start)
    .varint(14, 100)
    .varint(15, 100n + length);
}

function metadata(device: string, nodes: readonly Node[]): Uint8Array {
  const stats = new ProtoWriter().bytes(1, device);
  for (const node of nodes) stats.bytes(2, nodeStats(node));
  return new ProtoWriter().bytes(1, new ProtoWriter().bytes(1, stats)).finish();
}

test('times are relative to the first node, operations are what ran', () => {
  const message = metadata('/device:CPU:0', [
    { name: 'b', label: 'b = Softmax(a)', start: 5000n, length: 250n },
    {
      name: 'layer0/a',
      label: '[cpu 4.0MB 4.0MB] layer0/a = _MklMatMul(input0, w)',
      start: 0n,
      length: 2000n,
      allocations: [
        [1n, 64],
        [9n, -64],
      ],
    },
  ]);
  const [b, a] = decodeRunMetadata(message);
  assert.deepEqual([a.node, a.op, a.start, a.end], ['layer0/a', '_MklMatMul', 0, 2]);
  assert.deepEqual([b.node, b.op, b.start, b.end], ['b', 'Softmax', 5, 5.25]);
  assert.deepEqual(a.allocations, [
    { at: 1, bytes: 64 },
    { at: 9, bytes: -64 },
  ]);
  assert.equal(a.device, '/device:CPU:0');
});
