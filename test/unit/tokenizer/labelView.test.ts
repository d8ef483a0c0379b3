/** The label view against the rows of training: same ids, same labels, texts that add up, and whose every token is. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Message, TrainingRecord } from '../../../src/dataset/types';
import {
  labelView,
  loadTokenizer,
  type EncodeOptions,
  type LabelView,
  type TokenizerBundle,
} from '../../../src/tokenizer';
import { fixture } from '../fixtures';

const all: EncodeOptions = { maxLength: 4096, maskHistory: false };

const user = (content: string): Message => ({ role: 'user', content });
const assistant = (content: string, extra: Partial<Message> = {}): Message => ({
  role: 'assistant',
  content,
  ...extra,
});

const records: Record<string, TrainingRecord> = {
  'one round': { kind: 'conversation', messages: [user('你好'), assistant('你好！有什么可以帮助你？')] },
  'rounds, system text, emoji': {
    kind: 'conversation',
    messages: [
      { role: 'system', content: 'Be  brief.\n\t短' },
      user('1+1=? 😀'),
      assistant('2 😀'),
      user('  两个空格\n\n'),
      assistant('龘𠮷', { loss: false }),
      user('ＦＵＬＬ，width'),
      assistant('好的'),
    ],
  },
  'tools and observation': {
    kind: 'conversation',
    messages: [
      user('天气'),
      assistant("```python\ntool_call(city='北京')\n```", { metadata: 'get_weather' }),
      { role: 'observation', content: '{"t": 20}' },
      assistant('20度'),
    ],
    tools: [{ type: 'function', function: { name: 'get_weather', description: '', parameters: {} } }],
  },
  text: { kind: 'text', text: '今天天气很好 😀 <|user|>\n' },
  tokens: { kind: 'tokens', input_ids: [5, 300, 301, 302], labels: [-100, -100, 301, 302] },
};

function view(bundle: TokenizerBundle, record: TrainingRecord, options = all): LabelView {
  const result = labelView(bundle, record, options);
  assert.ok('tokens' in result, JSON.stringify(result));
  return result;
}

/** `role message:text` of every stretch of one origin; a trained stretch in brackets. */
function stretches({ tokens }: LabelView): string[] {
  const out: { key: string; text: string }[] = [];
  for (const token of tokens) {
    const key = `${token.role} ${token.messageIndex ?? '-'}${token.trained ? ' trained' : ''}`;
    const last = out.at(-1);
    if (last?.key === key) last.text += token.text;
    else out.push({ key, text: token.text });
  }
  return out.map(({ key, text }) => `${key}: ${JSON.stringify(text)}`);
}

for (const family of ['chatglm-v1', 'chatglm2', 'chatglm3', 'glm4-9b', 'glm-hf', 'glm4-0414'] as const) {
  describe(`Label view of ${family}`, async () => {
    const bundle = await loadTokenizer(fixture(`tokenizers/${family}`), { vocabSize: 832 });
    for (const [name, record] of Object.entries(records)) {
      it(`equals the row of training: ${name}`, () => {
        for (const maskHistory of [false, true]) {
          for (const maxLength of [4096, 120, 60, 40]) {
            const sample = bundle.template.encodeRecord(record, { maxLength, maskHistory });
            const seen = labelView(bundle, record, { maxLength, maskHistory });
            if ('dropped' in sample) {
              assert.deepEqual(seen, sample);
              continue;
            }
            assert.ok('tokens' in seen);
            assert.deepEqual(
              seen.tokens.map((token) => token.id),
              [...sample.inputIds],
            );
            assert.deepEqual(
              seen.tokens.map((token) => token.label),
              [...sample.labels],
            );
            assert.deepEqual([seen.trained, seen.truncated], [sample.trained, sample.truncated]);
            assert.equal(
              seen.tokens.map((token) => token.text).join(''),
              bundle.tokenizer.decode([...sample.inputIds], { keepSpecial: true }),
            );
          }
        }
      });
    }
  });
}

