/** ChatGLM2 and ChatGLM3 against what THUDM's own tokenizers gave for the fixture models. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Message, ToolDescription } from '../../../src/dataset/types';
import { loadTokenizer, parseAnswer, type ChatTemplate, type EncodedSample } from '../../../src/tokenizer';
import { fixture, readJsonFixture } from '../fixtures';

interface StringRow {
  text: string;
  ids: number[];
  ids_special: number[];
  decoded: string;
  decoded_with_special?: string;
}

interface Goldens {
  special: { ids: Record<string, number>; eos: number; vocab_size: number };
  strings: StringRow[];
}

const options = { vocabSize: 672 };
const long = { maxLength: 4096, maskHistory: false };

for (const family of ['chatglm2', 'chatglm3'] as const) {
  describe(`${family} tokenizer`, async () => {
    const goldens = readJsonFixture<Goldens>(`tokenizers/${family}/goldens.json`);
    const { tokenizer, template, templateId } = await loadTokenizer(fixture(`tokenizers/${family}`), options);

    it('recognises the family and its special tokens', () => {
      assert.equal(templateId, family);
      assert.equal(tokenizer.vocabSize, goldens.special.vocab_size);
      assert.deepEqual(Object.fromEntries(tokenizer.specialTokens), goldens.special.ids);
      assert.equal(template.stopIds[0], goldens.special.eos);
    });

    it('encodes and decodes every string', () => {
      const prefix = [goldens.special.ids['[gMASK]'], goldens.special.ids.sop];
      for (const row of goldens.strings) {
        assert.deepEqual(tokenizer.encode(row.text), row.ids, JSON.stringify(row.text));
        assert.deepEqual([...prefix, ...row.ids], row.ids_special);
        assert.equal(tokenizer.decode(row.ids), row.decoded, JSON.stringify(row.text));
        if (row.decoded_with_special !== undefined) {
          assert.equal(tokenizer.decode(row.ids_special, { keepSpecial: true }), row.decoded_with_special);
        }
        assert.equal(tokenizer.decode(row.ids_special), row.decoded);
      }
    });

    it('trains every token of plain text but the prefix', () => {
      const row = goldens.strings[3];
      const sample = template.encodeRecord({ kind: 'text', text: row.text }, long);
      assert.ok('inputIds' in sample);
      assert.deepEqual([...sample.inputIds], [...row.ids_special, goldens.special.eos]);
      assert.deepEqual([...sample.labels], [-100, -100, ...row.ids, goldens.special.eos]);
    });
  });
}

interface Glm2Goldens extends Goldens {
  chat: { name: string; query: string; history: [string, string][]; input_ids: number[] }[];
  sft: {
    rows: Glm2Row[];
    out: { input_ids: number[][]; labels: number[][] };
  };
}

function toMessages(query: string, history: [string, string][]): Message[] {
  return [
    ...history.flatMap(([question, answer]): Message[] => [
      { role: 'user', content: question },
      { role: 'assistant', content: answer },
    ]),
    { role: 'user', content: query },
  ];
}

describe('ChatGLM2 template', async () => {
  const goldens = readJsonFixture<Glm2Goldens>('tokenizers/chatglm2/goldens.json');
  const { template } = await loadTokenizer(fixture('tokenizers/chatglm2'), options);

  for (const row of goldens.chat) {
    it(`builds the prompt "${row.name}"`, () => {
      assert.deepEqual(template.encodePrompt(toMessages(row.query, row.history)), row.input_ids);
    });
  }

  it('makes the rows of the training script when only the last answer is trained', () => {
    for (const [index, row] of goldens.sft.rows.entries()) {
      const whole = encodeGlm2Row(template, row);
      const { ids, labels } = cutAsGlm2Script(whole, 40, 24);
      assert.deepEqual(ids, goldens.sft.out.input_ids[index].slice(0, ids.length));
      assert.deepEqual(labels, goldens.sft.out.labels[index].slice(0, ids.length));
      // Only the first row fits the script's limits and so is the same without the cut.
      if (index === 0) assert.deepEqual([...whole.inputIds], ids);
    }
  });
});

interface Glm2Row {
  prompt: string;
  response: string;
  history: [string, string][];
}

function encodeGlm2Row(template: ChatTemplate, row: Glm2Row): EncodedSample {
  const messages: Message[] = [
    ...toMessages(row.prompt, row.history),
    { role: 'assistant', content: row.response },
  ];
  const sample = template.encodeRecord({ kind: 'conversation', messages }, { ...long, maskHistory: true });
  assert.ok('inputIds' in sample);
  return sample;
}

/** The script cuts question and answer blindly, each to its own limit, before it adds the end token. */
function cutAsGlm2Script(
  sample: EncodedSample,
  maxSource: number,
  maxTarget: number,
): { ids: number[]; labels: number[] } {
  const ids = [...sample.inputIds];
  const split = sample.labels.findIndex((label) => label !== -100);
  const question = ids.slice(0, Math.min(split, maxSource));
  const answer = [...ids.slice(split, -1).slice(0, maxTarget), 2];
  return { ids: [...question, ...answer], labels: [...question.map(() => -100), ...answer] };
}

