/** Dropout drops the same on both engines: the portable one's random numbers are the library's. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { libtensorflow } from '../../src/engine/backend/libtensorflow';
import { philoxUniform } from '../../src/engine/backend/portable/philox';
import { openTestEngine } from './engine';

before(openTestEngine);

test('uniform numbers of several seeds and shapes, bit by bit', async () => {
  const session = libtensorflow.openSession();
  for (const shape of [[1], [3, 7], [5000], [100, 33]]) {
    const program = session.compile((graph) => {
      const seed = graph.placeholder([2], 'int32');
      return { inputs: [seed], outputs: [graph.randomUniform(shape, seed)], effects: [] };
    });
    for (const seed of [
      [0, 0],
      [1, 2],
      [-5, 7],
      [0x7fffffff, -1],
    ]) {
      const [wanted] = await program.run([Int32Array.from(seed)]);
      assert.deepEqual(philoxUniform(shape, seed[0], seed[1]), wanted, `${shape.join()} ${seed.join()}`);
    }
  }
  await session.close();
});
