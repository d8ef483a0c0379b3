/** Label masks, shortening and refusal of rows, told through the text that is trained. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Message, TrainingRecord } from '../../../src/dataset/types';
import { loadTokenizer, type EncodedSample, type TokenizerBundle } from '../../../src/tokenizer';
import { fixture } from '../fixtures';

const options = { vocabSize: 672 };
const all = { maxLength: 4096, maskHistory: false };

function load(family: 'chatglm2' | 'chatglm3'): Promise<TokenizerBundle> {
  return loadTokenizer(fixture(`tokenizers/${family}`), options);
}

function conversation(...messages: Message[]): TrainingRecord {
  return { kind: 'conversation', messages };
}

const user = (content: string): Message => ({ role: 'user', content });
const assistant = (content: string, extra: Partial<Message> = {}): Message => ({
  role: 'assistant',
  content,
  ...extra,
});

function encode(bundle: TokenizerBundle, record: TrainingRecord, how = all): EncodedSample {
  const result = bundle.template.encodeRecord(record, how);
  assert.ok('inputIds' in result, JSON.stringify(result));
  assert.equal(result.inputIds.length, result.labels.length);
  assert.equal(result.trained, result.labels.filter((label) => label !== -100).length);
  assert.ok(result.inputIds.length <= how.maxLength);
  return result;
}

/** The trained labels as pieces, runs separated by `|`. */
function trained({ tokenizer }: TokenizerBundle, { labels }: EncodedSample): string {
  const runs: string[] = [];
  let open = false;
  for (const label of labels) {
    if (label !== -100) {
      if (open) runs[runs.length - 1] += tokenizer.piece(label);
      else runs.push(tokenizer.piece(label));
    }
    open = label !== -100;
  }
  return runs.join('|');
}

const three = conversation(
  { role: 'system', content: 'S' },
  user('a'),
  assistant('b'),
  user('c'),
  assistant('d'),
  user('e'),
  assistant('f'),
);

describe('ChatGLM3 labels', async () => {
  const glm = await load('chatglm3');

  it('trains every assistant turn and the role token that ends it', () => {
    assert.equal(trained(glm, encode(glm, three)), '▁<0x0A>▁b<|user|>|▁<0x0A>▁d<|user|>|▁<0x0A>▁f</s>');
  });

  it('trains the last turn alone if asked', () => {
    const sample = encode(glm, three, { ...all, maskHistory: true });
    assert.equal(trained(glm, sample), '▁<0x0A>▁f</s>');
  });

  it('leaves out a turn marked with loss: false', () => {
    const record = conversation(user('a'), assistant('b', { loss: false }), user('c'), assistant('d'));
    assert.equal(trained(glm, encode(glm, record)), '▁<0x0A>▁d</s>');
  });

  it('puts a tool call on the role line and trains it, and the result as the reference script does', () => {
    const record = conversation(
      user('a'),
      assistant('b', { metadata: 'x' }),
      { role: 'observation', content: 'c' },
      assistant('d'),
    );
    const sample = encode(glm, record);
    assert.equal(trained(glm, sample), '▁x<0x0A>▁b<|observation|>▁<0x0A>▁c<|assistant|>▁<0x0A>▁d</s>');
  });

  it('lists tools in the system message, and adds one where there is none', () => {
    const tools = [{ name: 'x' }];
    const listed = '\n[\n    {\n        "name": "x"\n    }\n]';
    const without = glm.template.encodePrompt([user('a')], tools);
    assert.equal(
      glm.tokenizer.decode(without, { keepSpecial: true }),
      `[gMASK]sop<|system|>\n ${listed}<|user|>\n a<|assistant|>`,
    );
    const record = encode(glm, {
      kind: 'conversation',
      messages: [{ role: 'system', content: 'S' }, user('a'), assistant('b')],
      tools,
    });
    assert.equal(
      glm.tokenizer.decode([...record.inputIds], { keepSpecial: true }),
      `[gMASK]sop<|system|>\n S${listed}<|user|>\n a<|assistant|>\n b`,
    );
  });

  it('refuses a conversation without a trained turn', () => {
    assert.deepEqual(glm.template.encodeRecord(conversation(user('a')), all), { dropped: 'noTrainedToken' });
    const muted = conversation(user('a'), assistant('b', { loss: false }));
    assert.deepEqual(glm.template.encodeRecord(muted, all), { dropped: 'noTrainedToken' });
  });
});

