/** GLM-4, GLM-4-9B-hf and GLM-4-0414 against what their own tokenizers gave for the fixture models. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Message, ToolDescription } from '../../../src/dataset/types';
import { loadTokenizer, parseAnswer } from '../../../src/tokenizer';
import type { ByteLevelTokenizer } from '../../../src/tokenizer/bytelevel/byteLevelTokenizer';
import { splitText } from '../../../src/tokenizer/bytelevel/splitter';
import { fixture, readJsonFixture } from '../fixtures';

interface StringRow {
  text: string;
  ids: number[];
  ids_special: number[];
  decoded: string;
  /** GLM-4-9B only. */
  bpe_ids?: number[];
  pieces?: string[];
  /** `tokenizer.json` only. */
  decoded_keep_special?: string;
}

interface ChatRow {
  name: string;
  messages: (Message & { tools?: ToolDescription[] })[];
  tools?: ToolDescription[] | null;
  add_generation_prompt: boolean;
  text: string;
  ids: number[];
}

interface Goldens {
  special: Record<string, number>;
  strings: StringRow[];
  chat: ChatRow[];
}

interface Glm4Goldens extends Goldens {
  process_response: {
    output: string;
    history: (Message & { tools?: unknown })[];
    content: unknown;
    new_history: Message[];
  }[];
  sft: {
    conversations: Message[][];
    separate: { input_ids: number[][]; labels: number[][] };
    combine: { input_ids: number[][]; labels: number[][] };
    eval: { input_ids: number[][] };
  };
}

const options = { vocabSize: 672 };
const families = [
  ['glm4-9b', 'glm4'],
  ['glm-hf', 'jinja'],
  ['glm4-0414', 'jinja'],
] as const;

