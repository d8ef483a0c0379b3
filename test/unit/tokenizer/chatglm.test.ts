/** ChatGLM-6B, both vocabularies, against what THUDM's tokenizer and training script gave for the fixture model. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { normaliseRecord } from '../../../src/dataset/formats';
import type { Message, TrainingRecord } from '../../../src/dataset/types';
import { GlmError } from '../../../src/protocol/errors';
import { loadTokenizer, type EncodedSample, type TokenizerBundle } from '../../../src/tokenizer';
import { IceTokenizer } from '../../../src/tokenizer/ice/iceTokenizer';
import { parseSentencePieceModel } from '../../../src/tokenizer/sentencepiece/model';
import { writeSentencePieceModel } from '../../../src/tokenizer/training';
import { fixture, readJsonFixture } from '../fixtures';

interface StringRow {
  text: string;
  hf_special_in_text?: boolean;
  ids: number[];
  ids_special: number[];
  decoded: string;
}

interface SlimRow extends StringRow {
  sptok_ids: number[];
  sptok_decoded: string;
  sptok_ids_nodummy: number[];
}

interface SftRow {
  prompt: string;
  response: string;
  history: [string, string][];
}

interface Batch {
  input_ids: number[][];
  labels: number[][];
}

interface Goldens {
  special: { ids: Record<string, number>; vocab_size: number };
  strings: SlimRow[];
  chat: { name: string; query: string; history: [string, string][]; input_ids: number[] }[];
  process_response: { in: string; out: string }[];
  pairs: { a: string; b: string; ids: number[] }[];
  sft: {
    max_source_length: number;
    max_target_length: number;
    rows: SftRow[];
    with_history: Batch;
    without_history: Batch;
  };
}

const root = mkdtempSync(path.join(tmpdir(), 'glmtune-ice-'));
after(() => rmSync(root, { recursive: true, force: true }));
let count = 0;

/** A model directory with the fixture's `ice_text.model` and other files. */
function directory(files: Record<string, string | Uint8Array> = {}): string {
  const folder = path.join(root, String(count++));
  mkdirSync(folder);
  copyFileSync(fixture('tokenizers/chatglm-v1/ice_text.model'), path.join(folder, 'ice_text.model'));
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(folder, name), content);
  return folder;
}

const oldConfig = readFileSync(fixture('tokenizers/chatglm-v1-150528/tokenizer_config.json'), 'utf8');
const goldens = readJsonFixture<Goldens>('tokenizers/chatglm-v1/goldens.json');
const long = { maxLength: 4096, maskHistory: false };
const user = (content: string): Message => ({ role: 'user', content });
const assistant = (content: string, extra: Partial<Message> = {}): Message => ({
  role: 'assistant',
  content,
  ...extra,
});

function toMessages(query: string, history: [string, string][]): Message[] {
  return [...history.flatMap(([question, answer]) => [user(question), assistant(answer)]), user(query)];
}

function encode({ template }: TokenizerBundle, record: TrainingRecord, options = long): EncodedSample {
  const sample = template.encodeRecord(record, options);
  assert.ok('inputIds' in sample, JSON.stringify(sample));
  return sample;
}

function streamed({ tokenizer }: TokenizerBundle, ids: readonly number[]): string {
  const decoder = tokenizer.stream();
  return ids.map((id) => decoder.push(id)).join('') + decoder.flush();
}

