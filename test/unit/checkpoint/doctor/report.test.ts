import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { checkTokenizer } from '../../../../src/checkpoint/doctor/checkTokenizer';
import { examineModel, type ExamineOptions } from '../../../../src/checkpoint/doctor/report';
import type { TokenizerFacts } from '../../../../src/checkpoint/doctor/tokens';
import { openWeights } from '../../../../src/checkpoint/checkpoint';
import { readConfig } from '../../../../src/checkpoint/config';
import { writeSafetensors } from '../../../../src/checkpoint/safetensorsWriter';
import type { TensorToWrite } from '../../../../src/checkpoint/types';
import type { FindingCode, ModelFinding } from '../../../../src/protocol/modelReport';
import { GlmError } from '../../../../src/protocol/errors';
import { describeThrown } from '../../../../src/text/errors';
import { describeFinding } from '../../../../src/text/modelFindings';
import { fixture } from '../../fixtures';
import { temporaryDirectory } from '../temporary';

type Json = Record<string, unknown>;

const english = (message: string, args: Record<string, string | number> = {}): string =>
  message.replace(/\{(\w+)\}/g, (_, key: string) => String(args[key]));

/** A copy of a fixture model whose tensors and JSON files were changed. */
function changed(
  context: TestContext,
  model: string,
  change: { tensors?: (tensors: TensorToWrite[]) => TensorToWrite[]; config?: Json; generation?: Json },
): string {
  const directory = temporaryDirectory(context);
  const source = fixture(`models/${model}`);
  const json = JSON.parse(fs.readFileSync(path.join(source, 'config.json'), 'utf8')) as Json;
  fs.writeFileSync(path.join(directory, 'config.json'), JSON.stringify({ ...json, ...change.config }));
  if (change.generation) {
    fs.writeFileSync(path.join(directory, 'generation_config.json'), JSON.stringify(change.generation));
  }
  const reader = openWeights(source);
  const tensors = [...reader.tensors.values()].map(({ name, dtype, shape, byteLength }): TensorToWrite => {
    const data = new Uint8Array(byteLength);
    reader.readInto(name, data);
    return { name, dtype, shape, data };
  });
  reader.close();
  writeSafetensors(path.join(directory, 'model.safetensors'), change.tensors?.(tensors) ?? tensors);
  return directory;
}

const without = (tensors: TensorToWrite[], name: string): TensorToWrite[] =>
  tensors.filter((tensor) => tensor.name !== name);
const zeros = (name: string, shape: number[]): TensorToWrite => ({
  name,
  dtype: 'F32',
  shape,
  data: new Uint8Array(4 * shape.reduce((product, size) => product * size, 1)),
});

async function findings(directory: string, options: Partial<ExamineOptions> = {}): Promise<ModelFinding[]> {
  return (await examineModel(directory, { tokenizer: null, ...options })).findings;
}

async function codes(directory: string, options: Partial<ExamineOptions> = {}): Promise<string[]> {
  return (await findings(directory, options)).map(({ severity, code }) => `${severity} ${code}`);
}

/** A tokenizer that fits the chatglm2 and chatglm3 fixtures. */
const chatGlm2Facts: TokenizerFacts = {
  tokens: 670,
  template: 'chatglm3',
  specialTokens: new Map([['<|user|>', 667]]),
  stopIds: [2, 667],
  piece: (id) => `piece ${id}`,
};

/** One that fits the chatglm-v1 fixture. */
const chatGlmFacts: TokenizerFacts = {
  ...chatGlm2Facts,
  tokens: 832,
  template: 'chatglm',
  specialTokens: new Map([
    ['[MASK]', 480],
    ['[gMASK]', 481],
    ['<sop>', 484],
    ['<eop>', 485],
    ['<pad>', 3],
  ]),
  stopIds: [485],
};

