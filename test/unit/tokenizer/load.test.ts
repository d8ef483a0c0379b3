import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { GlmError, type ErrorCode } from '../../../src/protocol/errors';
import { describeThrown } from '../../../src/text/errors';
import { loadTokenizer } from '../../../src/tokenizer';
import { parseSentencePieceModel, type SentencePieceModel } from '../../../src/tokenizer/sentencepiece/model';
import { SentencePieceProcessor } from '../../../src/tokenizer/sentencepiece/processor';
import { WireWriter } from '../../../src/tokenizer/sentencepiece/wireWriter';
import { writeSentencePieceModel } from '../../../src/tokenizer/training';
import { fixture } from '../fixtures';

const root = mkdtempSync(path.join(tmpdir(), 'glmtune-tokenizer-'));
after(() => rmSync(root, { recursive: true, force: true }));

const original = readFileSync(fixture('tokenizers/chatglm3/tokenizer.model'));
let count = 0;

/** A model directory with the given files beside the ChatGLM3 fixture's model. */
function directory(files: Record<string, string | Uint8Array>): string {
  const folder = path.join(root, String(count++));
  mkdirSync(folder);
  copyFileSync(fixture('tokenizers/chatglm3/tokenizer.model'), path.join(folder, 'tokenizer.model'));
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(folder, name), content);
  return folder;
}

async function refusal(folder: string, code: ErrorCode, vocabSize = 672): Promise<GlmError> {
  try {
    await loadTokenizer(folder, { vocabSize });
  } catch (error) {
    assert.ok(error instanceof GlmError, String(error));
    assert.equal(error.code, code);
    const { message, remedy } = describeThrown((text) => text, error);
    assert.ok(message && remedy);
    return error;
  }
  throw new assert.AssertionError({ message: `${folder} was accepted` });
}

describe('Which prompt format', () => {
  const cases: [string, Record<string, string>, string][] = [
    ['ChatGLM3 if nothing tells', {}, 'chatglm3'],
    ['the key of our own models', { 'tokenizer_config.json': '{"chat_template_id":"chatglm2"}' }, 'chatglm2'],
    [
      'the key before everything else',
      {
        'tokenizer_config.json': '{"chat_template_id":"chatglm3","name_or_path":"THUDM/chatglm2-6b"}',
        'tokenization_chatglm.py': 'x',
      },
      'chatglm3',
    ],
    ['the name of ChatGLM2', { 'config.json': '{"_name_or_path":"THUDM/chatglm2-6b"}' }, 'chatglm2'],
    [
      'the name of ChatGLM3',
      { 'config.json': '{"_name_or_path":"THUDM/chatglm3-6b","seq_length":32768}' },
      'chatglm3',
    ],
    ['the context length of ChatGLM2', { 'config.json': '{"seq_length":32768}' }, 'chatglm2'],
    ['the context length of ChatGLM3', { 'config.json': '{"seq_length":8192}' }, 'chatglm3'],
    ['ChatGLM3-6B-32k', { 'config.json': '{"seq_length":32768,"rope_ratio":50}' }, 'chatglm3'],
    [
      'code that knows roles',
      { 'tokenization_chatglm.py': '["<|user|>"]', 'config.json': '{"seq_length":32768}' },
      'chatglm3',
    ],
    ['code that does not', { 'tokenization_chatglm.py': '["sop"]' }, 'chatglm2'],
  ];
  for (const [name, files, expected] of cases) {
    it(`${name}: ${expected}`, async () => {
      const { templateId, tokenizer } = await loadTokenizer(directory(files), { vocabSize: 672 });
      assert.equal(templateId, expected);
      assert.equal(tokenizer.specialTokens.has('<|user|>'), expected === 'chatglm3');
    });
  }

  it('lets the caller decide', async () => {
    const folder = directory({ 'tokenizer_config.json': '{"chat_template_id":"chatglm2"}' });
    const bundle = await loadTokenizer(folder, { vocabSize: 672, template: 'chatglm3' });
    assert.equal(bundle.templateId, 'chatglm3');
  });
});

