import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { detectFormat, normaliseRecord, type FormatId, type Message } from '../../../src/dataset';

function record(value: unknown) {
  const result = normaliseRecord(value);
  assert.ok('record' in result, JSON.stringify(result));
  return result.record;
}

function messagesOf(value: unknown): Message[] {
  const result = record(value);
  assert.ok(result.kind === 'conversation');
  return result.messages;
}

function problemsOf(value: unknown): string[] {
  const result = normaliseRecord(value);
  const list = 'record' in result ? result.warnings : result.problems;
  return list.map(({ code, path }) => `${code} ${path.join('.')}`);
}

const USER: Message = { role: 'user', content: 'q' };
const ASSISTANT: Message = { role: 'assistant', content: 'a' };

/** The same conversation in every shape. */
const SHAPES: [FormatId, unknown][] = [
  ['messages', { messages: [USER, ASSISTANT] }],
  ['conversations', { conversations: [USER, ASSISTANT] }],
  [
    'sharegpt',
    {
      conversations: [
        { from: 'human', value: 'q' },
        { from: 'gpt', value: 'a' },
      ],
    },
  ],
  [
    'sharegpt',
    {
      conversations: [
        { from: 'user', value: 'q' },
        { from: 'assistant', value: 'a' },
      ],
    },
  ],
  ['sharegpt', { conversation: [{ human: 'q', assistant: 'a' }] }],
  ['alpaca', { instruction: 'q', input: '', output: 'a' }],
  ['alpaca', { instruction: '', input: 'q', output: 'a', history: [[]], system: null }],
  ['prompt-response', { prompt: 'q', response: 'a', history: [] }],
  ['query-response', { query: 'q', response: 'a' }],
  ['prompt-completion', { prompt: 'q', completion: 'a' }],
  ['prompt-completion', { prompt: [USER], completion: [ASSISTANT] }],
  ['columns', { content: 'q', summary: 'a' }],
  ['columns', { question: 'q', answer: 'a', id: 7 }],
  ['columns', { 问题: 'q', 答案: 'a' }],
];

