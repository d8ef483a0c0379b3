import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeDef } from '../../../src/engine/backend/functionDef';
import type { DType, Value } from '../../../src/engine/backend/ops';
import type { NodeRun } from '../../../src/engine/backend/stepStats';
import { breakDown, floorOf, workOfRuns } from '../../../src/engine/profile/breakdown';
import { placeOf } from '../../../src/engine/profile/place';
import { liveAt, livePeak, sharedTimes, workingRuns } from '../../../src/engine/profile/timeline';
import { workOf } from '../../../src/engine/profile/work';

const PEAKS = { flops: { float32: 1e12, bfloat16: 5e12 }, bandwidth: 1e10 };

function run(node: string, start: number, end: number, more: Partial<NodeRun> = {}): NodeRun {
  return { device: '/device:CPU:0', node, op: 'Mul', start, end, allocations: [], ...more };
}

function tensor(shape: number[], dtype: DType = 'float32'): Value {
  return { shape, dtype };
}

function node(
  name: string,
  op: string,
  operands: Value[],
  results: Value[],
  more: Partial<NodeDef> = {},
): NodeDef {
  return { name, op, operands, results, inputs: [], attrs: {}, ...more };
}

test('a node belongs to the innermost part of its layer, elsewhere to the outermost', () => {
  const place = (name: string): unknown[] => Object.values(placeOf(name));
  assert.deepEqual(place('layer3/attention/MatMul_7'), ['attention', 3, 'forward']);
  assert.deepEqual(place('layer3/attention/adapter/backward/MatMul_9'), ['adapter', 3, 'backward']);
  assert.deepEqual(place('layer12/AddV2_1'), ['residual', 12, 'forward']);
  assert.deepEqual(place('output/norm/Mul_1'), ['output', null, 'forward']);
  assert.deepEqual(place('gradients/ConcatV2_0'), ['gradients', null, 'update']);
  assert.deepEqual(place('Const_4'), ['other', null, 'forward']);
});

test('what is computed again is neither forward nor backward, its derivatives are backward', () => {
  assert.equal(placeOf('layer1/backward/recompute/mlp/MatMul_3').direction, 'recompute');
  assert.equal(placeOf('layer1/backward/mlp/backward/MatMul_4').direction, 'backward');
});

test('names that the library has rewritten are understood', () => {
  assert.equal(placeOf('layer1/mlp/ArithmeticOptimizer/Reorder_Cast_2').block, 'mlp');
  assert.equal(placeOf('ConstantFolding/layer1/norm/Mul_2').layer, 1);
  assert.equal(placeOf('layer1/backward/ArithmeticOptimizer/AddOpsRewrite_AddV2_16/AddN').block, 'residual');
});

test('nodes that run side by side share the time', () => {
  const runs = [run('a', 0, 10), run('b', 4, 8), run('c', 20, 23), run('d', 5, 5)];
  assert.deepEqual(sharedTimes(runs), [8, 2, 3, 0]);
});

test('on a GPU the kernels of its streams count, not the launches', () => {
  const runs = workingRuns([
    run('layer0/mlp/MatMul_1', 0, 1, { device: '/device:GPU:0' }),
    run('layer0/mlp/MatMul_1:MatMul', 5, 90, { device: '/device:GPU:0/stream:all' }),
  ]);
  assert.deepEqual(
    runs.map(({ node: name, end }) => [name, end]),
    [['layer0/mlp/MatMul_1', 90]],
  );
});

test('the peak of memory, and who holds it', () => {
  const trace = [
    run('a', 0, 1, {
      allocations: [
        { at: 0, bytes: 100 },
        { at: 9, bytes: -100 },
      ],
    }),
    run('b', 1, 2, {
      allocations: [
        { at: 1, bytes: 50 },
        { at: 2, bytes: -50 },
      ],
    }),
    run('c', 3, 4, { allocations: [{ at: 3, bytes: 70 }] }),
  ];
  const { peak, byNode } = livePeak(trace);
  assert.equal(peak, 170);
  assert.deepEqual(
    [...byNode],
    [
      ['a', 100],
      ['c', 70],
    ],
  );
  assert.equal(liveAt(trace, 1), 150);
  assert.equal(liveAt(trace, 9), 70);
});

