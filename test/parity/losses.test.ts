/** The loss with label smoothing, in float32 and in half precision, and the noise of NEFTune. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { DType } from '../../src/engine/backend/ops';
import { backend } from '../../src/engine/backend/backend';
import { Tape } from '../../src/engine/backend/tape';
import { crossEntropy } from '../../src/engine/nn/crossEntropy';
import { addNoise } from '../../src/engine/nn/neftune';
import { openTestEngine } from './engine';
import { maxDifference } from './golden';

/** transformers 4.57.6, `LabelSmoother(epsilon=0.15)`: mean loss of four labels and its gradients. */
const SMOOTHED = {
  loss: 2.39089608,
  dh: [
    -0.18738839, -0.1083064, -0.0749064609, 0.222457439, 0.0777339339, 0.180594951, -0.239661306,
    0.0276793782, -0.266505122, -0.138859838, -0.111028761, 0.123490945, 0.0, 0.0, 0.0, 0.0, 0.230050087,
    -0.0905071199, -0.089253284, -0.088274084,
  ],
  dw: [
    0.147104993, -0.0633487701, 0.126059636, -0.0857954845, -0.145612702, 0.0637458414, -0.124676853,
    0.0843418241, 0.212780058, 0.0396191962, 0.19546397, -0.096906133, -0.102907896, -0.109360188,
    -0.103553131, 0.248264372, -0.190930709, 0.070418708, -0.164795756, 0.0957991108, -0.0355423316,
    0.0694373846, -0.025044363, -0.0434618704, 0.11510855, -0.0705121532, 0.0965464786, -0.202241838,
  ],
};
const [K, H, V] = [5, 4, 7];
const hidden = Float32Array.from({ length: K * H }, (_, i) => (((i * 29) % 19) - 9) / 8);
const head = Float32Array.from({ length: V * H }, (_, i) => (((i * 31 + 3) % 17) - 8) / 8);

before(openTestEngine);

/** Mean loss over labels 2, 0, 6 and 3 (the fourth position has none), and the gradients times `scale`. */
async function lossOf(dtype: DType, smoothing: number, scale = 1) {
  const session = backend().openSession();
  const program = session.compile((graph) => {
    const h = graph.placeholder([K, H], 'float32');
    const w = graph.placeholder([V, H], 'float32');
    const weights = graph.placeholder([K], 'float32');
    const tape = new Tape(graph);
    tape.watch(h);
    tape.watch(w);
    const labels = graph.constant(Int32Array.of(2, 0, 6, 0, 3), [K], 'int32');
    const { loss } = crossEntropy(tape, tape.cast(h, dtype), tape.cast(w, dtype), labels, weights, {
      smoothing,
    });
    const gradients = tape.gradients(loss);
    return { inputs: [h, w, weights], outputs: [loss, gradients.get(h)!, gradients.get(w)!], effects: [] };
  });
  const weights = Float32Array.of(1, 1, 1, 0, 1).map((x) => (x * scale) / 4);
  const [loss, dh, dw] = (await program.run([hidden, head, weights])) as Float32Array[];
  await session.close();
  return { loss: loss[0] / scale, dh: dh.map((x) => x / scale), dw: dw.map((x) => x / scale) };
}

test('label smoothing: loss and gradients of the reference', async () => {
  const { loss, dh, dw } = await lossOf('float32', 0.15);
  assert.ok(Math.abs(loss - SMOOTHED.loss) < 1e-6);
  assert.ok(maxDifference(dh, SMOOTHED.dh) < 1e-6);
  assert.ok(maxDifference(dw, SMOOTHED.dw) < 1e-6);
});

for (const [dtype, tolerance] of [
  ['float16', 2e-3],
  ['bfloat16', 1.6e-2],
] as const)
  test(`${dtype}: near float32, with a scaled loss`, async () => {
    for (const smoothing of [0, 0.15]) {
      const wide = await lossOf('float32', smoothing);
      const narrow = await lossOf(dtype, smoothing, 1024);
      assert.ok(Math.abs(narrow.loss - wide.loss) < tolerance);
      assert.ok(maxDifference(narrow.dh, wide.dh) < tolerance);
      assert.ok(maxDifference(narrow.dw, wide.dw) < tolerance);
    }
  });

test('float16: a scale that is too large shows as infinite gradients', async () => {
  const { loss, dw } = await lossOf('float16', 0, 2 ** 20);
  assert.ok(Number.isFinite(loss));
  assert.ok(dw.some((x) => !Number.isFinite(x)));
});

test('noise: uniform within the bound of each row, the same for the same seed', async () => {
  const [batch, length, channels] = [2, 64, 48];
  const session = backend().openSession();
  const program = session.compile((graph) => {
    const lengths = graph.placeholder([batch], 'float32');
    const seed = graph.placeholder([2], 'int32');
    const zero = graph.fill([batch * length, channels], 0, 'float32');
    return { inputs: [lengths, seed], outputs: [addNoise(graph, zero, 5, lengths, seed)], effects: [] };
  });
  const noise = async (seed: number) =>
    (await program.run([Float32Array.of(64, 16), Int32Array.of(seed, 0)]))[0] as Float32Array;
  const first = await noise(1);
  [64, 16].forEach((count, row) => {
    const bound = 5 / Math.sqrt(count * channels);
    const values = first.subarray(row * length * channels, (row + 1) * length * channels);
    const largest = Math.max(...values.map(Math.abs));
    assert.ok(largest <= bound * 1.000001 && largest > 0.99 * bound, `row ${row}: ${largest} of ${bound}`);
    const variance = values.reduce((sum, x) => sum + x * x, 0) / values.length;
    assert.ok(Math.abs(variance / (bound ** 2 / 3) - 1) < 0.05);
    assert.ok(Math.abs(values.reduce((sum, x) => sum + x, 0) / values.length) < 0.05 * bound);
  });
  assert.deepEqual(await noise(1), first);
  assert.notDeepEqual(await noise(2), first);
  await session.close();
});

test('logits in pieces: the same loss and gradients', async () => {
  const rows = 200;
  const values = (n: number, seed: number): Float32Array =>
    Float32Array.from({ length: n }, (_, i) => Math.sin(i * 1.7 + seed));
  const labels = Int32Array.from({ length: rows }, (_, i) => (i * 5) % V);
  const results = [];
  // All at once, and 64 rows at a time: less is asked for than the fewest rows take.
  for (const logitsBytes of [2 ** 20, 1]) {
    const session = backend().openSession();
    results.push(
      await session.runOnce(
        (graph) => {
          const [h, w] = [graph.placeholder([rows, H], 'float32'), graph.placeholder([V, H], 'float32')];
          const weights = graph.placeholder([rows], 'float32');
          const tape = new Tape(graph);
          tape.watch(h);
          tape.watch(w);
          const { loss, tokenLosses, correct } = crossEntropy(
            tape,
            h,
            w,
            graph.constant(labels, [rows], 'int32'),
            weights,
            { smoothing: 0.1, logitsBytes },
          );
          const gradients = tape.gradients(loss);
          const outputs = [loss, tokenLosses, correct, gradients.get(h)!, gradients.get(w)!];
          return { inputs: [h, w, weights], outputs, effects: [] };
        },
        [values(rows * H, 0), values(V * H, 1), values(rows, 2)],
      ),
    );
    await session.close();
  }
  const [whole, pieces] = results;
  whole.forEach((value, i) => assert.ok(maxDifference(value, pieces[i]) < 1e-5));
});
