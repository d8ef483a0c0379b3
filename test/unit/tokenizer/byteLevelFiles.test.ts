/** Byte-level tokenizers: which files are used, hostile ones, and text of any size. */
import assert from 'node:assert/strict';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { GlmError, type ErrorCode } from '../../../src/protocol/errors';
import { describeThrown } from '../../../src/text/errors';
import { loadTokenizer, type LoadTokenizerOptions, type TokenizerBundle } from '../../../src/tokenizer';
import { ByteDecoder } from '../../../src/tokenizer/bytelevel/byteDecoder';
import type { ByteLevelTokenizer } from '../../../src/tokenizer/bytelevel/byteLevelTokenizer';
import { parseRankFile } from '../../../src/tokenizer/bytelevel/rankFile';
import { splitText } from '../../../src/tokenizer/bytelevel/splitter';
import { parseTokenizerJson } from '../../../src/tokenizer/bytelevel/tokenizerJson';
import { fixture } from '../fixtures';

const root = mkdtempSync(path.join(tmpdir(), 'glmtune-bytelevel-'));
after(() => rmSync(root, { recursive: true, force: true }));
let count = 0;

const ranks = readFileSync(fixture('tokenizers/glm4-9b/tokenizer.model'), 'latin1');
const json = readFileSync(fixture('tokenizers/glm-hf/tokenizer.json'), 'utf8');
const lines = ranks.trim().split('\n');

function directory(files: Record<string, string | Uint8Array | object>): string {
  const folder = path.join(root, String(count++));
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) {
    const isText = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(path.join(folder, name), isText ? content : JSON.stringify(content));
  }
  return folder;
}

const load = (
  files: Record<string, string | object>,
  options: Partial<LoadTokenizerOptions> = {},
): Promise<TokenizerBundle> => loadTokenizer(directory(files), { vocabSize: 672, ...options });

async function refuse(
  files: Record<string, string | object>,
  code: ErrorCode,
  args: object = {},
  options: Partial<LoadTokenizerOptions> = {},
): Promise<void> {
  await assert.rejects(load(files, options), (error: unknown) => {
    assert.ok(error instanceof GlmError, String(error));
    assert.equal(error.code, code);
    for (const [key, value] of Object.entries(args)) {
      assert.equal((error.args as Record<string, unknown>)[key], value);
    }
    const { message, remedy } = describeThrown((text) => text, error);
    assert.ok(message && remedy);
    return true;
  });
}

describe('Which tokenizer files and which prompt format', () => {
  it('a list of ranks is GLM-4, with its special tokens even where none are listed', async () => {
    const { templateId, tokenizer, template } = await load({ 'tokenizer.model': ranks });
    assert.equal(templateId, 'glm4');
    assert.equal(tokenizer.specialTokens.get('<|user|>'), 656 + 7);
    assert.deepEqual(template.stopIds, [656, 663, 665]);
  });

  it('a chat template of the checkpoint comes first, unless another format is named', async () => {
    const files = {
      'tokenizer.model': ranks,
      'tokenizer_config.json': {
        chat_template: '<|user|>{{ messages[0].content }}',
        eos_token: '<|endoftext|>',
      },
    };
    assert.equal((await load(files)).templateId, 'jinja');
    assert.equal((await load(files, { template: 'glm4' })).templateId, 'glm4');
    const named = {
      ...files,
      'tokenizer_config.json': { ...files['tokenizer_config.json'], chat_template_id: 'glm4' },
    };
    assert.equal((await load(named)).templateId, 'glm4');
    await refuse(files, 'tokenizer.templateNotUsable', {}, { template: 'chatglm3' });
    await refuse({ 'tokenizer.model': ranks }, 'tokenizer.noChatTemplate', {}, { template: 'jinja' });
  });

  it('of several templates the one for tools is used where there are tools', async () => {
    const chat_template = [
      { name: 'default', template: '<|user|>plain' },
      { name: 'tool_use', template: '<|user|>tools' },
    ];
    const { template, tokenizer } = await load({
      'tokenizer.json': json,
      'tokenizer_config.json': { chat_template },
    });
    const prompt = (tools?: object[]): string =>
      tokenizer.decode(template.encodePrompt([{ role: 'user', content: 'x' }], tools as never));
    assert.equal(prompt(), 'plain');
    assert.equal(prompt([{ name: 'f' }]), 'tools');
    const files = { 'tokenizer.json': json, 'chat_template.jinja': 'file' };
    assert.equal((await load(files)).templateId, 'jinja');
    assert.equal(
      (await load({ 'tokenizer.json': json, 'chat_template.json': { chat_template: 'x' } })).templateId,
      'jinja',
    );
    assert.equal((await load({ 'tokenizer.json': json })).templateId, 'glm4');
  });

  it("puts the tokenizer's own tokens before a text, and a stop token after it", async () => {
    const { template } = await loadTokenizer(fixture('tokenizers/glm-hf'), { vocabSize: 672 });
    const sample = template.encodeRecord({ kind: 'text', text: 'Hi' }, { maxLength: 9, maskHistory: false });
    assert.ok('inputIds' in sample);
    assert.deepEqual([...sample.inputIds], [658, 660, 39, 72, 656]);
    assert.deepEqual([...sample.labels], [-100, -100, 39, 72, 656]);
  });

  it('recognises added tokens that are no control tokens everywhere, and prints them', async () => {
    const root = JSON.parse(json) as { added_tokens: object[] };
    root.added_tokens.push({ id: 670, content: '<think>', special: false });
    const { tokenizer } = await load({ 'tokenizer.json': root });
    assert.deepEqual(tokenizer.encode('<think><|user|>').slice(0, 2), [670, 27]);
    assert.equal(tokenizer.decode([663, 670]), '<think>');
    assert.equal(tokenizer.piece(670), '<think>');
    assert.equal(tokenizer.specialTokens.has('<think>'), false);
  });
});