test('a report says what a model is and what each method would train', async () => {
  const report = await examineModel(fixture('models/chatglm2-fp16'), { tokenizer: chatGlm2Facts });
  assert.equal(report.ok, true);
  assert.deepEqual(report.model, {
    architecture: 'chatglm2',
    parameters: 120_304,
    layers: 2,
    hidden_size: 48,
    vocabulary_rows: 672,
    context_length: 256,
    quantization_bit: 0,
  });
  assert.deepEqual(report.weights, {
    format: 'torch',
    files: 1,
    bytes: 247_357,
    tensors: 18,
    dtype: 'F16',
    values_by_dtype: { F16: 120_304 },
  });
  assert.deepEqual(report.tokenizer, { tokens: 670, template: 'chatglm3' });
  assert.deepEqual(
    report.methods.map(({ method, trainable }) => [method, trainable]),
    [
      ['lora', 2816],
      ['lora', 12_288],
      ['ptuning_v2', 16_384],
      ['ptuning_v2', 28_848],
      ['full', 120_304],
    ],
  );
  assert.deepEqual(report.findings, [
    { severity: 'note', code: 'unusedRows', args: { tokens: 670, rows: 672 } },
  ]);
});

test('every fixture model is sound', async () => {
  for (const root of ['models', 'variants']) {
    for (const name of fs.readdirSync(fixture(root))) {
      const report = await examineModel(fixture(`${root}/${name}`), { tokenizer: null, readsValues: true });
      assert.ok(report.ok, `${name}: ${JSON.stringify(report.findings)}`);
    }
  }
});

test('quantised weights are read and not offered for full fine-tuning', async (context) => {
  const silent = changed(context, 'chatglm2-int4', { config: { quantization_bit: 0 } });
  for (const [directory, bits] of [
    [fixture('models/chatglm2-int4'), 4],
    [silent, 0],
  ] as const) {
    const report = await examineModel(directory, { tokenizer: null });
    assert.deepEqual([report.ok, report.model?.quantization_bit], [true, bits]);
    assert.ok(!report.methods.some(({ method }) => method === 'full'));
    assert.equal(report.methods.length, 4);
  }
});

test('a configuration that is wrong about quantisation is pointed out; the weights decide what can be trained', async (context) => {
  const silent = changed(context, 'chatglm2-int4', { config: { quantization_bit: 0 } });
  const boasting = changed(context, 'chatglm2', { config: { quantization_bit: 4 } });
  for (const [directory, configured, stored, methods] of [
    [silent, '0', 'I8', 4],
    [boasting, '4', 'F32', 5],
  ] as const) {
    const report = await examineModel(directory, { tokenizer: null });
    const notes = report.findings.filter(({ code }) => code === 'dtypeDiffers');
    const args = { key: 'quantization_bit', configured, stored };
    assert.deepEqual(notes, [{ severity: 'note', code: 'dtypeDiffers', args }]);
    assert.equal(report.methods.length, methods);
  }
  assert.ok(!(await codes(fixture('models/chatglm2-int4'))).includes('dtypeDiffers'));
});

const norm = 'transformer.encoder.final_layernorm.weight';
const output = 'transformer.output_layer.weight';
const query = 'transformer.encoder.layers.0.self_attention.query_key_value.weight';

test('tensors that are missing, misshapen, of another kind or too many are named', async (context) => {
  const directory = changed(context, 'chatglm2', {
    tensors: (tensors) => [
      ...without(without(without(tensors, norm), output), query),
      zeros(norm, [1, 48]),
      { ...zeros(query, [128, 48]), dtype: 'I32' },
      zeros('classifier.weight', [2, 48]),
    ],
  });
  const all = await findings(directory);
  const file = 'model.safetensors';
  assert.deepEqual(
    all.map((finding) => [finding.code, 'args' in finding ? finding.args : '']),
    [
      ['wrongDType', { tensor: query, file, found: 'I32', expected: '' }],
      ['wrongShape', { tensor: norm, file, found: '[1, 48]', expected: '[48]' }],
      ['missingTensor', { tensor: output, expected: '[672, 48]' }],
      ['extraTensor', { tensor: 'classifier.weight', file, found: '[2, 48]' }],
    ],
  );
  assert.match(describeFinding(english, all[1]).message, /final_layernorm.*\[1, 48\].*calls for \[48\]/);
});

