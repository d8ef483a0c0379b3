import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { elements } from '../../src/checkpoint/modelTensors';
import { flatGroup } from '../../src/engine/adapters/flat';
import { backend } from '../../src/engine/backend/backend';
import { optimisers } from '../../src/engine/train/optimisers';
import { openTestEngine } from './engine';

/** Five updates of two matrices and a vector; the second matrix has no gradient in the first. */
const SHAPES = [[4, 3], [2, 5], [3]];
const RATES = [0.01, 0.02, 0.03, 0.02, 0.01];

/**
 * Values after the first and the last update, weight decay 0.1 on everything. AdamW and Lion with betas 0.9 and 0.99 by torch 2.13.0 and
 * lion-pytorch 0.2.5, Adafactor by transformers 4.57.6 (no relative step, no scaling by the parameter).
 */
const REFERENCE = {
  adamw: {
    first: [
      -1.12387502, 0.134875, -1.00900006, 0.259750009, -0.884124994, 0.364625007, -0.739250004, 0.489500016,
      -0.614374995, 0.614374995, -0.509500027, 0.759249985, -0.249750003, 0.999000013, -0.124875002,
      1.12387502, 0.0, -1.12387502, 0.124875002, -0.999000013, 0.249750003, -0.874125004, 0.614374995,
      -0.509500027, 0.759249985,
    ],
    last: [
      -1.16425252, 0.183467194, -0.992984056, 0.251883209, -0.923797786, 0.388313681, -0.691292167,
      0.48028636, -0.628617227, 0.55659157, -0.463285148, 0.78569144, -0.21446535, 0.965253949, -0.132951275,
      1.1450094, 0.00745518366, -1.0897696, 0.0904870853, -1.00630367, 0.297886223, -0.86725384, 0.56274873,
      -0.478838444, 0.79525435,
    ],
  },
  lion: {
    first: [
      -1.12387502, 0.134875, -1.00900006, 0.259750009, -0.884124994, 0.364625007, -0.739250004, 0.489500016,
      -0.614374995, 0.614374995, -0.509500027, 0.759249985, -0.249750003, 0.999000013, -0.124875002,
      1.12387502, 0.0, -1.12387502, 0.124875002, -0.999000013, 0.249750003, -0.874125004, 0.614374995,
      -0.509500027, 0.759249985,
    ],
    last: [
      -1.11486018, 0.173808962, -1.00100124, 0.257727832, -0.877122223, 0.401526719, -0.733303189,
      0.485545456, -0.609424293, 0.609424293, -0.485485584, 0.753243268, -0.247807577, 0.991080999,
      -0.123928718, 1.15472019, 4.98397276e-5, -1.11495972, 0.123928718, -0.991080999, 0.267707884,
      -0.867102325, 0.609424293, -0.465625495, 0.753243268,
    ],
  },
  adafactor: {
    first: [
      -1.12387502, 0.138102233, -1.01091933, 0.25561738, -0.888113976, 0.372355968, -0.737092197, 0.490804046,
      -0.617322505, 0.611143887, -0.501794219, 0.762274444, -0.249750003, 0.999000013, -0.124875002,
      1.12387502, 0.0, -1.12387502, 0.124875002, -0.999000013, 0.249750003, -0.874125004, 0.614374995,
      -0.509500027, 0.759249985,
    ],
    last: [
      -1.1663487, 0.187517583, -0.984796286, 0.247858718, -0.91812551, 0.369869769, -0.690357208, 0.499160647,
      -0.631324947, 0.56233114, -0.442701042, 0.78704828, -0.228247881, 0.988368392, -0.139344424, 1.11049831,
      0.0316572264, -1.1087625, 0.107824817, -1.02856314, 0.289091378, -0.851195931, 0.57863462, -0.504683793,
      0.78643924,
    ],
  },
};

before(openTestEngine);

function initial(): number[] {
  return SHAPES.flatMap((shape, part) =>
    Array.from({ length: elements(shape) }, (_, i) => (((i * 29 + part * 7) % 19) - 9) / 8),
  );
}

function gradient(step: number): number[] {
  return SHAPES.flatMap((shape, part) =>
    Array.from({ length: elements(shape) }, (_, i) =>
      part === 1 && step === 1 ? 0 : (((i * 37 + step * 11 + part * 5) % 23) - 11) / 16,
    ),
  );
}

/** Runs the updates; the gradient is given four times too large and scaled back. */
async function trajectory(name: keyof typeof optimisers, lrFactor: number): Promise<Float32Array[]> {
  const optimiser = optimisers[name];
  const session = backend().openSession();
  const parts = SHAPES.map((shape, i) => ({ name: `part${i}`, shape }));
  const group = flatGroup('trained', parts, { isMatrix: true, lrFactor });
  const { variable } = group;
  const start = session.compile((graph) => {
    const values = graph.placeholder(variable.shape, 'float32');
    const zeros = optimiser
      .state(group)
      .map((state) => graph.assign(state, graph.fill(state.shape, 0, 'float32')));
    return { inputs: [values], outputs: [], effects: [graph.assign(variable, values), ...zeros] };
  });
  await start.run([Float32Array.from(initial())]);
  const rates = (update: number) => ({
    update,
    learningRate: RATES[update - 1] / lrFactor,
    beta1: 0.9,
    beta2: 0.99,
    epsilon: 1e-8,
    weightDecay: 0.1,
    gradientScale: 0.25,
  });
  const count = optimiser.scalars(rates(1)).length;
  const step = session.compile((graph) => {
    const numbers = graph.placeholder([count], 'float32');
    const scalars = graph.split(numbers, Array<number>(count).fill(1), 0).map((x) => graph.reshape(x, []));
    const g = graph.placeholder(variable.shape, 'float32');
    const effects = optimiser.update(graph, group, g, scalars, true);
    return { inputs: [numbers, g], outputs: [graph.read(variable, effects)], effects };
  });
  const results: Float32Array[] = [];
  for (let update = 1; update <= RATES.length; update++) {
    const scaled = Float32Array.from(gradient(update), (x) => 4 * x);
    const [values] = await step.run([Float32Array.from(optimiser.scalars(rates(update))), scaled]);
    results.push(values as Float32Array);
  }
  await session.close();
  return results;
}

function assertClose(found: Float32Array, wanted: readonly number[]): void {
  const difference = Math.max(...found.map((value, i) => Math.abs(value - wanted[i])));
  assert.ok(difference < 5e-7, `difference ${difference}`);
}

for (const name of ['adamw', 'lion', 'adafactor'] as const)
  test(`${name}: the reference's trajectory`, async () => {
    const values = await trajectory(name, 1);
    assertClose(values[0], REFERENCE[name].first);
    assertClose(values[4], REFERENCE[name].last);
  });

test('a group has its own factor of the learning rate', async () => {
  for (const name of ['adamw', 'lion', 'adafactor'] as const)
    assertClose((await trajectory(name, 16))[4], REFERENCE[name].last);
});
