/** THUDM's quantised checkpoints, loaded as they are: logits and loss of the reference's own quantised model. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { before, test } from 'node:test';
import { openWeights } from '../../src/checkpoint/checkpoint';
import { nf4Tensors } from '../../src/checkpoint/packed/bitsandbytes';
import { packNf4From } from '../../src/checkpoint/packed/nf4';
import { writeSafetensors } from '../../src/checkpoint/safetensorsWriter';
import type { TensorReader, TensorToWrite } from '../../src/checkpoint/types';
import { LanguageModel } from '../../src/engine/infer/languageModel';
import { loadModel } from '../../src/engine/loadModel';
import { openSafetensors } from '../../src/checkpoint/safetensors';
import { fixture } from '../unit/fixtures';
import { openTestEngine } from './engine';
import { logSoftmax, maxDifference, readGolden, readGoldenJson, type ForwardCase } from './golden';

const LOGITS = 5e-5;
const LOSS = 5e-6;

before(openTestEngine);

interface Quantised {
  bits: number;
  source: string;
  names: string[];
  logits: string;
  logits_at: [number, number][];
  loss: number;
}

function tensorOf(reader: TensorReader, name: string): TensorToWrite {
  const { dtype, shape, byteLength } = reader.tensors.get(name)!;
  const data = new Uint8Array(byteLength);
  reader.readInto(name, data);
  return { name, dtype, shape, data };
}

/** A checkpoint made of a float16 one and the codes that stand for some of its weights. */
function assemble(
  directory: string,
  model: string,
  changes: object,
  replaced: Map<string, TensorToWrite[]>,
): void {
  const source = openWeights(fixture(model));
  const tensors = [...source.tensors.keys()].flatMap(
    (name) => replaced.get(name) ?? [tensorOf(source, name)],
  );
  source.close();
  writeSafetensors(path.join(directory, 'model.safetensors'), tensors);
  const config = JSON.parse(readFileSync(fixture(`${model}/config.json`), 'utf8')) as object;
  writeFileSync(path.join(directory, 'config.json'), JSON.stringify({ ...config, ...changes }));
}

async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'glmtune-parity-'));
  try {
    await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

for (const name of ['chatglm-v1-int4', 'chatglm-v1-int8', 'chatglm2-int4', 'chatglm2-int8', 'chatglm3-int4'])
  test(`${name}: logits and loss`, () =>
    withDirectory(async (directory) => {
      const golden = readGoldenJson<Quantised>(`quant/thudm/${name}.json`);
      // One of them is there as THUDM saves it; the codes of the others lie beside the golden data.
      if (name === 'chatglm2-int4')
        for (const file of ['config.json', 'pytorch_model.bin'])
          copyFileSync(fixture(`models/chatglm2-int4/${file}`), path.join(directory, file));
      else {
        const codes = openSafetensors([fixture(`quant/thudm/${name}.safetensors`)]);
        const parts = golden.names.map((weight): [string, TensorToWrite[]] => [
          weight,
          [tensorOf(codes, weight), tensorOf(codes, `${weight}_scale`)],
        ]);
        codes.close();
        assemble(directory, golden.source, { quantization_bit: golden.bits }, new Map(parts));
      }
      const model = await LanguageModel.load({ model: directory, adapter: null, dtype: 'float32' });
      const architecture = name.replace(/-int[48]$/, '');
      const [single] = readGoldenJson<{ batches: ForwardCase[] }>(
        `golden/${architecture}/forward.json`,
      ).batches;
      const score = await model.score(single.input_ids[0], single.labels![0], model.vocabSize);
      assert.ok(Math.abs(score.loss - golden.loss) < LOSS, `${score.loss} / ${golden.loss}`);
      const expected = readGolden('quant/thudm', golden.logits);
      golden.logits_at.forEach(([, column], i) => {
        const wanted = logSoftmax(expected.subarray(i * model.vocabSize, (i + 1) * model.vocabSize));
        const found = new Float64Array(model.vocabSize);
        for (const [id, value] of score.top_logprobs![column]) found[id] = value;
        const difference = maxDifference(found, wanted);
        assert.ok(difference < LOGITS, `column ${column}: ${difference}`);
      });
      await model.dispose();
    }));

test('a checkpoint that transformers saved in 4 bits gives what packing its source gives', () =>
  withDirectory(async (directory) => {
    const source = openWeights(fixture('models/chatglm3-fp16'));
    const linear = [...source.tensors.values()].filter(
      ({ name, shape }) => shape.length === 2 && name.includes('.layers.'),
    );
    const parts = linear.map(({ name }): [string, TensorToWrite[]] => [
      name,
      nf4Tensors(name, packNf4From(source, name, true)),
    ]);
    source.close();
    assemble(
      directory,
      'models/chatglm3-fp16',
      { quantization_config: { load_in_4bit: true } },
      new Map(parts),
    );
    const quantization = { type: 'nf4', double_quant: true } as const;
    const options = { dtype: 'float32', trainable: false } as const;
    const stored = await loadModel({ ...options, directory });
    const packed = await loadModel({ ...options, directory: fixture('models/chatglm3-fp16'), quantization });
    assert.equal(stored.packed.size, 12);
    assert.deepEqual([...stored.packed.keys()], [...packed.packed.keys()]);
    for (const name of stored.packed.keys()) {
      const [found, right] = await Promise.all(
        [stored, packed].map(async (resident) => {
          const program = resident.session.compile((graph) => ({
            inputs: [],
            outputs: [resident.packed.get(name)!.weight(graph, 'float32').dense(graph)],
            effects: [],
          }));
          return (await program.run([]))[0];
        }),
      );
      assert.deepEqual(found, right);
    }
    await stored.close();
    await packed.close();
  }));

test('NF4 is not made of integers', async () => {
  const load = LanguageModel.load({
    model: fixture('models/chatglm2-int4'),
    adapter: null,
    dtype: 'float32',
    quantization: 'nf4',
  });
  await assert.rejects(load, { code: 'engine.alreadyQuantised' });
});