test('a copy of a tied output layer is told from one that differs', async (context) => {
  assert.deepEqual(await codes(fixture('models/chatglm-v1')), ['note tiedCopy']);
  const directory = changed(context, 'chatglm-v1', {
    tensors: (tensors) => [...without(tensors, 'lm_head.weight'), zeros('lm_head.weight', [832, 48])],
  });
  assert.deepEqual(await codes(directory), ['warning tiedCopyDiffers']);
  const alone = changed(context, 'chatglm-v1', { tensors: (tensors) => without(tensors, 'lm_head.weight') });
  assert.deepEqual(await codes(alone), []);
});

test('a prefix inside a checkpoint is reported, one that is only announced as well', async (context) => {
  const table = zeros('transformer.prefix_encoder.embedding.weight', [16, 128]);
  const inside = changed(context, 'chatglm2', { tensors: (tensors) => [...tensors, table] });
  const [finding] = await findings(inside);
  assert.deepEqual(finding, { severity: 'note', code: 'prefixInside', args: { entries: 16 } });
  const announced = changed(context, 'chatglm2', { config: { pre_seq_len: 16 } });
  assert.deepEqual(await codes(announced), ['warning prefixMissing']);
});

test('mixed number formats are told apart from norms in another one', async (context) => {
  const wide = (tensor: TensorToWrite): TensorToWrite => zeros(tensor.name, tensor.shape);
  const widen = (matches: (tensor: TensorToWrite) => boolean) => (tensors: TensorToWrite[]) =>
    tensors.map((tensor) => (matches(tensor) ? wide(tensor) : tensor));
  const norms = changed(context, 'chatglm3-fp16', { tensors: widen(({ name }) => name.includes('norm')) });
  assert.deepEqual(await codes(norms), ['note mixedSmallDTypes']);
  const matrices = changed(context, 'chatglm3-fp16', { tensors: widen(({ name }) => name === query) });
  const [mixed] = await findings(matrices);
  assert.equal(mixed.code, 'mixedDTypes');
  assert.match(describeFinding(english, mixed).message, /F16 \(\d+\), F32 \(1\)/);
  const claimed = changed(context, 'chatglm3-fp16', { config: { torch_dtype: 'bfloat16' } });
  assert.deepEqual(await codes(claimed), ['note dtypeDiffers']);
});

test('values that are not finite are counted where they are asked for', async (context) => {
  for (const model of ['chatglm2', 'chatglm3-fp16', 'glm-hf-bf16']) {
    const directory = changed(context, model, {
      tensors: ([first, ...rest]) => {
        const data = first.data.slice();
        const size = first.dtype === 'F32' ? 4 : 2;
        // All ones in the exponent: two not-a-numbers.
        data.fill(0xff, size, 3 * size);
        return [{ ...first, data }, ...rest];
      },
    });
    assert.ok(!(await codes(directory)).includes('error nonFinite'));
    const seen: number[] = [];
    const all = await findings(directory, { readsValues: true, progress: (bytes) => seen.push(bytes) });
    const found = all.find(({ code }) => code === 'nonFinite');
    assert.ok(found?.code === 'nonFinite' && found.args.count === 2, model);
    assert.ok(seen.length > 10);
  }
});

test('ids outside the vocabulary, in either file, and files that disagree', async (context) => {
  const directory = changed(context, 'glm4-0414', {
    config: { eos_token_id: [656, 151_329], pad_token_id: 672 },
    generation: { eos_token_id: [656, 663], pad_token_id: 5 },
  });
  assert.deepEqual(
    (await findings(directory)).map((finding) => ('args' in finding ? finding.args : {})),
    [
      { file: 'config.json', key: 'eos_token_id', token: 151_329, rows: 672 },
      { file: 'config.json', key: 'pad_token_id', token: 672, rows: 672 },
      { key: 'eos_token_id', config: '656, 151329', generation: '656, 663' },
      { key: 'pad_token_id', config: '672', generation: '5' },
    ],
  );
});