describe('Hostile lists of ranks', () => {
  const cases: [string, string, string][] = [
    ['a rank that is no number', `${ranks}QUFB x\n`, 'malformed'],
    ['a line that is not base64', `${ranks}Q*FB 656\n`, 'malformed'],
    ['base64 without its end', `${ranks}QUF 656\n`, 'malformed'],
    ['an empty token', `${ranks} 656\n`, 'malformed'],
    ['a line without end', `${ranks}${'QUFB'.repeat(100_000)} 656`, 'malformed'],
    ['a rank twice', `${ranks}QUFBQUFB 655\n`, 'duplicate'],
    ['a token twice', `${ranks}${lines[300].split(' ')[0]} 656\n`, 'duplicate'],
    ['a hole', `${ranks}QUFBQUFB 657\n`, 'holes'],
    ['a huge rank', `${ranks}QUFBQUFB 999999999\n`, 'tooMany'],
    [
      'a missing byte',
      lines
        .slice(1)
        .map((line, at) => line.replace(/ .*/, ` ${at}`))
        .join('\n'),
      'missingBytes',
    ],
  ];
  for (const [name, content, reason] of cases) {
    it(`${name} is refused`, () =>
      refuse({ 'tokenizer.model': content }, 'tokenizer.invalidRanks', { reason }));
  }

  it('special tokens that are none are refused', async () => {
    for (const added of [
      { '5': { content: 'x' } },
      { x: { content: 'x' } },
      { '656': {} },
      { '656': { content: '' } },
      { '1e9': { content: 'x' } },
    ]) {
      await refuse(
        { 'tokenizer.model': ranks, 'tokenizer_config.json': { added_tokens_decoder: added } },
        'tokenizer.badSpecialToken',
      );
    }
    const few = { '656': { content: '<|endoftext|>' } };
    await refuse(
      { 'tokenizer.model': ranks, 'tokenizer_config.json': { added_tokens_decoder: few } },
      'tokenizer.badSpecialToken',
      { token: '[gMASK]' },
    );
    await refuse({ 'tokenizer.model': ranks }, 'tokenizer.exceedsVocabulary', {}, { vocabSize: 669 });
  });

  it('a file of a gigabyte is refused unread', async () => {
    for (const name of ['tokenizer.model', 'tokenizer.json']) {
      const folder = directory({});
      const file = path.join(folder, name);
      closeSync(openSync(file, 'w'));
      truncateSync(file, 2 ** 30);
      await assert.rejects(
        loadTokenizer(folder, { vocabSize: 672 }),
        (error: unknown) =>
          error instanceof GlmError &&
          error.code === 'tokenizer.invalidModel' &&
          (error.args as { reason?: string }).reason === 'tooLarge',
      );
    }
  });

  it('changed at random, they load or are refused, and still encode and decode', () => {
    fuzz(ranks, (bytes) => new Set(parseRankFile(bytes, 'x').tokens).size, 'tokenizer.invalidRanks');
  });
});

/** What the tests change in `tokenizer.json`. */
interface Json {
  added_tokens: Record<string, unknown>[];
  normalizer: unknown;
  pre_tokenizer: { pretokenizers: { pattern: { Regex: string }; behavior: string }[] };
  post_processor: { type?: string; processors?: { special_tokens: Record<string, { ids: number[] }> }[] };
  decoder: unknown;
  model: { vocab: Record<string, unknown>; merges: unknown[] } & Record<string, unknown>;
}