test('the work of products: 2·m·n·k, whichever side is transposed', () => {
  const transposed = { attrs: { transpose_a: { kind: 'bool', value: true } } } as const;
  const product = node('m', 'MatMul', [tensor([5, 3]), tensor([5, 7])], [tensor([3, 7])], transposed);
  assert.deepEqual(workOf(product), { flops: 2 * 3 * 7 * 5, dtype: 'float32', bytes: 4 * (15 + 35 + 21) });
  const batch = node(
    'b',
    'BatchMatMulV2',
    [tensor([2, 4, 8], 'bfloat16'), tensor([2, 8, 3], 'bfloat16')],
    [tensor([2, 4, 3], 'bfloat16')],
  );
  assert.deepEqual(workOf(batch), { flops: 2 * 24 * 8, dtype: 'bfloat16', bytes: 2 * (64 + 48 + 24) });
});

test('views are free, a gather reads what it takes, an optimiser reads and writes its state', () => {
  assert.equal(workOf(node('r', 'Reshape', [tensor([4])], [tensor([2, 2])])).bytes, 0);
  assert.equal(
    workOf(node('g', 'GatherV2', [tensor([1000, 8]), tensor([2])], [tensor([2, 8])])).bytes,
    2 * 64,
  );
  assert.equal(workOf(node('u', 'ResourceApplyAdam', [tensor([]), tensor([10])], [])).bytes, 7 * 40);
});

test('the floor is whichever takes longer, computing or moving', () => {
  assert.equal(floorOf({ flops: 1e9, dtype: 'float32', bytes: 1e6 }, PEAKS), 1);
  assert.equal(floorOf({ flops: 1e9, dtype: 'bfloat16', bytes: 1e6 }, PEAKS), 0.2);
  assert.equal(floorOf({ flops: 1e9, dtype: 'float32', bytes: 1e8 }, PEAKS), 10);
});

test('a product that the library fused into its reader is counted there', () => {
  const product = node('m', 'MatMul', [tensor([2, 3]), tensor([3, 4])], [tensor([2, 4])]);
  const bias = node('b', 'BiasAdd', [tensor([2, 4]), tensor([4])], [tensor([2, 4])], {
    inputs: ['m:product:0', 'x'],
  });
  const [work] = workOfRuns([product, bias], [run('b', 0, 1, { op: '_FusedMatMul' })]);
  assert.equal(work.flops, 2 * 2 * 4 * 3);
  const kernels = [run('m', 0, 1), run('m', 1, 2)];
  assert.deepEqual(
    workOfRuns([product], kernels).map(({ flops }) => flops),
    [24, 24],
  );
});

test('blocks and operations of a step add up to the same', () => {
  const nodes = [
    node('layer0/mlp/MatMul_0', 'MatMul', [tensor([100, 100]), tensor([100, 100])], [tensor([100, 100])]),
    node('layer0/mlp/backward/swiglu_0', 'PartitionedCall', [tensor([1000])], [tensor([1000])]),
  ];
  const trace = [
    run('layer0/mlp/MatMul_0', 0, 4000, { op: '_MklMatMul' }),
    run('layer0/mlp/backward/swiglu_0', 3000, 5000, { op: 'PartitionedCall' }),
    run('input0', 0, 9000, { op: '_Arg' }),
  ];
  const { blocks, operations, busy, flops } = breakDown([{ nodes, trace, milliseconds: 6 }], PEAKS);
  assert.equal(busy, 5);
  assert.equal(flops, 2e6);
  assert.deepEqual(
    operations.map(({ operation, direction, milliseconds }) => [operation, direction, milliseconds]),
    [
      ['MatMul', 'forward', 3.5],
      ['fused(swiglu)', 'backward', 1.5],
    ],
  );
  assert.deepEqual(
    blocks.map(({ block, layer, floor }) => [block, layer, Number(floor.toFixed(6))]),
    [
      ['mlp', 0, 0.012],
      ['mlp', 0, 0.0008],
    ],
  );
});
