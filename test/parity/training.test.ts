/**
 * Training trajectories of the reference (torch AdamW, PEFT), reproduced from a run file alone: 20 steps of two micro-batches of two
 * rows, warm-up and cosine, clipping. Tolerances: fixtures' README, section 5.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { before, test } from 'node:test';
import { openAdapter } from '../../src/checkpoint/adapter';
import { openWeights } from '../../src/checkpoint/checkpoint';
import { openSafetensors } from '../../src/checkpoint/safetensors';
import { LanguageModel } from '../../src/engine/infer/languageModel';
import { fixture } from '../unit/fixtures';
import { openTestEngine } from './engine';
import { readGoldenJson } from './golden';
import {
  assertClose,
  compareBefore,
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

const CHATGLM = ['chatglm-v1', 'chatglm2', 'chatglm3'];
const HUGGING_FACE = ['glm-hf', 'glm4-0414'];
const ALL = [...CHATGLM, 'glm4-9b', ...HUGGING_FACE];

before(openTestEngine);

for (const architecture of ALL)
  for (const name of ['train-lora-attn', 'train-lora-all', 'train-qlora'])
    test(`${architecture} ${name}`, async () => {
      const directory = temporary();
      const golden = readGoldenJson<Trajectory>(`golden/${architecture}/${name}.json`);
      const adapter = writeInitialAdapter(directory, architecture, name, golden);
      const quantization = name === 'train-qlora' ? { type: 'nf4' } : null;
      const run = runFile(architecture, directory, golden.peak_lr, {
        adapter,
        method: { type: 'lora' },
        quantization,
      });
      compareSteps(await runTraining(run, directory), golden);
      const tuned = path.join(directory, 'adapter');
      const ours = openSafetensors([path.join(tuned, 'adapter_model.safetensors')]);
      compareFinal(ours, golden, architecture, (key) => key.replace('.default', ''));
      if (!quantization) {
        // PEFT wrote the same adapter after the same run.
        const theirs = openSafetensors([
          fixture(`adapters/${architecture}-${name}/adapter_model.safetensors`),
        ]);
        assert.deepEqual([...ours.tensors.keys()].sort(), [...theirs.tensors.keys()].sort());
        for (const key of theirs.tensors.keys())
          assertClose([...ours.readFloat32(key)], [...theirs.readFloat32(key)], 5e-5, key);
        theirs.close();
      }
      ours.close();
      await compareLogits(architecture, golden, tuned, run.model, quantization ? 'nf4' : null);
    });

const prefixRuns = [
  ...CHATGLM.flatMap((architecture) => [
    [architecture, 'train-ptuning'],
    [architecture, 'train-ptuning-projection'],
  ]),
  ...HUGGING_FACE.flatMap((architecture) => [
    [architecture, 'train-prefix'],
    [architecture, 'train-prefix-projection'],
  ]),
];

for (const [architecture, name] of prefixRuns)
  test(`${architecture} ${name}`, async () => {
    const directory = temporary();
    const golden = readGoldenJson<Trajectory>(`golden/${architecture}/${name}.json`);
    const adapter = writeInitialPrefix(directory, architecture, name, golden);
    const method = { type: 'ptuning_v2' };
    const run = runFile(architecture, directory, golden.peak_lr, { adapter, method });
    await compareBefore(architecture, golden, adapter, run.model);
    compareSteps(await runTraining(run, directory), golden);
    const tuned = path.join(directory, 'adapter');
    const files = openAdapter(tuned);
    compareFinal(files.reader, golden, architecture, (key) => key);
    files.reader.close();
    await compareLogits(architecture, golden, tuned, run.model);
    const { greedy_after: greedy } = golden;
    if (!greedy) return;
    const model = await LanguageModel.load({ model: run.model, adapter: tuned, dtype: 'float32' });
    const { outputIds } = await model.generate(greedy.prompt, {
      sampling: {
        do_sample: false,
        temperature: 1,
        top_k: 0,
        top_p: 1,
        repetition_penalty: 1,
        max_new_tokens: greedy.tokens.length,
        seed: 0,
      },
      stopIds: [],
    });
    assert.deepEqual(outputIds, greedy.tokens);
    await model.dispose();
  });

const recomputed: [string, string, object][] = [
  ['chatglm3', 'train-lora-all', {}],
  ['chatglm-v1', 'train-ptuning', {}],
  ['glm4-0414', 'train-qlora', { quantization: { type: 'nf4' } }],
];

for (const [architecture, name, extra] of recomputed)
  test(`${architecture} ${name}: recomputing the blocks gives the same trajectory`, async () => {
    const directory = temporary();
    const golden = readGoldenJson<Trajectory>(`golden/${architecture}/${name}.json`);
    const prefix = name.startsWith('train-ptuning');
    const write = prefix ? writeInitialPrefix : writeInitialAdapter;
    const run = runFile(architecture, directory, golden.peak_lr, {
      adapter: write(directory, architecture, name, golden),
      method: { type: prefix ? 'ptuning_v2' : 'lora' },
      training: { gradient_checkpointing: true },
      ...extra,
    });
    compareSteps(await runTraining(run, directory), golden);
  });

const fullRuns: [string, string, object][] = [
  ...ALL.map((architecture): [string, string, object] => [architecture, 'train-full', {}]),
  ...['chatglm2', 'glm-hf'].flatMap((architecture): [string, string, object][] => [
    [architecture, 'train-full-token-mean', { training: { accumulation_mean: 'tokens' } }],
    [architecture, 'train-full-nodecay', { training: { weight_decay_on: 'matrices' } }],
  ]),
];

for (const [architecture, name, extra] of fullRuns)
  test(`${architecture} ${name}`, async () => {
    const directory = temporary();
    const golden = readGoldenJson<Trajectory>(`golden/${architecture}/${name}.json`);
    const run = runFile(architecture, directory, golden.peak_lr, { method: { type: 'full' }, ...extra });
    compareSteps(await runTraining(run, directory), golden);
    const tuned = path.join(directory, 'model');
    const weights = openWeights(tuned);
    compareFinal(weights, golden, architecture, (key) => key);
    weights.close();
    await compareLogits(architecture, golden, null, tuned);
  });