test('one end token of config.json among several of generation_config.json is no difference', async (context) => {
  const directory = changed(context, 'chatglm3', { generation: { eos_token_id: [2, 600], pad_token_id: 0 } });
  assert.deepEqual(await codes(directory), []);
});

test('a configuration that contradicts itself', async (context) => {
  const directory = changed(context, 'chatglm2', { config: { num_hidden_layers: 40, vocab_size: 672 } });
  const [finding] = await findings(directory);
  assert.deepEqual(finding, {
    severity: 'warning',
    code: 'keysDisagree',
    args: { first: 'num_layers', firstValue: 2, second: 'num_hidden_layers', secondValue: 40 },
  });
});

const fitting: readonly [string, string, TokenizerFacts, string[]][] = [
  ['too many tokens', 'chatglm2', { ...chatGlm2Facts, tokens: 673 }, ['error vocabularyTooSmall']],
  ['far too few tokens', 'chatglm2', { ...chatGlm2Facts, tokens: 400 }, ['warning vocabularyTooLarge']],
  [
    'another end token',
    'chatglm2',
    { ...chatGlm2Facts, stopIds: [7], tokens: 672 },
    ['warning stopTokensDiffer'],
  ],
  [
    'the prompt format of another network',
    'chatglm2',
    { ...chatGlm2Facts, template: 'chatglm', tokens: 672 },
    ['error templateFamily'],
  ],
  ['a fitting tokenizer', 'chatglm-v1', chatGlmFacts, []],
  [
    'a <sop> elsewhere',
    'chatglm-v1',
    { ...chatGlmFacts, specialTokens: new Map([...chatGlmFacts.specialTokens, ['<sop>', 490]]) },
    ['error tokenDiffers'],
  ],
  [
    'a <pad> elsewhere',
    'chatglm-v1',
    { ...chatGlmFacts, specialTokens: new Map([...chatGlmFacts.specialTokens, ['<pad>', 490]]) },
    ['warning tokenDiffers'],
  ],
];

for (const [name, model, facts, expected] of fitting) {
  test(`tokenizer: ${name}`, async () => {
    const all = await codes(fixture(`models/${model}`), { tokenizer: facts });
    assert.deepEqual(
      all.filter((code) => code !== 'note tiedCopy'),
      expected,
    );
  });
}

test('tokens that tokenizer_config.json names are looked up', async (context) => {
  const directory = changed(context, 'glm-hf', {});
  const tokenizerConfig = { eos_token: { content: '<|endoftext|>' }, pad_token: '<|pad|>' };
  fs.writeFileSync(path.join(directory, 'tokenizer_config.json'), JSON.stringify(tokenizerConfig));
  const facts: TokenizerFacts = {
    ...chatGlm2Facts,
    tokens: 672,
    template: 'jinja',
    specialTokens: new Map([
      ['<|endoftext|>', 656],
      ['<|pad|>', 9],
    ]),
    stopIds: [656],
  };
  const [finding, ...rest] = await findings(directory, { tokenizer: facts });
  assert.deepEqual(rest, []);
  assert.deepEqual(finding, {
    severity: 'warning',
    code: 'tokenDiffers',
    args: { key: 'pad_token_id', found: '656 "piece 656"', expected: '9 "piece 9"' },
  });
});

