import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadTokenizer, parseAnswer, type TokenizerBundle } from '../../../src/tokenizer';
import { parseToolCall } from '../../../src/tokenizer/templates/toolCall';
import { fixture } from '../fixtures';

const options = { vocabSize: 672 };

/** Streams ids and checks on the way that nothing is taken back; returns the whole text. */
function stream({ template }: TokenizerBundle, ids: number[]): string {
  const decoder = template.streamAnswer();
  const text = ids.map((id) => decoder.push(id)).join('') + decoder.flush();
  assert.ok(!text.includes('\ufffd'));
  return text;
}

describe('Answers of ChatGLM3', async () => {
  const glm = await loadTokenizer(fixture('tokenizers/chatglm3'), options);
  const ids = (...texts: string[]): number[] => texts.flatMap((text) => glm.tokenizer.encode(text));
  const [stop, userToken] = glm.template.stopIds;
  const assistantToken = glm.tokenizer.specialTokens.get('<|assistant|>') as number;

  for (const [name, answer, expected] of [
    ['leaves the empty role line out', ids('\n', '你好，世界 😀'), '你好，世界 😀'],
    ['strips the content', ids('\n', '  a b \n\n'), 'a b'],
    ['replaces the placeholder of the year', ids('\n', 'x[[训练时间]]y'), 'x2023年y'],
    ['keeps what only begins like it', ids('\n', 'x[[训练'), 'x[[训练'],
    ['takes all as content without a newline', ids('你好'), '你好'],
    ['ends at the stop token', [...ids('\n', 'a'), stop, ...ids('b')], 'a'],
    ['ends where the user would speak', [...ids('\n', 'a'), userToken], 'a'],
    ['shows a tool call as it is', ids('get_weather\n', '{"city": 1} '), 'get_weather\n {"city": 1} '],
    ['gives nothing for nothing', [stop], ''],
  ] as const) {
    it(name, () => {
      assert.equal(glm.template.decodeAnswer(answer), expected);
      assert.equal(stream(glm, [...answer]), expected);
    });
  }

  it('takes the last of several messages, as the reference does', () => {
    const answer = [...ids('\n', 'first'), assistantToken, ...ids('\n', 'second')];
    assert.equal(glm.template.decodeAnswer(answer), 'second');
    assert.equal(stream(glm, answer), 'first\nsecond');
  });

  it('does not take a typed role for a new message', () => {
    assert.equal(glm.template.decodeAnswer(ids('\n', 'a<|assistant|>b')), 'a<|assistant|>b');
  });
});

describe('Answers of ChatGLM2', async () => {
  const glm = await loadTokenizer(fixture('tokenizers/chatglm2'), options);

  it('strips, replaces the year and ends at the stop token', () => {
    const answer = [...glm.tokenizer.encode(' \n一 [[训练时间]] 二 \n'), 2, 5];
    assert.equal(glm.template.decodeAnswer(answer), '一 2023年 二');
    assert.equal(stream(glm, answer), '一 2023年 二');
  });
});

describe('Tool calls', () => {
  it('reads Python literals', () => {
    assert.deepEqual(parseToolCall(`tool_call(city='北京', days=3, f=-1.5e2, ok=True, none=None)`), {
      city: '北京',
      days: 3,
      f: -150,
      ok: true,
      none: null,
    });
    assert.deepEqual(
      parseToolCall(`f(a=[1, (2,), {'k': "v"}], b="it\\'s\\n\\u4f60", c='x' 'y', d=r'\\n', e="""q"q""")`),
      {
        a: [1, [2], { k: 'v' }],
        b: "it's\n你",
        c: 'xy',
        d: '\\n',
        e: 'q"q',
      },
    );
    assert.deepEqual(parseToolCall('f()'), {});
  });

  for (const text of [
    '',
    'f(',
    'f(1)',
    'f(a=)',
    "f(a='x)",
    'f(a=g())',
    'f(a=1); g(b=2)',
    '__import__("os").system("x")',
    'f(a=1+1)',
    `f(a=${'['.repeat(10_000)})`,
    "f(a='\\xZZ')",
  ]) {
    it(`refuses ${JSON.stringify(text.slice(0, 40))}`, () => assert.equal(parseToolCall(text), null));
  }

  it('does not touch prototypes', () => {
    const parsed = parseToolCall("f(__proto__={'polluted': 1}, b={'__proto__': {'polluted': 1}})");
    assert.ok(parsed);
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
  });

  it('hands over a call that cannot be read as it is', () => {
    const { answer } = parseAnswer('get\n```python\nopen("x")\n```', true);
    assert.deepEqual(answer, { kind: 'raw', name: 'get', content: '```python\nopen("x")\n```' });
  });
});