describe('Files that cannot be used', () => {
  it('are refused with a reason', async () => {
    const refuse = (content: string | Uint8Array, code: ErrorCode): Promise<GlmError> =>
      refusal(directory({ 'tokenizer.model': content }), code);
    await refusal(path.join(root, 'nowhere'), 'tokenizer.notFound');
    await refuse(
      'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n',
      'tokenizer.gitLfsPointer',
    );
    await refuse('IQ== 0\nIg== 1\n', 'tokenizer.invalidRanks');
    await refuse('', 'tokenizer.invalidModel');
    await refuse('<html>Not found</html>', 'tokenizer.invalidModel');
    await refusal(directory({ 'tokenizer_config.json': '{' }), 'tokenizer.invalidConfig');
    await refusal(directory({ 'tokenizer_config.json': '[]' }), 'tokenizer.invalidConfig');
    await refusal(directory({ 'config.json': 'null' }), 'tokenizer.invalidConfig');
    await refusal(
      directory({ 'tokenizer_config.json': '{"chat_template_id":"x"}' }),
      'tokenizer.unknownTemplate',
    );
    const error = await refusal(directory({}), 'tokenizer.exceedsVocabulary', 648);
    assert.deepEqual({ ...error.args, path: '' }, { path: '', tokens: 649, rows: 648 });
  });

  it('a directory in place of the model counts as missing', async () => {
    const folder = path.join(root, 'folder');
    mkdirSync(path.join(folder, 'tokenizer.model'), { recursive: true });
    await refusal(folder, 'tokenizer.notFound');
  });
});