test('before a run, what is wrong is thrown and what is odd is returned', () => {
  const directory = fixture('models/chatglm2');
  const config = readConfig(directory);
  const odd = checkTokenizer(directory, config, { ...chatGlm2Facts, stopIds: [7] });
  assert.deepEqual(
    odd.map(({ code }) => code),
    ['stopTokensDiffer'],
  );
  const wrong = { ...chatGlm2Facts, template: 'chatglm', tokens: 700 };
  try {
    checkTokenizer(directory, config, wrong);
    assert.fail('accepted');
  } catch (error) {
    assert.ok(error instanceof GlmError);
    const { message, remedy } = describeThrown(english, error);
    assert.match(message, /do not belong together:\n.*700 tokens.*\n.*prompt format chatglm /);
    assert.match(remedy, /tokenizer's files/);
  }
});

test('missing shards are all named; what cannot be read becomes a finding', async (context) => {
  const directory = temporaryDirectory(context);
  fs.cpSync(fixture('models/chatglm3'), directory, { recursive: true });
  for (const shard of ['1', '3']) fs.rmSync(path.join(directory, `model-0000${shard}-of-00003.safetensors`));
  assert.deepEqual(await codes(directory), ['error missingShard', 'error missingShard']);
  fs.rmSync(path.join(directory, 'model.safetensors.index.json'));
  const [failed] = await findings(directory);
  assert.ok(failed.code === 'failed' && failed.error.code === 'checkpoint.noWeights');
  fs.rmSync(path.join(directory, 'config.json'));
  assert.deepEqual(await codes(directory), ['error failed']);
  assert.deepEqual(await codes(path.join(directory, 'nowhere')), ['error failed']);
});

/** One finding of each code, so that a missing sentence or translation shows. */
const samples: Record<FindingCode, Record<string, string | number>> = {
  missingShard: { shard: 'a', index: 'b' },
  missingTensor: { tensor: 'a', expected: '[1]' },
  wrongShape: { tensor: 'a', file: 'f', found: '[1]', expected: '[2]' },
  wrongDType: { tensor: 'a', file: 'f', found: 'I8', expected: 'F16' },
  extraTensor: { tensor: 'a', file: 'f', found: '[1]' },
  mixedDTypes: { formats: 'F16 (1)' },
  mixedSmallDTypes: { formats: 'F16 (1)' },
  dtypeDiffers: { key: 'dtype', configured: 'float16', stored: 'F32' },
  tiedCopy: { tensor: 'a', parameter: 'b' },
  tiedCopyDiffers: { tensor: 'a', parameter: 'b' },
  prefixInside: { entries: 1 },
  prefixMissing: { entries: 1 },
  nonFinite: { tensor: 'a', count: 1 },
  tokenOutside: { file: 'f', key: 'k', token: 9, rows: 8 },
  keysDisagree: { first: 'a', firstValue: 1, second: 'b', secondValue: 2 },
  generationDiffers: { key: 'k', generation: '1', config: '2' },
  vocabularyTooSmall: { tokens: 9, rows: 8 },
  vocabularyTooLarge: { tokens: 1, rows: 8 },
  unusedRows: { tokens: 7, rows: 8 },
  tokenDiffers: { key: 'k', found: '1', expected: '2' },
  stopTokensDiffer: { found: '1', expected: '2' },
  templateFamily: { template: 'a', usable: 'b' },
};

test('every finding has a sentence, in Chinese too, that uses all it is given', () => {
  const chinese = Object.assign(
    {},
    ...fs
      .readdirSync('l10n/parts')
      .filter((name) => name.endsWith('.zh-cn.json'))
      .map((name) => JSON.parse(fs.readFileSync(path.join('l10n/parts', name), 'utf8')) as object),
  ) as Record<string, string>;
  for (const [code, args] of Object.entries(samples)) {
    const said: string[] = [];
    const translate = (message: string, given: Record<string, string | number> = {}): string => {
      assert.ok(chinese[message], `${code}: "${message}" has no Chinese`);
      const places = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
      // A sentence may say a value twice in one language.
      assert.deepEqual([...new Set(places(chinese[message]))], [...new Set(places(message))], message);
      said.push(message);
      return english(message, given);
    };
    const finding = { severity: 'error', code, args } as unknown as ModelFinding;
    const { message } = describeFinding(translate, finding);
    assert.ok(said.length > 0 && !message.includes('undefined'), message);
    for (const value of Object.values(args))
      assert.ok(message.includes(String(value)), `${code}: ${message}`);
  }
});