describe('ChatGLM2 labels', async () => {
  const glm = await load('chatglm2');

  it('trains every answer and, after each, to stop', () => {
    const sample = encode(glm, three);
    assert.equal(trained(glm, sample), '▁b</s>|▁d</s>|▁f</s>');
    assert.equal(
      glm.tokenizer.decode([...sample.inputIds]),
      '[Round 1]\n\n问：S\n\na\n\n答： b\n\n[Round 2]\n\n问：c\n\n答： d\n\n[Round 3]\n\n问：e\n\n答： f',
    );
    // The stop tokens between rounds are targets only: the prompt format has none there.
    assert.equal(sample.inputIds.filter((id) => id === 2).length, 1);
  });

  it('continues a trained round as stream_chat continues its cache', () => {
    const record = conversation(user('写一首诗'), assistant('春天来了'), user('再写一首'), assistant('夏天'));
    const sample = encode(glm, record);
    const later = glm.template.encodePrompt([user('写一首诗'), assistant(''), user('再写一首')]);
    const start = later.findIndex((id, at) => id === 13 && later[at + 1] === 13 && at > 22);
    const text = `,${[...sample.inputIds].join(',')},`;
    assert.ok(text.includes(`,${later.slice(start).join(',')},`));
  });

  it('trains the last answer alone if asked', () => {
    assert.equal(trained(glm, encode(glm, three, { ...all, maskHistory: true })), '▁f</s>');
  });

  it('leaves out a turn marked with loss: false', () => {
    const record = conversation(user('a'), assistant('b', { loss: false }), user('c'), assistant('d'));
    assert.equal(trained(glm, encode(glm, record)), '▁d</s>');
  });
});

for (const family of ['chatglm2', 'chatglm3'] as const) {
  describe(`${family} rows that do not fit`, async () => {
    const glm = await load(family);
    const stop = glm.template.stopIds[0];
    const whole = (record: TrainingRecord): EncodedSample => encode(glm, record);

    it('shortens the answer, keeps the question and the stop token, and says how much was cut', () => {
      const record = conversation(user('什么是神经网络'), assistant('神经网络是一种模型。'.repeat(20)));
      const full = whole(record);
      const prompt = glm.template.encodePrompt([user('什么是神经网络')]);
      for (const maxLength of [prompt.length + 6, prompt.length + 20, full.inputIds.length - 1]) {
        const sample = encode(glm, record, { maxLength, maskHistory: false });
        assert.equal(sample.inputIds.length, maxLength);
        assert.equal(sample.truncated, full.inputIds.length - maxLength);
        assert.deepEqual([...sample.inputIds.slice(0, prompt.length)], prompt);
        assert.deepEqual(sample.inputIds.slice(0, -1), full.inputIds.slice(0, maxLength - 1));
        assert.equal(sample.inputIds.at(-1), stop);
        assert.equal(sample.labels.at(-1), stop);
      }
    });

    it('does not touch a row that just fits', () => {
      const full = whole(three);
      const sample = encode(glm, three, { maxLength: full.inputIds.length, maskHistory: false });
      assert.deepEqual(sample, full);
      assert.equal(sample.truncated, 0);
    });

    it('refuses a row whose question leaves no room for an answer', () => {
      const record = conversation(user('问题'.repeat(50)), assistant('b'));
      const result = glm.template.encodeRecord(record, { maxLength: 60, maskHistory: false });
      assert.deepEqual(result, { dropped: 'tooLong' });
      assert.deepEqual(glm.template.encodeRecord(three, { maxLength: 3, maskHistory: false }), {
        dropped: 'tooLong',
      });
    });

    it('leaves out later turns that do not fit, never an answer without its question', () => {
      const record = conversation(user('a'), assistant('b'), user('长'.repeat(200)), assistant('d'));
      const sample = encode(glm, record, { maxLength: 100, maskHistory: false });
      assert.deepEqual([...sample.inputIds], [...whole(conversation(user('a'), assistant('b'))).inputIds]);
      assert.equal(sample.truncated, whole(record).inputIds.length - sample.inputIds.length);
    });

    it('leaves out the oldest rounds first where only the last turn is trained', () => {
      const messages = [
        { role: 'system', content: 'S' } as const,
        user('旧'.repeat(60)),
        assistant('b'),
        user('c'),
        assistant('d'),
        user('e'),
        assistant('f'),
      ];
      const sample = encode(glm, conversation(...messages), { maxLength: 100, maskHistory: true });
      const text = glm.tokenizer.decode([...sample.inputIds]);
      assert.ok(!text.includes('旧'));
      assert.ok(text.includes('c') && text.includes('e'));
      assert.ok(trained(glm, sample).endsWith('▁f</s>'));
      assert.ok(sample.truncated > 60);
    });

    it('goes on to a later round when the first question alone is too long', () => {
      const record = conversation(user('长'.repeat(200)), assistant('b'), user('c'), assistant('d'));
      const sample = encode(glm, record, { maxLength: 60, maskHistory: false });
      assert.ok(trained(glm, sample).endsWith('▁d</s>'));
      assert.ok(!glm.tokenizer.decode([...sample.inputIds]).includes('长'));
    });

    it('shortens plain text at its end', () => {
      const sample = encode(glm, { kind: 'text', text: 'abcdefgh'.repeat(10) }, { ...all, maxLength: 20 });
      const full = whole({ kind: 'text', text: 'abcdefgh'.repeat(10) });
      assert.deepEqual([...sample.inputIds], [...full.inputIds.slice(0, 19), stop]);
      assert.equal(sample.truncated, full.inputIds.length - 20);
      assert.deepEqual(glm.template.encodeRecord({ kind: 'text', text: '' }, all), {
        dropped: 'noTrainedToken',
      });
    });
  });
}