describe('Whose a token is', async () => {
  const glm1 = await loadTokenizer(fixture('tokenizers/chatglm-v1'), { vocabSize: 832 });
  const glm4 = await loadTokenizer(fixture('tokenizers/glm4-9b'), { vocabSize: 672 });
  const jinja = await loadTokenizer(fixture('tokenizers/glm4-0414'), { vocabSize: 672 });
  const glm2 = await loadTokenizer(fixture('tokenizers/chatglm2'), { vocabSize: 672 });
  const glm3 = await loadTokenizer(fixture('tokenizers/chatglm3'), { vocabSize: 672 });
  const record: Extract<TrainingRecord, { kind: 'conversation' }> = {
    kind: 'conversation',
    messages: [
      { role: 'system', content: 'S😀' },
      user('a'),
      assistant('b'),
      user('c'),
      assistant('d', { loss: false }),
      user('e'),
      assistant('f'),
    ],
  };

  it('ChatGLM-6B: one context, one answer, the last that asks for it', () => {
    const seen = view(glm1, { kind: 'conversation', messages: record.messages.slice(0, 5) });
    assert.deepEqual(stretches(seen), [
      'system 0: "S😀"',
      'control 1: "\\n"',
      'user 1: "a"',
      'control 2: "[gMASK]"',
      'control 2 trained: "<sop>"',
      'assistant 2 trained: " b"',
      'control 2 trained: "<eop>"',
    ]);
    const rounds = view(glm1, record);
    assert.deepEqual(stretches(rounds), [
      'control 0: "[Round 0]\\n问:"',
      'system 0: "S😀"',
      'control 1: "\\n"',
      'user 1: "a"',
      'control 2: "\\n答:"',
      'assistant 2: "b"',
      'control 3: "\\n[Round 1]\\n问:"',
      'user 3: "c"',
      'control 4: "\\n答:"',
      'assistant 4: "d"',
      'control 5: "\\n[Round 2]\\n问:"',
      'user 5: "e"',
      'control 6: "\\n答:[gMASK]"',
      'control 6 trained: "<sop>"',
      'assistant 6 trained: " f"',
      'control 6 trained: "<eop>"',
    ]);
    assert.equal(rounds.contextTurns, 1);
  });

  for (const [name, glm] of [
    ['GLM-4', glm4],
    ['GLM-4-0414', jinja],
  ] as const) {
    it(`${name}: every message keeps its index, and trains what its loss says`, () => {
      const { tokens } = view(glm, record);
      for (const [index, message] of record.messages.entries()) {
        const own = tokens.filter((token) => token.messageIndex === index && token.role === message.role);
        assert.equal(own.map((token) => token.text).join(''), message.content);
        const isTrained = message.role === 'assistant' && message.loss !== false;
        assert.ok(
          own.every((token) => token.trained === isTrained),
          message.content,
        );
      }
    });
  }

  it('ChatGLM3: messages by their role tokens', () => {
    assert.deepEqual(stretches(view(glm3, record)), [
      'control -: "[gMASK]sop"',
      'control 0: "<|system|>\\n"',
      'system 0: " S😀"',
      'control 1: "<|user|>\\n"',
      'user 1: " a"',
      'control 2: "<|assistant|>"',
      'control 2 trained: "\\n"',
      'assistant 2 trained: " b"',
      'control 3 trained: "<|user|>"',
      'control 3: "\\n"',
      'user 3: " c"',
      'control 4: "<|assistant|>\\n"',
      'assistant 4: " d"',
      'control 5: "<|user|>\\n"',
      'user 5: " e"',
      'control 6: "<|assistant|>"',
      'control 6 trained: "\\n"',
      'assistant 6 trained: " f"',
      'control 6 trained: ""',
    ]);
  });

  it('ChatGLM2: found again in one text, and the stop token taught at the next round', () => {
    const seen = view(glm2, record);
    assert.deepEqual(stretches(seen), [
      'control -: "[gMASK]sop"',
      'control 0: "[Round 1]\\n\\n问："',
      'system 0: "S😀"',
      'control 1: "\\n\\n"',
      'user 1: "a"',
      'control 2: "\\n\\n答："',
      'assistant 2 trained: " b"',
      'control 3 trained: "\\n"',
      'control 3: "\\n[Round 2]\\n\\n问："',
      'user 3: "c"',
      'control 4: "\\n\\n答："',
      'assistant 4: "d"',
      'control 5: "\\n\\n[Round 3]\\n\\n问："',
      'user 5: "e"',
      'control 6: "\\n\\n答："',
      'assistant 6 trained: " f"',
      'control 6 trained: ""',
    ]);
    const taught = seen.tokens.find((token) => token.trained && token.label !== token.id);
    assert.deepEqual([taught?.role, taught?.label], ['control', 2]);
  });

  it('a tool list in a system message of its own belongs to no message', () => {
    const seen = view(glm3, records['tools and observation']);
    const system = seen.tokens.filter((token) => token.role === 'system');
    assert.ok(system.length > 0 && system.every((token) => token.messageIndex === null));
    const observation = seen.tokens.filter((token) => token.role === 'observation');
    assert.deepEqual(new Set(observation.map((token) => token.messageIndex)), new Set([2]));
  });

  it('a stop token that prints nothing shows in its piece', () => {
    assert.equal(view(glm3, record).tokens.at(-1)?.piece, '</s>');
  });

  it('a character of several tokens stands on the last of them', () => {
    const seen = view(glm3, { kind: 'text', text: '𠮷' });
    const bytes = seen.tokens.filter((token) => token.piece.startsWith('<0x'));
    assert.deepEqual(
      bytes.map((token) => token.text),
      ['', '', '', '𠮷'],
    );
  });

  it('says why a record is not trained on', () => {
    assert.deepEqual(labelView(glm3, { kind: 'conversation', messages: [user('a')] }, all), {
      dropped: 'noTrainedToken',
    });
  });
});