interface Glm3Goldens extends Goldens {
  chat: { name: string; messages: (Message & { tools?: ToolDescription[] })[]; input_ids: number[] }[];
  process_response: {
    output: string;
    history: { role: string; tools?: unknown[] }[];
    content: string | { name: string; parameters?: unknown; content?: string };
    new_history: { role: string; metadata?: string; content: string }[];
  }[];
  sft: {
    conversations: Message[][];
    train: { out: { input_ids: number[][]; labels: number[][] } };
    eval: { out: { input_ids: number[][] } };
  };
}

describe('ChatGLM3 template', async () => {
  const goldens = readJsonFixture<Glm3Goldens>('tokenizers/chatglm3/goldens.json');
  const { template } = await loadTokenizer(fixture('tokenizers/chatglm3'), options);

  for (const row of goldens.chat) {
    it(`builds the prompt "${row.name}"`, () => {
      const tools = row.messages.find((message) => message.tools)?.tools;
      assert.deepEqual(template.encodePrompt(row.messages, tools), row.input_ids);
    });
  }

  for (const [index, messages] of goldens.sft.conversations.entries()) {
    it(`makes row ${index} of the training script`, () => {
      const sample = template.encodeRecord({ kind: 'conversation', messages }, long);
      assert.ok('inputIds' in sample);
      assert.deepEqual([...sample.inputIds], goldens.sft.train.out.input_ids[index]);
      assert.deepEqual([...sample.labels], goldens.sft.train.out.labels[index]);
    });

    it(`makes prompt ${index} of the evaluation script`, () => {
      const question = messages.slice(
        0,
        messages.findIndex((message) => message.role === 'assistant'),
      );
      assert.deepEqual(template.encodePrompt(question), goldens.sft.eval.out.input_ids[index]);
    });
  }

  for (const row of goldens.process_response) {
    it(`reads the reply ${JSON.stringify(row.output)}`, () => {
      const hasTools = row.history[0].role === 'system' && row.history[0].tools !== undefined;
      const { parts, answer } = parseAnswer(row.output, hasTools);
      const written = row.new_history.slice(row.history.length);
      assert.deepEqual(
        parts,
        written.map(({ metadata, content }) => ({ metadata, content })),
      );
      if (answer.kind === 'text') assert.equal(answer.text, row.content);
      else {
        const { kind, ...call } = answer;
        assert.ok(kind);
        assert.deepEqual(call, row.content);
      }
    });
  }
});

interface Batches {
  micro_batches: { input_ids: number[][]; labels: number[][] }[];
}

/** Rows of a training file and what the script made of them, in file order. */
function trainingRows(
  family: string,
): { record: Record<string, unknown>; ids: number[]; labels: number[] }[] {
  const batches = readJsonFixture<Batches>(`data/${family}/batches.json`).micro_batches;
  const ids = batches.flatMap((batch) => batch.input_ids);
  const labels = batches.flatMap((batch) => batch.labels);
  const lines = readFileSync(fixture(`data/${family}/train.jsonl`), 'utf8')
    .trim()
    .split('\n');
  assert.equal(lines.length, 16);
  return lines.map((line, index) => ({
    record: JSON.parse(line) as Record<string, unknown>,
    ids: ids[index],
    labels: labels[index],
  }));
}

describe('Training files as the scripts make them', () => {
  // The scripts cut blindly; their cut is applied to our whole rows, so that every row is compared.
  it('ChatGLM3: the first 49 tokens of every row', async () => {
    const { template } = await loadTokenizer(fixture('tokenizers/chatglm3'), options);
    for (const { record, ids, labels } of trainingRows('chatglm3')) {
      const messages = record.conversations as Message[];
      const sample = template.encodeRecord({ kind: 'conversation', messages }, long);
      assert.ok('inputIds' in sample);
      const padding = ids.findIndex((id) => id !== 0);
      assert.deepEqual([...sample.inputIds].slice(0, 49), ids.slice(padding));
      assert.deepEqual([...sample.labels].slice(0, 49), labels.slice(padding));
    }
  });

  it('ChatGLM2: the first 30 tokens of every question, the first 14 of every answer', async () => {
    const { template } = await loadTokenizer(fixture('tokenizers/chatglm2'), options);
    for (const { record, ids, labels } of trainingRows('chatglm2')) {
      const row = cutAsGlm2Script(encodeGlm2Row(template, record as unknown as Glm2Row), 30, 14);
      assert.deepEqual(row.ids, ids.slice(0, row.ids.length));
      assert.deepEqual(row.labels, labels.slice(0, row.ids.length));
    }
  });
});