describe('Hostile model files', () => {
  const parse = (bytes: Uint8Array): SentencePieceProcessor =>
    new SentencePieceProcessor(parseSentencePieceModel(bytes, 'x'), 'x');
  const isInvalid = (error: unknown): boolean =>
    error instanceof GlmError && error.code === 'tokenizer.invalidModel';

  it('cut anywhere, they never pass for the whole and never throw anything else', () => {
    for (let length = 0; length < original.length; length += 61) {
      try {
        assert.ok(parse(original.subarray(0, length)).vocabulary.size <= 640);
      } catch (error) {
        assert.ok(isInvalid(error), `${length}: ${String(error)}`);
      }
    }
  });

  it('with bytes changed, they load or are refused, and still encode in finite time', () => {
    // A small linear congruential generator keeps the damage the same in every run.
    let state = 12345;
    const random = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const charsmap = readFileSync(fixture('tokenizers/chatglm-v1/ice_text.model'));
    let loaded = 0;
    for (const model of [original, charsmap]) {
      for (let round = 0; round < 60; round++) {
        const bytes = Uint8Array.from(model);
        for (let change = 0; change < 3; change++) bytes[random(bytes.length)] = random(256);
        try {
          const processor = parse(bytes);
          processor.decode(processor.encode('Hello，你好 ＡＢＣ①ﬁ\n😀 '));
          loaded++;
        } catch (error) {
          assert.ok(isInvalid(error), String(error));
        }
      }
    }
    assert.ok(loaded > 0);
  });

  const cases: [string, Uint8Array][] = [
    ['a length beyond the file', Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f)],
    ['a length of 2^63', Uint8Array.of(0x0a, ...Array<number>(8).fill(0xff), 0x7f)],
    ['an endless varint', new Uint8Array(32).fill(0xff)],
    ['nested groups', new Uint8Array(1000).fill(0x0b)],
    ['field number 0', Uint8Array.of(0x02, 0x00)],
    ['an unknown wire type', Uint8Array.of(0x0f)],
    ['a model type nobody uses', new WireWriter().bytes(2, new WireWriter().varint(3, 4).finish()).finish()],
  ];
  for (const [name, bytes] of cases) {
    it(`${name} is refused`, () => assert.throws(() => parse(bytes), isInvalid));
  }

  const change = (edit: (model: SentencePieceModel) => void): Uint8Array => {
    const model = parseSentencePieceModel(original, 'x');
    edit(model);
    return writeSentencePieceModel(model);
  };
  const edits: [string, (model: SentencePieceModel) => void][] = [
    ['no pieces', (model) => (model.pieces = [])],
    ['a piece twice', (model) => (model.pieces[300].text = model.pieces[301].text)],
    ['no unknown piece', (model) => (model.pieces[0].type = 1)],
    ['two unknown pieces', (model) => (model.pieces[300].type = 2)],
    ['a missing byte', (model) => (model.pieces[20].type = 3)],
    ['a byte piece that is none', (model) => (model.pieces[300].type = 6)],
    ['a score that is no number', (model) => (model.pieces[300].score = NaN)],
    ['an empty piece', (model) => (model.pieces[300].text = '')],
    ['a piece of a megabyte', (model) => (model.pieces[300].text = 'a'.repeat(1 << 20))],
    [
      'pieces of ten megabytes together',
      (model) => {
        for (let id = 0; id < 50_000; id++) {
          model.pieces.push({ text: `${id}`.padEnd(200, 'x'), score: 0, type: 1 });
        }
      },
    ],
    [
      'a rule that writes a megabyte',
      (model) => {
        const blob = new Uint8Array(4 + 8 + (1 << 20));
        blob.fill(97, 12, -1);
        new DataView(blob.buffer).setUint32(0, 8, true);
        model.normalizer.precompiledCharsmap = blob;
      },
    ],
    [
      'rules that point nowhere',
      (model) => (model.normalizer.precompiledCharsmap = new Uint8Array(64).fill(255)),
    ],
  ];
  for (const [name, edit] of edits) {
    it(`${name} is refused`, () => assert.throws(() => parse(change(edit)), isInvalid));
  }

  it('rules that lead in circles end with the text', () => {
    // Every unit points back to itself, so a walk never leaves the array.
    const blob = new Uint8Array(4 + 1024 + 2);
    const view = new DataView(blob.buffer);
    view.setUint32(0, 1024, true);
    for (let unit = 0; unit < 256; unit++) view.setUint32(4 + unit * 4, unit | 0x100, true);
    const processor = parse(
      change((model) => {
        model.normalizer.precompiledCharsmap = blob;
      }),
    );
    assert.ok(processor.encode('a'.repeat(10_000)).length >= 0);
  });

  it('a large vocabulary of long pieces loads in bounded memory', () => {
    for (const modelType of ['unigram', 'bpe'] as const) {
      const bytes = change((model) => {
        model.trainer.modelType = modelType;
        for (let id = 0; id < 4000; id++) {
          model.pieces.push({ text: `${id}`.padStart(250, 'ab'), score: -id, type: id % 3 === 0 ? 4 : 1 });
        }
      });
      const before = process.memoryUsage().arrayBuffers;
      const processor = parse(bytes);
      assert.ok(processor.encode('ab'.repeat(5000)).length > 0);
      assert.ok(process.memoryUsage().arrayBuffers - before < 1 << 27);
    }
  });

  it('without an end-of-text piece the tokenizer is refused', async () => {
    const folder = directory({ 'tokenizer.model': change((model) => (model.pieces[2].type = 1)) });
    const error = await refusal(folder, 'tokenizer.invalidModel');
    assert.deepEqual((error.args as { reason: string }).reason, 'noEndOfText');
  });

  it('one long run of equal letters takes no quadratic time', () => {
    const processor = parse(original);
    const started = performance.now();
    const ids = processor.encode('a'.repeat(100_000));
    assert.equal(processor.decode(ids).length, 100_000);
    assert.ok(performance.now() - started < 10_000);
  });
});