for (const [family, templateId] of families) {
  describe(`${family} tokenizer`, async () => {
    const goldens = readJsonFixture<Goldens>(`tokenizers/${family}/goldens.json`);
    const bundle = await loadTokenizer(fixture(`tokenizers/${family}`), options);
    const tokenizer = bundle.tokenizer as ByteLevelTokenizer;
    const { template } = bundle;

    it('recognises the family and its special tokens', () => {
      assert.equal(bundle.templateId, templateId);
      assert.equal(tokenizer.vocabSize, 670);
      assert.deepEqual(Object.fromEntries(tokenizer.specialTokens), goldens.special);
      const stops = ['<|endoftext|>', '<|user|>', '<|observation|>'].map((token) => goldens.special[token]);
      assert.deepEqual(template.stopIds, stops);
    });

    it('encodes and decodes every string', () => {
      assert.equal(goldens.strings.length, 87);
      for (const row of goldens.strings) {
        const name = JSON.stringify(row.text);
        assert.deepEqual(tokenizer.encodeWithSpecials(row.text), row.ids, name);
        assert.deepEqual([...tokenizer.prefix, ...row.ids, ...tokenizer.suffix], row.ids_special, name);
        assert.equal(tokenizer.decode(row.ids), row.decoded, name);
        if (row.bpe_ids) assert.deepEqual(tokenizer.encode(row.text), row.bpe_ids, name);
        if (row.pieces) assert.deepEqual(splitText(row.text), row.pieces, name);
        if (row.decoded_keep_special !== undefined) {
          assert.equal(tokenizer.decode(row.ids, { keepSpecial: true }), row.decoded_keep_special, name);
        }
        const special = new Set(tokenizer.specialTokens.values());
        assert.ok(!tokenizer.encode(row.text).some((id) => special.has(id)), name);
        assert.equal(tokenizer.decode(tokenizer.encode(row.text)), row.text, name);
      }
    });

    for (const row of goldens.chat) {
      const tools = row.tools ?? row.messages.find((message) => message.tools)?.tools;
      if (row.add_generation_prompt) {
        it(`writes the prompt "${row.name}"`, () => {
          const ids = template.encodePrompt(row.messages, tools);
          const isInjected = row.name === 'injected' && templateId === 'jinja';
          if (!isInjected) assert.deepEqual(ids, row.ids);
          assert.equal(tokenizer.decode(ids, { keepSpecial: true }), row.text);
        });
      } else if (row.messages.some((message) => message.role === 'assistant')) {
        it(`writes the conversation "${row.name}"`, () => {
          const record = {
            kind: 'conversation' as const,
            messages: row.messages,
            ...(tools ? { tools } : {}),
          };
          const sample = template.encodeRecord(record, { maxLength: 4096, maskHistory: false });
          assert.ok('inputIds' in sample);
          // A training row is closed by the stop token.
          assert.deepEqual([...sample.inputIds], [...row.ids, goldens.special['<|user|>']]);
        });
      }
    }

    // The script writes GLM-4's own format for all three; the fixtures' Jinja template strips questions.
    it('makes the rows of the training script', async () => {
      const { template } = await loadTokenizer(fixture(`tokenizers/${family}`), {
        ...options,
        template: 'glm4',
      });
      const { micro_batches: batches } = readJsonFixture<{
        micro_batches: { input_ids: number[][]; labels: number[][] }[];
      }>(`data/${family}/batches.json`);
      const ids = batches.flatMap((batch) => batch.input_ids);
      const labels = batches.flatMap((batch) => batch.labels);
      const lines = readFileSync(fixture(`data/${family}/train.jsonl`), 'utf8')
        .trim()
        .split('\n');
      assert.equal(lines.length, ids.length);
      for (const [index, line] of lines.entries()) {
        const { messages } = JSON.parse(line) as { messages: Message[] };
        const record = { kind: 'conversation' as const, messages };
        const sample = template.encodeRecord(record, { maxLength: 4096, maskHistory: false });
        assert.ok('inputIds' in sample);
        // The script pads on the left and cuts blindly; its cut is applied to our whole row.
        const padding = ids[index].findIndex((id) => id !== goldens.special['<|endoftext|>']);
        assert.deepEqual([...sample.inputIds].slice(0, 49), ids[index].slice(padding), line);
        assert.deepEqual([...sample.labels].slice(0, 49), labels[index].slice(padding), line);
      }
    });
  });
}

describe('GLM-4 template', async () => {
  const goldens = readJsonFixture<Glm4Goldens>('tokenizers/glm4-9b/goldens.json');
  const { template } = await loadTokenizer(fixture('tokenizers/glm4-9b'), options);
  const { sft } = goldens;

  for (const [index, messages] of sft.conversations.entries()) {
    for (const rule of ['separate', 'combine'] as const) {
      it(`makes row ${index} of the training script, rule "${rule}"`, () => {
        const record = { kind: 'conversation' as const, messages };
        const sample = template.encodeRecord(record, { maxLength: 4096, maskHistory: rule === 'combine' });
        assert.ok('inputIds' in sample);
        assert.deepEqual([...sample.inputIds], sft[rule].input_ids[index]);
        assert.deepEqual([...sample.labels], sft[rule].labels[index]);
      });
    }

    it(`makes prompt ${index} of the evaluation script`, () => {
      const answer = messages.findIndex((message) => message.role === 'assistant');
      assert.deepEqual(template.encodePrompt(messages.slice(0, answer)), sft.eval.input_ids[index]);
    });
  }

  for (const row of goldens.process_response) {
    it(`reads the reply ${JSON.stringify(row.output)}`, () => {
      const hasTools = row.history[0].role === 'system' && row.history[0].tools !== undefined;
      const { parts, answer } = parseAnswer(row.output, hasTools, 'json');
      const written = row.new_history.slice(row.history.length);
      assert.deepEqual(
        parts,
        written.map(({ metadata, content }) => ({ metadata, content })),
      );
      const { kind, ...call } = answer;
      assert.deepEqual(kind === 'text' ? answer.text : call, row.content);
    });
  }
});