describe('ChatGLM-6B tokenizer', async () => {
  const glm = await loadTokenizer(fixture('tokenizers/chatglm-v1'), { vocabSize: 832 });
  const { tokenizer, template } = glm;
  assert.ok(tokenizer instanceof IceTokenizer);

  it('recognises the family and its special tokens', () => {
    assert.equal(glm.templateId, 'chatglm');
    assert.equal(tokenizer.vocabSize, goldens.special.vocab_size);
    for (const [text, id] of Object.entries(goldens.special.ids)) {
      assert.equal(tokenizer.piece(id), text);
      if (/^(\[|<(?:sop|eop|ENC|dBLOCK|unused_0|pad|s|\/s)>)/.test(text)) {
        assert.equal(tokenizer.specialTokens.get(text), id);
      }
    }
    assert.deepEqual(template.stopIds, [goldens.special.ids['<eop>']]);
  });

  it('encodes every string as SPTokenizer does', () => {
    assert.equal(goldens.strings.length, 87);
    for (const row of goldens.strings) {
      const where = JSON.stringify(row.text);
      assert.deepEqual(tokenizer.encode(row.text), row.sptok_ids, where);
      assert.deepEqual(tokenizer.align(row.text).ids, row.sptok_ids, where);
      assert.deepEqual(tokenizer.align(row.text, { isContinuation: true }).ids, row.sptok_ids_nodummy, where);
      assert.equal(tokenizer.decode(row.sptok_ids), row.sptok_decoded, where);
      assert.equal(streamed(glm, row.sptok_ids), row.sptok_decoded, where);
      if (row.hf_special_in_text) continue;
      assert.deepEqual(tokenizer.encode(row.text), row.ids, where);
      assert.equal(tokenizer.decode(row.ids), row.decoded, where);
      assert.deepEqual(template.encodePrompt([user(row.text)]), row.ids_special, where);
      assert.equal(tokenizer.decode(row.ids_special), row.decoded, where);
    }
  });

  it('tells the place of every token in the text', () => {
    for (const { text } of goldens.strings) {
      const { ids, starts } = tokenizer.align(text);
      assert.equal(starts.length, ids.length);
      for (const [index, start] of starts.entries()) {
        assert.ok(start >= (starts[index - 1] ?? 0) && start <= text.length, JSON.stringify(text));
      }
    }
    const { ids, starts } = tokenizer.align('Ａ　a\n\n    ½b\t');
    const places = ids.map((id, index) => `${tokenizer.piece(id)}@${starts[index]}`).join(' ');
    assert.match(places, /<n>@3 <n>@4 <\|blank_4\|>@5 /);
    assert.match(places, /<\|tab\|>@11$/);
  });

  it('never makes a special token out of text', () => {
    const special = new Set(tokenizer.specialTokens.values());
    for (const text of [...Object.keys(goldens.special.ids).slice(0, 12), 'a<eop>b', '[gMASK] <sop>']) {
      if (text === '<n>') continue;
      assert.ok(!tokenizer.encode(text).some((id) => special.has(id)), text);
    }
  });

  it('holds back only what may become white space', () => {
    const decoder = tokenizer.stream();
    const idOf = (character: string): number => tokenizer.align(`中${character}`).ids.at(-1) as number;
    assert.deepEqual([idOf('<'), idOf('>')], [628, 630]);
    assert.equal(decoder.push(628), '');
    assert.equal(decoder.push(idOf('n')), '');
    assert.equal(decoder.push(630), '\n');
    assert.equal(decoder.push(628), '');
    assert.equal(decoder.push(628), '<');
    assert.equal(decoder.flush(), '<');
  });

  it('shows special tokens on request', () => {
    const ids = template.encodePrompt([user('你好')]);
    assert.equal(tokenizer.decode(ids, { keepSpecial: true }), '你好[gMASK]<sop>');
  });
});

describe('ChatGLM-6B tokenizer with image tokens (150528)', async () => {
  const old = readJsonFixture<{
    special: Record<string, number>;
    strings: StringRow[];
  }>('tokenizers/chatglm-v1-150528/goldens.json');
  const glm = await loadTokenizer(directory({ 'tokenizer_config.json': oldConfig }), { vocabSize: 20832 });

  it('shifts every id', () => {
    assert.equal(glm.tokenizer.vocabSize, old.special.vocab_size);
    assert.equal(glm.tokenizer.specialTokens.get('<sop>'), old.special.bos_token_id);
    assert.equal(glm.tokenizer.specialTokens.get('<pad>'), old.special.pad_token_id);
    assert.deepEqual(glm.template.stopIds, [old.special.eop_token_id]);
    for (const row of old.strings) {
      if (row.text.includes('<unk>')) continue;
      const where = JSON.stringify(row.text);
      assert.deepEqual(glm.tokenizer.encode(row.text), row.ids, where);
      assert.deepEqual(glm.template.encodePrompt([user(row.text)]), row.ids_special, where);
      assert.equal(glm.tokenizer.decode(row.ids), row.decoded, where);
    }
  });

  it('prints nothing for an image token', () => {
    assert.equal(glm.tokenizer.decode([17, 20005, 20395]), '你');
    assert.equal(glm.tokenizer.piece(17), '<image_17>');
  });

  it('is told by the embedding where no file says so', async () => {
    const size = async (vocabSize: number): Promise<number> =>
      (await loadTokenizer(directory(), { vocabSize })).tokenizer.vocabSize;
    assert.equal(await size(20832), 20824);
    assert.equal(await size(832), 824);
  });

  it('refuses a number that is none', async () => {
    for (const value of ['-1', '1.5', '"0"', '{}', '1e400']) {
      const folder = directory({ 'tokenizer_config.json': `{"num_image_tokens": ${value}}` });
      await assert.rejects(loadTokenizer(folder, { vocabSize: 20832 }), (error) => {
        return error instanceof GlmError && error.code === 'tokenizer.invalidImageTokens';
      });
    }
    const folder = directory({ 'tokenizer_config.json': '{"num_image_tokens": 20000}' });
    await assert.rejects(loadTokenizer(folder, { vocabSize: 832 }), (error) => {
      return error instanceof GlmError && error.code === 'tokenizer.exceedsVocabulary';
    });
  });
});

describe('Pieces that the file may lack', () => {
  const file = fixture('tokenizers/chatglm-v1/ice_text.model');
  const edited = (edit: (model: ReturnType<typeof parseSentencePieceModel>) => void): Uint8Array => {
    const model = parseSentencePieceModel(readFileSync(file), file);
    edit(model);
    return writeSentencePieceModel(model);
  };

  it('are appended as the first revisions did', async () => {
    const bare = edited((model) => {
      model.pieces.length = 480;
      model.trainer.byteFallback = false;
    });
    const glm = await loadTokenizer(directory({ 'ice_text.model': bare }), { vocabSize: 832 });
    for (const row of goldens.strings) assert.deepEqual(glm.tokenizer.encode(row.text), row.sptok_ids);
    assert.deepEqual(glm.template.stopIds, [485]);
  });

  it('stay out of reach of text where the file makes them user-defined', async () => {
    const open = edited((model) => {
      for (let id = 480; id < 488; id++) model.pieces[id].type = 4;
    });
    const glm = await loadTokenizer(directory({ 'ice_text.model': open }), { vocabSize: 832 });
    for (const row of goldens.strings) assert.deepEqual(glm.tokenizer.encode(row.text), row.sptok_ids);
  });

  it('are an error where only some are there', async () => {
    const partial = edited((model) => (model.pieces[485].text = 'eop'));
    await assert.rejects(
      loadTokenizer(directory({ 'ice_text.model': partial }), { vocabSize: 832 }),
      (error) => {
        assert.ok(error instanceof GlmError);
        assert.deepEqual((error.args as { reason?: string }).reason, 'noSpecialTokens');
        return true;
      },
    );
  });
});

describe('Damaged ice_text.model', () => {
  const original = readFileSync(fixture('tokenizers/chatglm-v1/ice_text.model'));
  const tryLoad = async (bytes: Uint8Array): Promise<boolean> => {
    try {
      const glm = await loadTokenizer(directory({ 'ice_text.model': bytes }), { vocabSize: 832 });
      const ids = glm.template.encodePrompt([user('Hello，你好\n\t    ①ﬁ😀')]);
      return glm.tokenizer.decode(ids).length >= 0;
    } catch (error) {
      assert.ok(error instanceof GlmError, String(error));
      assert.match(String(error.code), /^tokenizer\./);
      return false;
    }
  };

  it('is refused with a reason or works, cut anywhere', async () => {
    for (let length = 0; length < original.length; length += 1571)
      await tryLoad(original.subarray(0, length));
  });

  it('is refused with a reason or works, whatever bytes change', async () => {
    // A small linear congruential generator keeps the damage the same in every run.
    let state = 99;
    const random = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    let works = 0;
    for (let round = 0; round < 80; round++) {
      const bytes = Uint8Array.from(original);
      // The pieces come first and are small beside the normalisation rules.
      for (let change = 0; change < 4; change++)
        bytes[random(change < 2 ? 12_000 : bytes.length)] = random(256);
      if (await tryLoad(bytes)) works++;
    }
    assert.ok(works > 0 && works < 80, String(works));
  });
});

describe('ChatGLM-6B template', async () => {
  const glm = await loadTokenizer(fixture('tokenizers/chatglm-v1'), { vocabSize: 832 });
  const { template, tokenizer } = glm;
  const [gmask, sop, eop] = [481, 484, 485];

  for (const row of goldens.chat) {
    it(`builds the prompt "${row.name}"`, () => {
      assert.deepEqual(template.encodePrompt(toMessages(row.query, row.history)), row.input_ids);
    });
  }

  it('puts system text and tools before the question', () => {
    const messages: Message[] = [{ role: 'system', content: 'S' }, user('a')];
    const ids = template.encodePrompt(messages, [{ name: 'x' }]);
    assert.equal(tokenizer.decode(ids), 'S\n[\n    {\n        "name": "x"\n    }\n]\na');
  });

  it('cleans every reply, also token by token', () => {
    for (const row of goldens.process_response) {
      const ids = tokenizer.encode(row.in);
      assert.equal(template.decodeAnswer([...ids, eop, 5]), row.out);
      const stream = template.streamAnswer();
      assert.equal(ids.map((id) => stream.push(id)).join('') + stream.flush(), row.out);
    }
  });

  it('joins question and answer as the tokenizer joins a pair', () => {
    for (const { a, b, ids } of goldens.pairs) {
      const sample = encode(glm, { kind: 'conversation', messages: [user(a), assistant(b)] });
      assert.deepEqual([...sample.inputIds], ids);
    }
  });

  // The script cuts question and answer blindly, each to its own limit; its cut is applied to our whole rows.
  for (const [name, useHistory] of [
    ['with_history', true],
    ['without_history', false],
  ] as const) {
    it(`makes the rows of the training script ${name}`, () => {
      const { max_source_length, max_target_length, rows } = goldens.sft;
      for (const [index, { history, ...row }] of rows.entries()) {
        const sample = encodeLine(useHistory ? { ...row, history } : row);
        assertRow(sample, goldens.sft[name], index, max_source_length, max_target_length);
      }
    });
  }

  it('makes every row of the training file', () => {
    const batches = readJsonFixture<{
      max_source_length: number;
      max_target_length: number;
      micro_batches: Batch[];
    }>('data/chatglm-v1/batches.json');
    const lines = readFileSync(fixture('data/chatglm-v1/train.jsonl'), 'utf8').trim().split('\n');
    const expected: Batch = {
      input_ids: batches.micro_batches.flatMap((batch) => batch.input_ids),
      labels: batches.micro_batches.flatMap((batch) => batch.labels),
    };
    assert.equal(lines.length, 16);
    for (const [index, line] of lines.entries()) {
      const sample = encodeLine(JSON.parse(line));
      assertRow(sample, expected, index, batches.max_source_length, batches.max_target_length);
    }
  });

  function encodeLine(value: unknown): EncodedSample {
    const normalised = normaliseRecord(value);
    assert.ok('record' in normalised);
    return encode(glm, normalised.record);
  }

  function assertRow(
    { inputIds, labels }: EncodedSample,
    batch: Batch,
    index: number,
    maxSource: number,
    maxTarget: number,
  ): void {
    const start = inputIds.indexOf(sop);
    assert.deepEqual([inputIds[start - 1], inputIds.at(-1)], [gmask, eop]);
    assert.deepEqual([...labels], [...labels.slice(0, start).fill(-100), ...inputIds.slice(start)]);
    const source = [...inputIds.slice(0, start - 1)].slice(0, maxSource - 1);
    const target = [...inputIds.slice(start + 1, -1)].slice(0, maxTarget - 2);
    const ids = [...source, gmask, sop, ...target, eop];
    const padding = maxSource + maxTarget - ids.length;
    assert.deepEqual([...ids, ...Array<number>(padding).fill(3)], batch.input_ids[index]);
    const trained = [sop, ...target, eop];
    const masked = Array<number>(source.length + 1).fill(-100);
    assert.deepEqual([...masked, ...trained, ...Array<number>(padding).fill(-100)], batch.labels[index]);
  }
});

describe('ChatGLM-6B rows', async () => {
  const glm = await loadTokenizer(fixture('tokenizers/chatglm-v1'), { vocabSize: 832 });
  const three: TrainingRecord = {
    kind: 'conversation',
    messages: [user('a'), assistant('b'), user('c'), assistant('d'), user('e'), assistant('f')],
  };
  const text = (sample: EncodedSample): string => glm.tokenizer.decode([...sample.inputIds]);
  const trained = ({ labels }: EncodedSample): string =>
    [...labels]
      .filter((label) => label !== -100)
      .map((label) => glm.tokenizer.piece(label))
      .join('');

  it('train one answer and count the others', () => {
    const sample = encode(glm, three);
    assert.equal(text(sample), '[Round 0]\n问:a\n答:b\n[Round 1]\n问:c\n答:d\n[Round 2]\n问:e\n答: f');
    assert.equal(trained(sample), '<sop>▁f<eop>');
    assert.equal(sample.contextTurns, 2);
    assert.equal(encode(glm, three, { ...long, maskHistory: true }).contextTurns, undefined);
  });

  it('train the last answer that asks for it and do not show it what follows', () => {
    const messages = [...(three.kind === 'conversation' ? three.messages : [])];
    messages[5] = assistant('f', { loss: false });
    messages[1] = assistant('b', { loss: false });
    const sample = encode(glm, { kind: 'conversation', messages });
    assert.equal(text(sample), '[Round 0]\n问:a\n答:b\n[Round 1]\n问:c\n答: d');
    assert.equal(trained(sample), '<sop>▁d<eop>');
    assert.equal(sample.contextTurns, undefined);
    assert.equal(sample.truncated, 0);
    const refused = glm.template.encodeRecord(
      { kind: 'conversation', messages },
      { ...long, maskHistory: true },
    );
    assert.deepEqual(refused, { dropped: 'noTrainedToken' });
  });

  it('lose the oldest rounds first, then the end of the answer, never the question or the stop token', () => {
    const messages = [user('旧'.repeat(30)), assistant('b'), user('c'), assistant('神经网络'.repeat(20))];
    const record: TrainingRecord = { kind: 'conversation', messages };
    const whole = encode(glm, record);
    for (let maxLength = 3; maxLength < whole.inputIds.length; maxLength++) {
      const options = { maxLength, maskHistory: false };
      const row = glm.template.encodeRecord(record, options);
      if ('dropped' in row) {
        assert.deepEqual(row, { dropped: 'tooLong' });
        assert.ok(maxLength < 6);
        continue;
      }
      assert.ok(row.inputIds.length <= maxLength);
      assert.equal(row.truncated, whole.inputIds.length - row.inputIds.length);
      assert.deepEqual([row.inputIds.at(-1), row.labels.at(-1)], [485, 485]);
      assert.ok(text(row).startsWith('c'), text(row));
      assert.ok(row.trained >= 3);
    }
    assert.deepEqual(encode(glm, record, { ...long, maxLength: whole.inputIds.length }), whole);
  });

  it('of plain text and of tokens are as in the other families', () => {
    const sample = encode(glm, { kind: 'text', text: '你好' });
    assert.deepEqual([...sample.inputIds], [481, 484, 5, 395, 233, 485]);
    assert.deepEqual([...sample.labels], [-100, -100, 5, 395, 233, 485]);
    const tokens = encode(glm, { kind: 'tokens', input_ids: [5, 481, 484, 6], labels: [-100, -100, 484, 6] });
    assert.equal(tokens.trained, 2);
  });
});
