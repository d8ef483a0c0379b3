/** Every file of the reference fixtures is claimed by a test that reads it; nothing is skipped. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fixture, readJsonFixture } from './fixtures';

interface Claim {
  /** Which files: a path below the fixtures, `*` for any part of a name, `{a,b}` for either. */
  files: string;
  /** The test that compares with them, below `test/`. */
  test: string;
  /** What of their names the test's text, or that of a helper beside it, must say. */
  says: string;
}

const forward = 'parity/forward.test.ts';
const training = 'parity/training.test.ts';

const CLAIMS: Claim[] = [
  { files: 'golden/*/forward.{json,safetensors}', test: forward, says: '/forward.json' },
  { files: 'golden/*/half-checkpoint.{json,safetensors}', test: forward, says: '/half-checkpoint.json' },
  { files: 'golden/*/grads.{json,safetensors}', test: 'parity/gradients.test.ts', says: '/grads.json' },
  {
    files: 'golden/*/generate.{json,safetensors}',
    test: 'parity/generation.test.ts',
    says: '/generate.json',
  },
  ...[
    'train-full',
    'train-full-token-mean',
    'train-full-nodecay',
    'train-lora-attn',
    'train-lora-all',
    'train-qlora',
    'train-ptuning',
    'train-ptuning-projection',
    'train-prefix',
    'train-prefix-projection',
  ].map((run) => ({ files: `golden/*/${run}.{json,safetensors}`, test: training, says: `'${run}'` })),
  { files: 'variants/*/{config,cases}.json', test: forward, says: "'variants'" },
  { files: 'variants/*/{model,logits}.safetensors', test: forward, says: "'variants'" },
  { files: 'models/*/*', test: forward, says: '`models/' },
  { files: 'models/chatglm2-int4/*', test: 'parity/packed.test.ts', says: 'chatglm2-int4' },
  { files: 'quant/nf4/vectors.*', test: 'unit/checkpoint/nf4.test.ts', says: '/vectors.json' },
  { files: 'quant/nf4/*/nf4.json', test: 'unit/checkpoint/nf4.test.ts', says: '/nf4.json' },
  {
    files: 'quant/nf4/*/{packed,dequantized}.safetensors',
    test: 'unit/checkpoint/nf4.test.ts',
    says: '/packed.',
  },
  { files: 'quant/thudm/*', test: 'unit/checkpoint/packed.test.ts', says: 'quant/thudm/' },
  { files: 'data/*/batches.json', test: 'parity/gradients.test.ts', says: '/batches.json' },
  { files: 'data/chatglm-v1/train.jsonl', test: 'unit/tokenizer/chatglm.test.ts', says: '/train.jsonl' },
  { files: 'data/chatglm{2,3}/train.jsonl', test: 'unit/tokenizer/goldens.test.ts', says: '/train.jsonl' },
  { files: 'data/glm*/train.jsonl', test: 'unit/tokenizer/byteLevelGoldens.test.ts', says: '/train.jsonl' },
  { files: 'tokenizers/chatglm-v1*/*', test: 'unit/tokenizer/chatglm.test.ts', says: 'chatglm-v1-150528' },
  { files: 'tokenizers/chatglm{2,3}/*', test: 'unit/tokenizer/goldens.test.ts', says: '/goldens.json' },
  { files: 'tokenizers/glm*/*', test: 'unit/tokenizer/byteLevelGoldens.test.ts', says: '/goldens.json' },
  {
    files: 'tokenizers/sentencepiece-extra/*',
    test: 'unit/tokenizer/sentencepiece.test.ts',
    says: 'sentencepiece-extra/goldens.json',
  },
  { files: 'adapters/*/adapter_{config.json,model.safetensors}', test: training, says: 'adapter_model' },
  {
    files: 'adapters/*-train-lora-*/merged_changed.safetensors',
    test: 'parity/mergedAdapter.test.ts',
    says: 'merged_changed',
  },
];

/** A file and why no test reads it. */
const SKIPPED: Record<string, string> = {};

const FOLDERS = ['adapters', 'data', 'golden', 'models', 'quant', 'tokenizers', 'variants'];
const files = FOLDERS.flatMap((folder) =>
  readdirSync(fixture(folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(fixture('.'), path.join(entry.parentPath, entry.name))),
).sort();

function pattern(claim: string): RegExp {
  const source = claim
    .replace(/[.]/g, '\\.')
    .replace(/\{([^}]*)\}/g, (_, names: string) => `(?:${names.replaceAll(',', '|')})`)
    .replaceAll('*', '[^/]*');
  return new RegExp(`^${source}$`);
}

test('every file of the manifest is here, and no other', () => {
  const manifest = Object.keys(readJsonFixture<Record<string, unknown>>('MANIFEST.json'));
  const below = manifest.filter((file) => FOLDERS.includes(file.split('/')[0]));
  assert.deepEqual(files, below.sort());
});

test('every file is claimed by a test', () => {
  const patterns = CLAIMS.map((claim) => pattern(claim.files));
  const unclaimed = files.filter((file) => !patterns.some((regex) => regex.test(file)));
  assert.deepEqual(unclaimed, Object.keys(SKIPPED));
  const empty = CLAIMS.filter((_, i) => !files.some((file) => patterns[i].test(file)));
  assert.deepEqual(empty, []);
});

test('nothing is skipped', () => {
  assert.deepEqual(SKIPPED, {});
});

test('the tests that claim files name them', () => {
  const silent = CLAIMS.filter((claim) => !texts(path.resolve('test', claim.test)).includes(claim.says));
  assert.deepEqual(silent, []);
});

/** A test's text and that of what it imports from its own folder. */
function texts(file: string): string {
  assert.ok(existsSync(file), file);
  const text = readFileSync(file, 'utf8');
  const helpers = [...text.matchAll(/from '\.\/([\w-]+)'/g)].map(([, name]) =>
    path.join(path.dirname(file), `${name}.ts`),
  );
  return [text, ...helpers.map((helper) => readFileSync(helper, 'utf8'))].join('\n');
}
