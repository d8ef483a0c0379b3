/**
 * Every operation that the engine emits has a kernel for GPUs in the types it is emitted with, and none takes values of a step to
 * the host: read from the registry of the library with CUDA (`test/bench/gpu/kernels.json`), so that no GPU is needed to know.
 * With the CUDA library as engine, GLMTUNE_UPDATE_KERNELS=1 writes that file.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { checked, native } from '../../src/engine/backend/native';
import { bufferContents } from '../../src/engine/backend/tracing';
import { LanguageModel } from '../../src/engine/infer/languageModel';
import { train } from '../../src/engine/train/trainer';
import { parseRunFile } from '../../src/protocol/run';
import { decodeKernels, kernelFor, type KernelTable } from '../bench/gpu/registry';
import { fixture } from '../unit/fixtures';
import { recordEmitted, type Emitted } from './emitted';
import { openTestEngine } from './engine';
import { readMicroBatches, rowsOf } from './microBatches';

const TABLE = path.resolve('test/bench/gpu/kernels.json');
const ARCHITECTURES = ['chatglm-v1', 'chatglm2', 'chatglm3', 'glm4-9b', 'glm-hf', 'glm4-0414'];
const DTYPES = ['float32', 'bfloat16', 'float16'] as const;

/** Shapes, sizes and axes are constants of a program: where they lie costs nothing. */
const SMALL = new Set([
  'shape', 'dims', 'axis', 'dim', 'perm', 'size', 'sizes', 'begin', 'size_splits', 'split_dim', 'reduction_indices', 'dimension',
  'num_segments', 'k', 'seed', 'resource', 'var', 'm', 'v', 'ref', 'multiples', 'concat_dim', 'value_index', 'key', 'counter', 'alg',
]); // prettier-ignore

/** Integers that are few, such as seeds and the places of labels: their kernels are the host's. A comparison is that of evaluation. */
const FEW_ON_HOST = new Set(['Const', 'Reshape', 'Slice', 'ConcatV2', 'AddV2', 'Sub', 'Equal']);

let emitted: Map<string, Emitted>;

before(async () => {
  await openTestEngine();
  emitted = recordEmitted();
});

function temporary(): string {
  return mkdtempSync(path.join(os.tmpdir(), 'glmtune-kernels-'));
}

async function trainBriefly(architecture: string, settings: object, training: object): Promise<void> {
  const directory = temporary();
  const rows = readMicroBatches(`data/${architecture}/batches.json`).flatMap((batch) => rowsOf(batch));
  const file = path.join(directory, 'rows.jsonl');
  const lines = rows
    .slice(0, 8)
    .map(({ inputIds, labels }) => JSON.stringify({ input_ids: [...inputIds], labels: [...labels] }));
  writeFileSync(file, `${lines.join('\n')}\n`);
  const parsed = parseRunFile({
    name: 'kernels',
    model: fixture(`models/${architecture}`),
    dataset: { train: file, validation_split: 0.25 },
    evaluation: { every_steps: 1 },
    ...settings,
    training: { max_steps: 1, batch_size: 2, gradient_accumulation_steps: 2, ...training },
  });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const request = {
    run: parsed.run,
    runDirectory: path.join(directory, 'run'),
    resumeFrom: null,
    versions: {},
  };
  await train({ ...request, emit: () => undefined, stopRequested: () => 'no' });
}

for (const dtype of DTYPES) {
  for (const architecture of ARCHITECTURES)
    test(`${architecture} in ${dtype} runs`, async () => {
      const method = { type: 'lora', target_modules: 'all-linear', lora_dropout: 0.1 };
      const extras = { neftune_noise_alpha: 5, label_smoothing_factor: 0.1 };
      await trainBriefly(architecture, { method }, { dtype, ...extras });
    });

  test(`every method and optimiser in ${dtype} runs`, async () => {
    const lora = { type: 'lora', use_dora: true, init_lora_weights: 'pissa' };
    await trainBriefly('glm-hf', { method: lora }, { dtype, gradient_checkpointing: true, packing: true });
    await trainBriefly('chatglm3', { method: { type: 'lora' }, quantization: { type: 'nf4' } }, { dtype });
    const single = { type: 'nf4', double_quant: false };
    await trainBriefly('glm-hf', { method: { type: 'lora' }, quantization: single }, { dtype });
    const prefix = { type: 'ptuning_v2', pre_seq_len: 4, prefix_projection: true, prefix_dropout: 0.1 };
    await trainBriefly('chatglm2', { method: prefix }, { dtype });
    for (const optimizer of ['adamw', 'lion', 'adafactor'])
      await trainBriefly('chatglm3', { method: { type: 'full' } }, { dtype, optimizer });
  });

  test(`generation and scoring in ${dtype} run`, async () => {
    for (const [architecture, quantization] of [
      ['glm-hf', null],
      ['chatglm3', 'nf4'],
    ] as const) {
      const options = { adapter: null, dtype, quantization };
      const model = await LanguageModel.load({ model: fixture(`models/${architecture}`), ...options });
      const ids = Array.from({ length: 20 }, (_, i) => 7 + i);
      await model.score(ids, null, 5);
      const sampling = {
        do_sample: false,
        temperature: 1,
        top_p: 1,
        top_k: 0,
        repetition_penalty: 1,
        max_new_tokens: 3,
        seed: 1,
      };
      await model.generate(ids, { sampling, stopIds: [] });
      await model.dispose();
    }
  });
}

after(() => {
  if (!process.env.GLMTUNE_UPDATE_KERNELS) return;
  const ops = new Set([...emitted.values()].map(({ op }) => op));
  const list = checked((status) => native().allKernels(status));
  writeFileSync(TABLE, `${JSON.stringify(decodeKernels(bufferContents(list), ops))}\n`);
});

test(
  'every operation has a kernel on GPUs, and keeps its values there',
  { skip: Boolean(process.env.GLMTUNE_UPDATE_KERNELS) },
  () => {
    const table = JSON.parse(readFileSync(TABLE, 'utf8')) as KernelTable;
    const describe = ({ op, types, where }: Emitted): string =>
      `${op} ${JSON.stringify(types)} as in ${where}`;
    const all = [...emitted.values()].filter(({ op }) => op !== 'PartitionedCall');
    const missing = all.filter(({ op, types }) => !kernelFor(table, op, types));
    assert.deepEqual(missing.map(describe), []);
    const onHost = all.filter(({ op, types }) => {
      const values = kernelFor(table, op, types)!.host.filter((name) => !SMALL.has(name));
      const isFew = FEW_ON_HOST.has(op) && Object.values(types).every((type) => type === 'int32');
      return values.length > 0 && !isFew;
    });
    assert.deepEqual(onHost.map(describe), []);
  },
);
