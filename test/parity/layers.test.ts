/** Layers against their formulas in double precision, where the fixtures' sequences are too short or too few to tell. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { DType, Value } from '../../src/engine/backend/ops';
import { backend } from '../../src/engine/backend/backend';
import { Tape } from '../../src/engine/backend/tape';
import { attention, visibilityMask } from '../../src/engine/nn/attention';
import { geluTanh } from '../../src/engine/nn/gelu';
import {
  frequencies,
  halfFrequencies,
  halvedPairs,
  interleavedPairs,
  rotary,
  rotate,
  type RotaryPair,
} from '../../src/engine/nn/rotary';
import { openTestEngine } from './engine';
import { maxDifference } from './golden';

before(openTestEngine);

const HEAD_DIM = 16;
const values = (n: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898) * 2);

/** One head of one row, rotated by the layer. */
async function rotated(
  x: Float32Array,
  streams: readonly Int32Array[],
  pairs: readonly RotaryPair[],
  interpolation?: number,
): Promise<Float32Array> {
  const session = backend().openSession();
  const [length] = [streams[0].length];
  const program = session.compile((g) => {
    const positions = streams.map(() => g.placeholder([1, length], 'int32'));
    const input = g.placeholder([1, 1, length, HEAD_DIM], 'float32');
    const table = rotary(g, positions, { headDim: HEAD_DIM, pairs, interpolation, dtype: 'float32' });
    return { inputs: [...positions, input], outputs: [rotate(g, input, table)], effects: [] };
  });
  const [result] = (await program.run([...streams, x])) as Float32Array[];
  await session.close();
  return result;
}

/** The same by its definition. */
function expected(
  x: Float32Array,
  streams: readonly Int32Array[],
  pairs: readonly RotaryPair[],
  interpolation = 1,
): Float64Array {
  const y = Float64Array.from(x);
  for (let t = 0; t < streams[0].length; t++)
    for (const { channels, frequency, stream } of pairs) {
      const [a, b] = channels.map((channel) => t * HEAD_DIM + channel);
      const angle = (streams[stream][t] / interpolation) * frequency;
      y[a] = x[a] * Math.cos(angle) - x[b] * Math.sin(angle);
      y[b] = x[b] * Math.cos(angle) + x[a] * Math.sin(angle);
    }
  return y.map((value) => value * HEAD_DIM ** -0.25);
}

const FAR = Int32Array.of(0, 1, 2, 7, 100, 2047);
const OTHER = Int32Array.of(0, 0, 0, 1, 2, 3);
const rotations: [string, Int32Array[], RotaryPair[], number?][] = [
  ['neighbours of the first half', [FAR], interleavedPairs(frequencies(10000, HEAD_DIM / 2))],
  ['all neighbours, a larger base', [FAR], interleavedPairs(frequencies(5e6, HEAD_DIM))],
  ['interpolated positions', [FAR], interleavedPairs(frequencies(10000, HEAD_DIM / 2)), 50],
  ['halves of the head', [FAR], halvedPairs(halfFrequencies(10000, HEAD_DIM), 0, 0)],
  [
    'two streams',
    [FAR, OTHER],
    [
      ...halvedPairs(halfFrequencies(10000, HEAD_DIM / 2), 0, 0),
      ...halvedPairs(halfFrequencies(10000, HEAD_DIM / 2), HEAD_DIM / 2, 1),
    ],
  ],
];
for (const [name, streams, pairs, interpolation] of rotations)
  test(`rotary embedding: ${name}`, async () => {
    const x = values(FAR.length * HEAD_DIM);
    const difference = maxDifference(
      await rotated(x, streams, pairs, interpolation),
      expected(x, streams, pairs, interpolation),
    );
    // A position of 2047 times a frequency near 1 is an angle with an error of 1e-4 in float32.
    assert.ok(difference < 3e-4, String(difference));
  });

const gelu = (x: number): number => {
  const inner = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
  return 0.5 * x * (1 + Math.tanh(inner));
};
const slope = (x: number): number => (gelu(x + 1e-5) - gelu(x - 1e-5)) / 2e-5;