describe('Hostile tokenizer.json', () => {
  const edit = (change: (root: Json) => unknown): string => {
    const root = JSON.parse(json) as Json;
    change(root);
    return JSON.stringify(root);
  };
  const invalid: [string, string, string][] = [
    ['no JSON', '{', 'malformed'],
    ['a list', '[]', 'malformed'],
    ['no model', '{}', 'malformed'],
    ['brackets without end', '['.repeat(1_000_000), 'malformed'],
    ['an id that is no number', edit(({ model }) => (model.vocab.a = 'x')), 'malformed'],
    ['a negative id', edit(({ model }) => (model.vocab['!'] = -1)), 'malformed'],
    ['a fraction as id', edit(({ model }) => (model.vocab['!'] = 0.5)), 'malformed'],
    ['a huge id', edit(({ model }) => (model.vocab['!'] = 1e300)), 'holes'],
    ['an id twice', edit(({ model }) => (model.vocab['!'] = 1)), 'duplicate'],
    ['a token outside of the alphabet', edit(({ model }) => (model.vocab['中'] = 656)), 'malformed'],
    ['an empty vocabulary', edit(({ model }) => (model.vocab = {})), 'missingBytes'],
    ['a vocabulary that is a list', edit(({ model }) => (model.vocab = [] as never)), 'missingBytes'],
    ['no merges', edit(({ model }) => Reflect.deleteProperty(model, 'merges')), 'malformed'],
    ['a merge of unknown tokens', edit(({ model }) => model.merges.push(['!', 'nope'])), 'badMerge'],
    ['a merge of three', edit(({ model }) => model.merges.push(['!', '!', '!'])), 'badMerge'],
    ['a merge that makes no token', edit(({ model }) => model.merges.push(['!', '"'])), 'badMerge'],
    ['an added token twice', edit((root) => root.added_tokens.push(root.added_tokens[0])), 'duplicate'],
    [
      'an added token in place of another',
      edit((root) => root.added_tokens.push({ id: 5, content: 'x' })),
      'duplicate',
    ],
    ['an added token without text', edit((root) => root.added_tokens.push({ id: 700 })), 'malformed'],
    [
      'an added token of a huge id',
      edit((root) => root.added_tokens.push({ id: 2 ** 31, content: 'x' })),
      'malformed',
    ],
  ];
  for (const [name, content, reason] of invalid) {
    it(`${name} is refused`, () =>
      refuse({ 'tokenizer.json': content }, 'tokenizer.invalidJson', { reason }));
  }

  const unsupported: [string, string, string][] = [
    ['another model', edit(({ model }) => (model.type = 'Unigram')), 'model.type'],
    ['byte fallback', edit(({ model }) => (model.byte_fallback = true)), 'model.byte_fallback'],
    ['dropout', edit(({ model }) => (model.dropout = 0.1)), 'model.dropout'],
    ['a normaliser', edit((root) => (root.normalizer = { type: 'NFC' })), 'normalizer'],
    ['no pre-tokeniser', edit((root) => Reflect.deleteProperty(root, 'pre_tokenizer')), 'pre_tokenizer'],
    [
      'another pattern',
      edit((root) => (root.pre_tokenizer.pretokenizers[0].pattern.Regex = '(a+)+$')),
      'pre_tokenizer.pattern',
    ],
    [
      'another behaviour',
      edit((root) => (root.pre_tokenizer.pretokenizers[0].behavior = 'Removed')),
      'pre_tokenizer.behavior',
    ],
    ['another decoder', edit((root) => (root.decoder = null)), 'decoder'],
    [
      'an added token that strips',
      edit((root) => (root.added_tokens[0].lstrip = true)),
      'added_tokens.lstrip',
    ],
    [
      'an unknown token in the template',
      edit((root) =>
        root.post_processor.processors?.forEach(
          (step) => (step.special_tokens = { ...step.special_tokens, '<sop>': { ids: [1e9] } }),
        ),
      ),
      'post_processor.special_tokens',
    ],
    [
      'another post-processor',
      edit((root) => (root.post_processor = { type: 'BertProcessing' })),
      'post_processor',
    ],
  ];
  for (const [name, content, key] of unsupported) {
    it(`${name} is refused by name`, () =>
      refuse({ 'tokenizer.json': content }, 'tokenizer.unsupportedJson', { key }));
  }

  it('merges written with a space are read, too', () => {
    const old = edit(
      ({ model }) => (model.merges = (model.merges as string[][]).map((merge) => merge.join(' '))),
    );
    const text = '今天天气很好 the weather';
    const now = parseTokenizerJson(Buffer.from(json), 'x');
    assert.deepEqual(parseTokenizerJson(Buffer.from(old), 'x').encode(text), now.encode(text));
  });

  it('changed at random, it loads or is refused, and still encodes and decodes', () => {
    fuzz(
      json,
      (bytes) => parseTokenizerJson(bytes, 'x').vocabSize,
      'tokenizer.invalidJson',
      'tokenizer.unsupportedJson',
    );
  });
});