describe('Pre-tokenised rows', async () => {
  const { template } = await load('chatglm3');
  const encodeTokens = (
    input_ids: number[],
    labels: number[],
    attention_mask?: number[],
    maxLength = 100,
  ): ReturnType<typeof template.encodeRecord> =>
    template.encodeRecord({ kind: 'tokens', input_ids, labels, attention_mask }, { ...all, maxLength });

  it('removes padding and takes the rest as it is', () => {
    const sample = encodeTokens([0, 0, 5, 6, 7], [-100, -100, -100, 6, 7], [0, 0, 1, 1, 1]);
    assert.ok('inputIds' in sample);
    assert.deepEqual([...sample.inputIds], [5, 6, 7]);
    assert.deepEqual([...sample.labels], [-100, 6, 7]);
    assert.equal(sample.trained, 2);
  });

  it('never counts the first token as trained', () => {
    const sample = encodeTokens([5, 6], [5, 6]);
    assert.ok('inputIds' in sample);
    assert.deepEqual([...sample.labels], [-100, 6]);
  });

  it('refuses ids and labels outside the vocabulary of the model', () => {
    assert.ok('inputIds' in encodeTokens([5, 671], [-100, 671]));
    assert.deepEqual(encodeTokens([5, 672], [-100, 6]), { dropped: 'tokenOutOfRange' });
    assert.deepEqual(encodeTokens([5, -1], [-100, 6]), { dropped: 'tokenOutOfRange' });
    assert.deepEqual(encodeTokens([5, 6], [-100, 672]), { dropped: 'tokenOutOfRange' });
    assert.deepEqual(encodeTokens([5, 6.5], [-100, 6]), { dropped: 'tokenOutOfRange' });
  });

  it('shortens at the end and refuses what is left without a label', () => {
    const sample = encodeTokens([5, 6, 7, 8], [-100, 6, 7, 8], undefined, 3);
    assert.ok('inputIds' in sample);
    assert.deepEqual([...sample.inputIds], [5, 6, 7]);
    assert.equal(sample.truncated, 1);
    assert.deepEqual(encodeTokens([5, 6, 7], [-100, -100, 7], undefined, 2), { dropped: 'tooLong' });
    assert.deepEqual(encodeTokens([5, 6], [-100, -100]), { dropped: 'noTrainedToken' });
  });
});