describe('normaliseRecord', () => {
  for (const [format, value] of SHAPES) {
    it(`reads ${format}: ${JSON.stringify(value)}`, () => {
      assert.equal(detectFormat(value), format);
      assert.deepEqual(messagesOf(value), [USER, ASSISTANT]);
    });
  }

  it('makes messages of a history', () => {
    const value = { instruction: 'q', input: 'more', output: 'a', history: [['q1', 'a1']], system: 's' };
    assert.deepEqual(messagesOf(value), [
      { role: 'system', content: 's' },
      { role: 'user', content: 'q1' },
      { role: 'assistant', content: 'a1' },
      { role: 'user', content: 'q\nmore' },
      ASSISTANT,
    ]);
  });

  it('knows an empty history column from none', () => {
    const emptyHistory = (history?: unknown): boolean | undefined => {
      const result = normaliseRecord({ prompt: 'q', response: 'a', history });
      assert.ok('record' in result && result.record.kind === 'conversation');
      return result.record.emptyHistory;
    };
    assert.deepEqual([emptyHistory([]), emptyHistory([[]])], [true, true]);
    assert.deepEqual(
      [emptyHistory(null), emptyHistory(), emptyHistory([['x', 'y']])],
      [undefined, undefined, undefined],
    );
  });

  it('reads a loss of 0 as false in every shape', () => {
    const openAi = messagesOf({ messages: [USER, { ...ASSISTANT, loss: 0 }, USER, ASSISTANT] });
    assert.equal(openAi[1].loss, false);
    const shareGpt = messagesOf({
      conversations: [
        { from: 'human', value: 'q' },
        { from: 'gpt', value: 'a', loss: 0 },
        { from: 'human', value: 'q' },
        { from: 'gpt', value: 'b' },
      ],
    });
    assert.deepEqual(
      shareGpt.map(({ loss }) => loss),
      [undefined, false, undefined, undefined],
    );
  });

  it('keeps the loss switches of messages', () => {
    const value = { messages: [USER, { ...ASSISTANT, loss: false }, USER, { ...ASSISTANT, weight: 1 }] };
    assert.deepEqual(
      messagesOf(value).map(({ loss }) => loss),
      [undefined, false, undefined, undefined],
    );
    assert.deepEqual(problemsOf({ messages: [USER, { ...ASSISTANT, weight: 0 }] }), [
      'nothingTrained messages',
    ]);
  });

  it("splits ChatGLM3's tool message into the call and its result", () => {
    const value = {
      tools: [{ name: 'weather' }],
      conversations: [
        USER,
        { role: 'assistant', content: 'I look it up.' },
        {
          role: 'tool',
          name: 'weather',
          parameters: { city: "Xi'an", days: 2, all: true },
          observation: { t: [1] },
        },
        ASSISTANT,
      ],
    };
    const result = record(value);
    assert.ok(result.kind === 'conversation');
    assert.deepEqual(result.tools, [{ name: 'weather' }]);
    assert.deepEqual(result.messages.slice(2, 4), [
      {
        role: 'assistant',
        metadata: 'weather',
        content: '```python\ntool_call(city="Xi\'an", days=2, all=True)\n```',
        toolCall: { name: 'weather', arguments: { city: "Xi'an", days: 2, all: true } },
      },
      { role: 'observation', content: '{"t": [1]}' },
    ]);
  });

  it('reads tools on the system message (GLM-4), as JSON text (ShareGPT) and calls of OpenAI', () => {
    const system = { role: 'system', content: '', tools: [{ type: 'function' }] };
    const glm4 = record({ messages: [system, USER, ASSISTANT] });
    assert.deepEqual(glm4, {
      kind: 'conversation',
      messages: [USER, ASSISTANT],
      tools: [{ type: 'function' }],
    });

    const call = { from: 'function_call', value: '{"name":"f","arguments":{"x":"\\n"}}' };
    const turns = [
      { from: 'human', value: 'q' },
      call,
      { from: 'observation', value: '1' },
      { from: 'gpt', value: 'a' },
    ];
    const sharegpt = record({ conversations: turns, tools: '[{"name":"f"}]' });
    assert.ok(sharegpt.kind === 'conversation');
    assert.deepEqual(sharegpt.tools, [{ name: 'f' }]);
    assert.equal(sharegpt.messages[1]?.content, "```python\ntool_call(x='\\n')\n```");

    const calls = [{ type: 'function', function: { name: 'f', arguments: '{"x":1}' } }];
    const openai = { role: 'assistant', content: null, tool_calls: calls };
    const messages = messagesOf({ messages: [USER, openai, { role: 'tool', content: '1' }, ASSISTANT] });
    assert.deepEqual(messages[1]?.toolCall, { name: 'f', arguments: { x: 1 } });
    assert.equal(messages[2]?.role, 'observation');
  });

  it('reads texts and token rows', () => {
    assert.deepEqual(record({ text: 'x' }), { kind: 'text', text: 'x' });
    const row = { input_ids: [5, 6], labels: [-100, 6], attention_mask: [1, 1] };
    assert.deepEqual(record(row), { kind: 'tokens', ...row });
    assert.deepEqual(record({ input_ids: [5, 6] }), { kind: 'tokens', input_ids: [5, 6], labels: [5, 6] });
  });

  it('leaves out what follows the last answer', () => {
    const value = { messages: [USER, ASSISTANT, { role: 'user', content: 'bye' }] };
    assert.deepEqual(messagesOf(value), [USER, ASSISTANT]);
    assert.deepEqual(problemsOf(value), ['endsWithoutAnswer messages.2.role']);
  });

  const FAULTY: [unknown, string[]][] = [
    [{ foo: 1 }, ['unknownShape ']],
    [{ content: 'only' }, ['unknownShape ']],
    ['text', ['notAnObject ']],
    [[1], ['arrayRecord ']],
    [{ instruction: 'q' }, ['missingField output']],
    [{ question: 'q' }, ['missingField answer']],
    [{ prompt: 'q', response: null }, ['missingField response']],
    [{ prompt: 'q', response: ['a'] }, ['wrongType response']],
    [{ instruction: ' ', input: '', output: 'a' }, ['emptyPrompt instruction']],
    [{ instruction: 'q', output: '　\u200b' }, ['emptyAnswer output']],
    [{ prompt: 'q', response: 'a', history: [['x']] }, ['badHistoryTurn history.0']],
    [{ prompt: 'q', response: 'a', history: 'x' }, ['wrongType history']],
    [{ messages: 'x' }, ['wrongType messages']],
    [{ messages: [] }, ['emptyList messages']],
    [{ messages: [USER, 3] }, ['wrongType messages.1']],
    [{ messages: [USER, { role: 'assistant' }] }, ['missingField messages.1.content']],
    [
      { messages: [{ role: 'human', content: 'q' }, ASSISTANT] },
      ['unknownRole messages.0.role', 'startsWithAssistant messages.1.role'],
    ],
    [{ messages: [USER, USER, ASSISTANT] }, ['repeatedRole messages.1.role']],
    [{ messages: [ASSISTANT] }, ['startsWithAssistant messages.0.role']],
    [{ messages: [USER, { role: 'system', content: 's' }, ASSISTANT] }, ['systemNotFirst messages.1.role']],
    [
      { messages: [USER, { role: 'observation', content: '1' }, ASSISTANT] },
      ['observationFirst messages.1.role'],
    ],
    [{ messages: [USER] }, ['noAssistant messages']],
    [{ messages: [USER, ASSISTANT], tools: '[{' }, ['toolsNotJson tools']],
    [{ messages: [USER, ASSISTANT], tools: [1] }, ['wrongType tools']],
    [{ messages: [USER, { ...ASSISTANT, loss: 'no' }] }, ['wrongType messages.1.loss']],
    [{ input_ids: [1, 2], labels: [1] }, ['lengthMismatch labels']],
    [{ input_ids: [1, 2.5] }, ['badTokenId input_ids.1']],
    [{ input_ids: [1], labels: [-1] }, ['badTokenId labels.0']],
    [{ input_ids: [1], labels: [-100] }, ['nothingTrained labels']],
    [{ input_ids: [] }, ['emptyList input_ids']],
    [{ text: 5 }, ['wrongType text']],
  ];
  for (const [value, expected] of FAULTY) {
    it(`rejects ${JSON.stringify(value)}`, () => {
      assert.deepEqual(problemsOf(value), expected);
      assert.ok('problems' in normaliseRecord(value));
    });
  }

  const ACCEPTED: unknown[] = [
    {
      messages: [
        USER,
        { role: 'assistant', content: '{"name":"f"}' },
        { role: 'observation', content: '' },
        ASSISTANT,
      ],
    },
    { messages: [USER, { role: 'assistant', content: [{ type: 'text', text: 'a' }] }], tools: null },
    { conversations: [USER, ASSISTANT], tools: '' },
    { prompt: 'q', response: 'a', history: null },
  ];
  for (const value of ACCEPTED) {
    it(`accepts ${JSON.stringify(value)}`, () => assert.deepEqual(problemsOf(value), []));
  }
});