function fuzz(original: string, use: (bytes: Uint8Array) => number, ...codes: ErrorCode[]): void {
  let state = 99;
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  let loaded = 0;
  for (let round = 0; round < 200; round++) {
    const bytes = Buffer.from(original);
    for (let change = 0; change < 2; change++) bytes[random(bytes.length)] = random(256);
    const cut = round % 4 === 0 ? random(bytes.length) : bytes.length;
    try {
      assert.ok(use(bytes.subarray(0, cut)) > 0);
      loaded++;
    } catch (error) {
      assert.ok(error instanceof GlmError && codes.includes(error.code as ErrorCode), String(error));
    }
  }
  assert.ok(loaded >= 0 && loaded < 200);
}

describe('Byte-level text', async () => {
  const bundle = await loadTokenizer(fixture('tokenizers/glm-hf'), { vocabSize: 672 });
  const tokenizer = bundle.tokenizer as ByteLevelTokenizer;

  it('is handed out only when it cannot change any more', () => {
    const text = '你好😀, "x"\n\ufeff';
    const stream = tokenizer.stream();
    let given = '';
    for (const id of tokenizer.encode(text)) {
      given += stream.push(id);
      assert.ok(text.startsWith(given));
    }
    assert.equal(given + stream.flush(), text);
  });

  it('has U+FFFD once for every beginning of a character that breaks off', () => {
    const decode = (...bytes: number[]): string => {
      const decoder = new ByteDecoder();
      return bytes.map((byte) => decoder.push(Uint8Array.of(byte))).join('') + decoder.flush();
    };
    assert.equal(decode(0xe4, 0xbd), '\ufffd');
    assert.equal(decode(0xe4, 0xbd, 0x41), '\ufffdA');
    assert.equal(decode(0xff, 0xc0, 0x80), '\ufffd\ufffd\ufffd');
    assert.equal(decode(0xed, 0xa0, 0x80), '\ufffd\ufffd\ufffd');
    assert.equal(decode(0xef, 0xbb, 0xbf, 0x61), '\ufeffa');
  });

  it('breaks a character off where a control token stands', () => {
    const [first] = tokenizer.encode('😀');
    assert.equal(tokenizer.decode([first, 663, 39], { keepSpecial: true }), '\ufffd<|user|>H');
  });

  it('shows its pieces: text, or the bytes of no whole character', () => {
    assert.equal(tokenizer.piece(tokenizer.encode(' ')[0]), ' ');
    assert.match(tokenizer.piece(tokenizer.encode('😀')[0]), /^<0xF0>/);
    assert.equal(tokenizer.piece(663), '<|user|>');
    assert.equal(tokenizer.piece(9999), '');
  });

  it('of a lone surrogate is that of U+FFFD', () => {
    assert.deepEqual(tokenizer.encode('a\ud800b'), tokenizer.encode('a\ufffdb'));
  });

  it('may be long: pieces across the stretches are the same', () => {
    const part = 'Hello, 世界！ 123456\n\n  x = np.zeros((3, 4))\t\t中文';
    const text = part.repeat(40_000);
    assert.ok(text.length > 3 << 19);
    const pieces = splitText(text);
    assert.equal(pieces.join(''), text);
    // The pieces of one part repeat, whatever was cut where.
    const period = splitText(part.repeat(3)).length - splitText(part.repeat(2)).length;
    for (let at = period; at < pieces.length - period - 3; at++) {
      if (pieces[at] !== pieces[at + period]) assert.fail(`piece ${at}`);
    }
  });

  it('may be one word without end', () => {
    for (const letter of ['a', '中', ' ', '😀']) {
      const text = letter.repeat(100_000);
      const ids = tokenizer.encode(text);
      assert.equal(tokenizer.decode(ids), text);
    }
    assert.equal(splitText('中'.repeat(2_500_000)).join('').length, 2_500_000);
  });
});