for (const [dtype, tolerance] of [
  ['float32', 2e-6],
  ['bfloat16', 0.02],
  ['float16', 3e-3],
] as [DType, number][])
  test(`GELU and its slope in ${dtype}`, async () => {
    const points = Float32Array.from({ length: 33 }, (_, i) => (i - 16) / 4);
    const session = backend().openSession();
    const program = session.compile((g) => {
      const input = g.placeholder([1, points.length], 'float32');
      const x = g.cast(input, dtype);
      const tape = new Tape(g);
      tape.watch(x);
      const y = geluTanh(tape, x);
      const total = tape.sum(tape.cast(y, 'float32'), [0, 1]);
      const gradient = tape.gradients(total).get(x)!;
      const wide = (value: Value) => g.cast(value, 'float32') as typeof input;
      return { inputs: [input], outputs: [wide(y), wide(gradient)], effects: [] };
    });
    const [y, dx] = (await program.run([points])) as Float32Array[];
    await session.close();
    assert.ok(maxDifference(y, Float64Array.from(points, gelu)) < tolerance);
    assert.ok(maxDifference(dx, Float64Array.from(points, slope)) < tolerance);
  });

test('attention in float16: scores beyond its range, and keys that stay hidden beside them', async () => {
  const session = backend().openSession();
  const [length, d] = [3, 2];
  const program = session.compile((g) => {
    const order = g.placeholder([1, length], 'int32');
    const inputs = [0, 1, 2].map(() => g.placeholder([1, 1, length, d], 'float32'));
    const [q, k, v] = inputs.map((input) => g.cast(input, 'float16'));
    const mask = visibilityMask(g, { query: order, key: order }, null, 'float16');
    const y = g.cast(attention(g, q, k, v, mask), 'float32');
    return { inputs: [order, ...inputs], outputs: [y], effects: [] };
  });
  // Scores of the last query: 80000, 79950 and -80000; of the second: -80000 and -79950, beside a hidden one of 80000.
  const q = Float32Array.of(400, 0, -400, 0, 400, 0);
  const k = Float32Array.of(200, 0, 199.875, 0, -200, 0);
  const v = Float32Array.of(1, 10, 2, 20, 3, 30);
  const [y] = (await program.run([Int32Array.of(0, 1, 2), q, k, v])) as Float32Array[];
  await session.close();
  assert.deepEqual([...y], [1, 10, 2, 20, 1, 10]);
});

test('causal attention in chunks of queries: outputs and gradients of the whole, also after a prefix', async () => {
  const [batch, heads, groups, length, earlier, d] = [2, 4, 2, 600, 5, 8];
  const keys = earlier + length;
  const session = backend().openSession();
  const results = [];
  for (const causal of [false, true])
    results.push(
      await session.runOnce(
        (g) => {
          const q = g.placeholder([batch, heads, length, d], 'float32');
          const k = g.placeholder([batch, groups, keys, d], 'float32');
          const v = g.placeholder([batch, groups, keys, d], 'float32');
          const count = (n: number, from: number): Value =>
            g.constant(
              Int32Array.from({ length: n }, (_, i) => i + from),
              [1, n],
              'int32',
            );
          const mask = visibilityMask(
            g,
            { query: count(length, earlier), key: count(keys, 0) },
            null,
            'float32',
          );
          const tape = new Tape(g, [q, k, v]);
          const y = attention(tape, q, k, v, mask, { causal });
          const gradients = tape.gradients(tape.sum(tape.square(y), [0, 1, 2, 3]));
          return {
            inputs: [q, k, v],
            outputs: [y, ...[q, k, v].map((x) => gradients.get(x)!)],
            effects: [],
          };
        },
        [
          values(batch * heads * length * d),
          values(batch * groups * keys * d),
          values(batch * groups * keys * d),
        ],
      ),
    );
  await session.close();
  const [whole, chunks] = results as Float32Array[][];
  whole.forEach((value, i) => assert.ok(maxDifference(value, chunks[i]) < 2e-5));
});
