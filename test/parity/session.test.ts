import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { backend } from '../../src/engine/backend/backend';
import { Tape } from '../../src/engine/backend/tape';
import { openTestEngine } from './engine';

before(openTestEngine);

test('a program computes a product and keeps a variable between runs', async () => {
  const session = backend().openSession();
  const counter = { name: 'counter', shape: [2], dtype: 'float32' } as const;
  const init = session.compile((g) => {
    const value = g.placeholder([2], 'float32');
    return { inputs: [value], outputs: [], effects: [g.assign(counter, value)] };
  });
  const add = session.compile((g) => {
    const a = g.placeholder([1, 2], 'float32');
    const b = g.placeholder([2, 2], 'float32');
    const product = g.reshape(g.matMul(a, b), [2]);
    const added = g.assignAdd(counter, product);
    return { inputs: [a, b], outputs: [g.read(counter, [added])], effects: [] };
  });
  await init.run([Float32Array.of(1, 2)]);
  const feeds = [Float32Array.of(1, 1), Float32Array.of(1, 2, 3, 4)];
  assert.deepEqual([...(await add.run(feeds))[0]], [5, 8]);
  assert.deepEqual([...(await add.run(feeds))[0]], [9, 14]);
  await session.close();
});

test('a program that was disposed of is gone, its variables are not; the names of programs are not given again', async () => {
  const session = backend().openSession();
  const counter = { name: 'counter', shape: [1], dtype: 'float32' } as const;
  const [first] = await session.runOnce(
    (g) => {
      const value = g.placeholder([1], 'float32');
      return { inputs: [value], outputs: [g.read(counter, [g.assign(counter, value)])], effects: [] };
    },
    [Float32Array.of(7)],
  );
  assert.deepEqual([...first], [7]);
  const read = session.compile((g) => ({ inputs: [], outputs: [g.read(counter)], effects: [] }));
  const other = session.compile((g) => ({ inputs: [], outputs: [g.read(counter)], effects: [] }));
  assert.deepEqual([...(await read.run([]))[0]], [7]);
  read.dispose();
  await assert.rejects(read.run([]), { code: 'engine.runFailed' });
  assert.deepEqual([...(await other.run([]))[0]], [7]);
  await session.close();
});

test('the gradient of a recomputed block equals that of a kept one', async () => {
  const session = backend().openSession();
  const program = session.compile((g) => {
    const x = g.placeholder([2, 3], 'float32');
    const w = g.placeholder([3, 3], 'float32');
    const outputs = [false, true].flatMap((recompute) => {
      const tape = new Tape(g);
      tape.watch(w);
      tape.watch(x);
      const block = (ops: typeof tape | typeof g, value: typeof x | ReturnType<typeof g.tanh>) =>
        ops.tanh(ops.matMul(value, w));
      const first = recompute
        ? tape.checkpoint([x], (ops, [input]) => block(ops as typeof tape, input))
        : block(tape, x);
      const loss = tape.sum(tape.square(block(tape, first)), [0, 1]);
      const gradients = tape.gradients(loss);
      return [gradients.get(x)!, gradients.get(w)!];
    });
    return { inputs: [x, w], outputs, effects: [] };
  });
  const random = (n: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898) * 0.7);
  const [dx, dw, dx2, dw2] = await program.run([random(6), random(9)]);
  assert.deepEqual(dx, dx2);
  assert.deepEqual(dw, dw2);
  assert.ok(dw.some((value) => Math.abs(value) > 1e-3));
  await session.close();
});
