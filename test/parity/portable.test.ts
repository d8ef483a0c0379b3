/**
 * The portable engine against the reference, at the tolerances of the library: logits, greedy tokens and training trajectories of every
 * family. This process never loads libtensorflow.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { parseConfig } from '../../src/checkpoint/config';
import { openAdapter } from '../../src/checkpoint/adapter';
import { openWeights } from '../../src/checkpoint/checkpoint';
import { backend } from '../../src/engine/backend/backend';
import { LanguageModel } from '../../src/engine/infer/languageModel';
import { portableBytes, requireHeap } from '../../src/engine/portableLimit';
import { engineReport } from '../../src/engine/report';
import { train } from '../../src/engine/train/trainer';
import type { SamplingSettings } from '../../src/protocol/control';
import type { RunEvent } from '../../src/protocol/events';
import { fixture, readJsonFixture } from '../unit/fixtures';
import { ARCHITECTURES } from './architectures';
import { openPortableTestEngine } from './engine';
import { compareCase, forwardCases } from './forwardCases';
import { readGoldenJson } from './golden';
import {
  compareFinal,
  compareLogits,
  compareSteps,
  runFile,
  runTraining,
  temporary,
  writeInitialAdapter,
  writeInitialPrefix,
  type Trajectory,
} from './trajectory';

const GREEDY: SamplingSettings = {
  do_sample: false,
  temperature: 1,
  top_p: 1,
  top_k: 0,
  repetition_penalty: 1,
  max_new_tokens: 24,
  seed: 0,
};

before(openPortableTestEngine);

after(() => {
  const maps = '/proc/self/maps';
  if (existsSync(maps)) assert.doesNotMatch(readFileSync(maps, 'utf8'), /libtensorflow|koffi/);
});

for (const architecture of ARCHITECTURES)
  test(`${architecture}: logits of every batch, and greedy tokens`, async () => {
    const model = await LanguageModel.load({
      model: fixture(`models/${architecture}`),
      adapter: null,
      dtype: 'float32',
    });
    for (const item of forwardCases(architecture)) await compareCase(model, `golden/${architecture}`, item);
    const { prompt, tokens } = readGoldenJson<{ prompt: number[]; tokens: number[] }>(
      `golden/${architecture}/generate.json`,
    );
    const { outputIds } = await model.generate(prompt, { sampling: GREEDY, stopIds: [] });
    assert.deepEqual(outputIds, tokens);
    await model.dispose();
  });

for (const [architecture, name] of [
  ['chatglm-v1', 'train-lora-attn'],
  ['chatglm3', 'train-lora-all'],
  ['chatglm2', 'train-qlora'],
  ['glm4-9b', 'train-lora-attn'],
  ['glm-hf', 'train-lora-all'],
  ['glm4-0414', 'train-lora-attn'],
])
  test(`${architecture} ${name}`, async () => {
    const directory = temporary();
    const golden = readGoldenJson<Trajectory>(`golden/${architecture}/${name}.json`);
    const quantization = name === 'train-qlora' ? { type: 'nf4' } : null;
    const run = runFile(architecture, directory, golden.peak_lr, {
      adapter: writeInitialAdapter(directory, architecture, name, golden),
      method: { type: 'lora' },
      quantization,
    });
    compareSteps(await runTraining(run, directory), golden);
    const tuned = path.join(directory, 'adapter');
    await compareLogits(architecture, golden, tuned, run.model, quantization && 'nf4');
  });

for (const [architecture, name] of [
  ['chatglm-v1', 'train-ptuning'],
  ['chatglm2', 'train-ptuning-projection'],
  ['chatglm3', 'train-ptuning'],
  ['glm-hf', 'train-prefix-projection'],
])
  test(`${architecture} ${name}`, async () => {
    const directory = temporary();
    const golden = readGoldenJson<Trajectory>(`golden/${architecture}/${name}.json`);
    const run = runFile(architecture, directory, golden.peak_lr, {
      adapter: writeInitialPrefix(directory, architecture, name, golden),
      method: { type: 'ptuning_v2' },
    });
    compareSteps(await runTraining(run, directory), golden);
    const tuned = path.join(directory, 'adapter');
    const { reader } = openAdapter(tuned);
    compareFinal(reader, golden, architecture, (key) => key);
    reader.close();
    await compareLogits(architecture, golden, tuned, run.model);
  });

for (const architecture of ['chatglm-v1', 'chatglm2', 'chatglm3', 'glm-hf'])
  test(`${architecture} train-full`, async () => {
    const directory = temporary();
    const golden = readGoldenJson<Trajectory>(`golden/${architecture}/train-full.json`);
    const run = runFile(architecture, directory, golden.peak_lr, { method: { type: 'full' } });
    compareSteps(await runTraining(run, directory), golden);
    const tuned = path.join(directory, 'model');
    const weights = openWeights(tuned);
    compareFinal(weights, golden, architecture, (key) => key);
    weights.close();
    await compareLogits(architecture, golden, null, tuned);
  });

test('a run says what computes it, and in which format', async () => {
  const directory = temporary();
  const golden = readGoldenJson<Trajectory>('golden/chatglm3/train-lora-attn.json');
  const run = runFile('chatglm3', directory, golden.peak_lr, {
    adapter: writeInitialAdapter(directory, 'chatglm3', 'train-lora-attn', golden),
    method: { type: 'lora' },
    training: { dtype: 'bfloat16', max_steps: 1 },
  });
  const events: RunEvent[] = [];
  const emit = (event: RunEvent): void => void events.push(event);
  await train({
    run,
    runDirectory: directory,
    resumeFrom: null,
    versions: {},
    emit,
    stopRequested: () => 'no',
  });
  const started = events.find((event) => event.type === 'started');
  assert.deepEqual([started?.device, started?.dtype], ['WebAssembly', 'float32']);
  const warnings = events.filter((event) => event.type === 'warning');
  assert.ok(warnings.some(({ code }) => code === 'portableEngine'));
  assert.deepEqual(warnings.find(({ code }) => code === 'dtypeReplaced')?.args, {
    dtype: 'bfloat16',
    used: 'float32',
  });
});

test('the event loop turns while a program runs', async () => {
  const session = backend().openSession();
  const program = session.compile((graph) => {
    const x = graph.placeholder([256, 256], 'float32');
    let y = graph.matMul(x, x);
    for (let i = 0; i < 200; i++) y = graph.matMul(y, x);
    return { inputs: [x], outputs: [graph.sum(y, [0, 1])], effects: [] };
  });
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await program.run([new Float32Array(256 * 256)]);
  clearInterval(timer);
  assert.ok(turns > 2, `${turns} turns`);
  await session.close();
});

test('what a program took is given back', async () => {
  const used = (): number => backend().memory()!.used;
  const before = used();
  const session = backend().openSession();
  const total = { name: 'total', shape: [64], dtype: 'float32' } as const;
  await session.assign(total, 'float32', new Float32Array(64));
  const program = session.compile((graph) => {
    const x = graph.placeholder([64], 'float32');
    const scaled = graph.mul(graph.exp(x), graph.scalar(2, 'float32'));
    const added = graph.assignAdd(total, scaled);
    return { inputs: [x], outputs: [graph.read(total, [added])], effects: [] };
  });
  const run = () => program.run([new Float32Array(64)]);
  await run();
  const once = used();
  const [values] = await run();
  assert.equal(values[0], 4);
  assert.equal(used(), once);
  await assert.rejects(program.run([new Float32Array(63)]), { code: 'engine.runFailed' });
  assert.equal(used(), once);
  await session.close();
  assert.equal(used(), before);
});

test('a model that its memory cannot hold is refused by its size', () => {
  const config = parseConfig(
    {
      ...readJsonFixture<object>('models/chatglm3/config.json'),
      num_layers: 28,
      hidden_size: 4096,
      ffn_hidden_size: 13696,
      kv_channels: 128,
      num_attention_heads: 32,
      padded_vocab_size: 65024,
    },
    'chatglm3-6b',
  );
  const bytes = portableBytes(config, new Set());
  assert.ok(bytes > 24e9 && bytes < 26e9);
  assert.throws(() => requireHeap('chatglm3-6b', bytes), { code: 'engine.portableTooLarge' });
  requireHeap('small', 1e9);
});

test('its self-test agrees with plain JavaScript', async () => {
  const report = await engineReport();
  assert.ok(report.selfTest.ok, `largest difference ${report.selfTest.maxDifference}`);
  assert.match(report.tfjs, /^wasm 4\.22/);
  assert.deepEqual(report.devices, ['WebAssembly']);
  assert.equal(report.libtensorflow, null);
});
