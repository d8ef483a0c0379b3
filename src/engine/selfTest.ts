/** Checks the engine against tfjs: loss and gradients of a tiny ChatGLM, as one compiled function and as tfjs operations. */
import { parseConfig } from '../checkpoint/config';
import { elements, modelTensors } from '../checkpoint/modelTensors';
import { backend } from './backend/backend';
import { EagerOps, readTfjs } from './backend/eagerOps';
import type { GraphValue } from './backend/graphOps';
import type { Ops, Value } from './backend/ops';
import { Tape } from './backend/tape';
import type { Forward } from './glm/model';
import { createModel } from './glm/registry';
import { attendHeads, visibilityMask } from './nn/attention';
import { crossEntropy } from './nn/crossEntropy';
import { denseWeight, linear } from './nn/linear';
import { Random } from './random';
import type { EngineReport } from './types';

/** float32 rounding of two orders of summation stays far below this. */
const TOLERANCE = 1e-4;

const TINY = {
  model_type: 'chatglm',
  num_layers: 2,
  padded_vocab_size: 64,
  hidden_size: 32,
  ffn_hidden_size: 48,
  kv_channels: 8,
  num_attention_heads: 4,
  multi_query_attention: true,
  multi_query_group_num: 2,
  add_qkv_bias: true,
  seq_length: 32,
};
const LENGTH = 12;

/** Makes a parameter of given values. */
type Input = (values: Float32Array, shape: readonly number[]) => Value;

/** Loss, then the gradient of every parameter, of one fixed row. */
function tinyStep(ops: Ops, input: Input): Value[] {
  const config = parseConfig(TINY, 'self-test');
  const model = createModel(config);
  const random = new Random(7);
  const parameters = new Map(
    modelTensors(config).map(({ name, shape }) => {
      const offset = model.isNorm(name) ? 1 : 0;
      const values = Float32Array.from({ length: elements(shape) }, () => offset + 0.2 * random.normal());
      return [name, input(values, shape)] as const;
    }),
  );
  const tape = new Tape(ops, parameters.values());
  const ints = (values: number[], shape: number[]): Value =>
    ops.constant(Int32Array.from(values), shape, 'int32');
  const count = Array.from({ length: LENGTH }, (_, i) => i);
  const positions = ints(count, [1, LENGTH]);
  const mask = visibilityMask(ops, { query: positions, key: positions }, null, 'float32');
  const parameter = (name: string): Value => parameters.get(name)!;
  const forward: Forward = {
    ops: tape,
    dtype: 'float32',
    parameter,
    positions: [positions],
    linear: (module, x) =>
      linear(tape, x, {
        weight: denseWeight(parameter(`${module}.weight`)),
        bias: parameters.get(`${module}.bias`) ?? null,
        lora: null,
      }),
    attend: (_, q, k, v) => attendHeads(tape, q, k, v, mask),
  };
  const ids = count.map(() => random.integer(model.vocabSize));
  const shared = model.shared(forward);
  let x = model.embed(forward, ints(ids, [1, LENGTH]));
  for (let layer = 0; layer < model.layers; layer++) x = model.block(forward, shared, x, layer);
  const hidden = model.finish(forward, x);
  const weights = ops.constant(new Float32Array(LENGTH).fill(1 / LENGTH), [LENGTH], 'float32');
  const labels = ints([...ids.slice(1), 0], [LENGTH]);
  const { loss } = crossEntropy(tape, hidden, forward.parameter(model.outputWeight), labels, weights);
  const gradients = tape.gradients(loss);
  return [loss, ...[...parameters.values()].map((parameter) => gradients.get(parameter)!)];
}

export async function selfTest(): Promise<EngineReport['selfTest']> {
  const began = performance.now();
  const eager = await backend().withEagerTfjs((tf) =>
    tf.tidy(() => {
      const ops = new EagerOps(tf);
      return tinyStep(ops, (values, shape) => ops.constant(values, shape, 'float32')).map(readTfjs);
    }),
  );
  const session = backend().openSession();
  const feeds: Float32Array[] = [];
  const program = session.compile((graph) => {
    const inputs: GraphValue[] = [];
    const outputs = tinyStep(graph, (values, shape) => {
      feeds.push(values);
      inputs.push(graph.placeholder(shape, 'float32'));
      return inputs[inputs.length - 1];
    });
    return { inputs, outputs, effects: [] };
  });
  const graph = await program.run(feeds);
  await session.close();
  const differences = graph.flatMap((values, i) =>
    Array.from(values, (found, j) => Math.abs(found - eager[i][j])),
  );
  const maxDifference = differences.reduce((most, difference) => Math.max(most, difference), 0);
  const ok = Number.isFinite(graph[0][0]) && maxDifference < TOLERANCE;
  return { ok, maxDifference, seconds: (performance.now() - began) / 1000 };
}
