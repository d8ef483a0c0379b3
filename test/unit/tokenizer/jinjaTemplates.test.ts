/** Chat templates in Jinja against what jinja2 3.1.6 makes of them with the settings of transformers. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Message, ToolDescription } from '../../../src/dataset/types';
import { GlmError, type ErrorCode } from '../../../src/protocol/errors';
import { JinjaChatTemplate } from '../../../src/tokenizer/jinja/chatTemplate';
import { isData, messageOf } from '../../../src/tokenizer/jinja/marked';
import cases from './jinja2.json';

type Conversation = (Message & { tools?: ToolDescription[] })[];

function template(text: string, specials: Record<string, string> = {}): JinjaChatTemplate {
  return new JinjaChatTemplate({ path: 'x', text, toolText: null }, new Map(Object.entries(specials)));
}

describe('Chat templates in Jinja', () => {
  for (const row of cases) {
    it(row.name, () => {
      const messages = row.messages as Conversation;
      const tools = (row.tools as ToolDescription[] | null) ?? messages.find((m) => m.tools)?.tools ?? [];
      const specials = row.specials as Record<string, string>;
      const rendered = template(row.template, specials).render(messages, tools, row.generate);
      assert.equal(rendered.text, row.expected);
      assert.equal(rendered.marks.length, rendered.text.length);
    });
  }

  it("get bare functions wrapped where they ask for OpenAI's shape", () => {
    const tools: ToolDescription[] = [{ name: 'f' }, { type: 'function', function: { name: 'g' } }];
    const render = (text: string): string => template(text).render([], tools, false).text;
    assert.equal(
      render('{% for t in tools %}{{ t.type }} {{ t.function.name }};{% endfor %}'),
      'function f;function g;',
    );
    assert.equal(render('{{ tools[0] | tojson }}'), '{"name": "f"}');
  });

  it('tell whose text is whose', () => {
    const text =
      "<|{{ messages[0].role }}|>{% for m in messages %}[{{ m.content.strip().split('|')[1] | upper }}]{% endfor %}{{ tools | tojson }}";
    const messages: Message[] = [
      { role: 'user', content: ' a|bb ' },
      { role: 'assistant', content: 'c|d|e' },
    ];
    const rendered = template(text).render(messages, [{ name: 'f' }], false);
    assert.equal(rendered.text, '<|user|>[BB][D][{"name": "f"}]');
    const data = Array.from(rendered.text, (unit, at) =>
      isData(rendered.marks.charCodeAt(at)) ? unit : '.',
    ).join('');
    assert.equal(data, '.........BB..D....name....f...');
    const owners = Array.from(rendered.text, (_, at) => messageOf(rendered.marks.charCodeAt(at)) ?? '.').join(
      '',
    );
    assert.equal(owners, '........0000111...............');
  });
});

describe('Hostile chat templates', () => {
  const messages: Message[] = [{ role: 'user', content: 'x'.repeat(1000) }];
  const refuse = (text: string, code: ErrorCode, detail: RegExp): void => {
    const started = performance.now();
    assert.throws(
      () => template(text).render(messages, [], true),
      (error) => error instanceof GlmError && error.code === code && detail.test(error.message),
    );
    assert.ok(performance.now() - started < 60_000, text.slice(0, 60));
  };
  const failures: [string, string, RegExp][] = [
    ['a range of 10^9', '{% for i in range(1000000000) %}{% endfor %}', /steps/],
    [
      'loops in loops',
      '{% for i in range(9999) %}{% for j in range(9999) %}{{ j }}{% endfor %}{% endfor %}',
      /steps/,
    ],
    [
      'a text that doubles',
      "{% set ns = namespace(t='x') %}{% for i in range(99) %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}",
      /text/,
    ],
    [
      'a list that doubles',
      '{% set ns = namespace(t=[1]) %}{% for i in range(99) %}{% set ns.t = ns.t + ns.t %}{% endfor %}',
      /steps/,
    ],
    ['a text times 10^9', "{{ 'abc' * 1000000000 }}", /text/],
    [
      'a replacement that explodes',
      "{% set t = messages[0].content.replace('x', messages[0].content) %}{{ t.replace('x', t) }}",
      /text/,
    ],
    ['an indent of 10^9', "{{ 'a\nb' | indent(1000000000) }}", /text/],
    ['JSON with an indent of 10^9', '{{ [1] | tojson(indent=1000000000) }}', /text/],
    ['a separator that explodes', "{{ range(100000) | join('x' * 100000) }}", /text/],
    ['a macro that calls itself', '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}', /nested/],
    ['lists within lists', `{{ ${'['.repeat(450)}${']'.repeat(450)} | length }}`, /nested/],
    ['a step of 0', '{% for i in range(0, 9, 0) %}{% endfor %}', /step 0/],
    ['a slice with step 0', '{{ messages[::0] }}', /step 0/],
    ['a refusal of its own', "{{ raise_exception('roles must alternate') }}", /roles must alternate/],
    ['an unknown filter', '{{ 1 | pprint }}', /pprint/],
    ['an inherited name as a filter', '{{ 1 | constructor }}', /constructor/],
    ['an inherited name as a test', '{{ 1 is toString }}', /toString/],
    ['a call of what is none', '{{ messages() }}', /list/],
    ['setting an attribute of a message', "{% set messages[0].role = 'x' %}", /setting|Namespace|list/],
  ];
  for (const [name, text, detail] of failures) {
    it(`${name} is refused`, () => refuse(text, 'tokenizer.chatTemplateFailed', detail));
  }

  const unreadable: [string, string, RegExp][] = [
    ['an open block', '{% if messages %}', /end of template/],
    ['an open expression', '{{ messages', /./],
    ['an open comment', '{# x', /./],
    ['an include', "{% include 'x' %}", /include/],
    ['too long a template', 'x'.repeat(300_000), /characters/],
    ['a long run of blanks', `${' '.repeat(100_000)}x`, /blanks/],
    ['brackets without end', `{{ ${'('.repeat(100_000)} }}`, /./],
    ['negations without end', `{{ ${'not '.repeat(50_000)} 1 }}`, /./],
  ];
  for (const [name, text, detail] of unreadable) {
    it(`${name} is refused`, () => refuse(text, 'tokenizer.badChatTemplate', detail));
  }

  it('reach nothing outside: constructors and prototypes are undefined', () => {
    const text =
      "{{ messages.constructor }}{{ 'a'.__class__ }}{{ messages[0].__proto__ }}{{ messages[0]['constructor'] }}{{ range.constructor }}";
    assert.equal(template(text).render(messages, [], true).text, '');
  });

  it('changed at random, they render or are refused with a reason', () => {
    let state = 4711;
    const random = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const bits = [
      '{%',
      '%}',
      '{{',
      '}}',
      '-',
      "'",
      '(',
      ')',
      '[',
      ']',
      '|',
      '.',
      ' ',
      'for',
      'endfor',
      'if',
      '\\',
      '*',
      '9',
    ];
    let rendered = 0;
    for (let round = 0; round < 300; round++) {
      let text = cases[random(cases.length)].template;
      for (let change = 0; change < 3; change++) {
        const at = random(text.length);
        text = text.slice(0, at) + bits[random(bits.length)] + text.slice(at + random(3));
      }
      try {
        template(text).render(messages, [], true);
        rendered++;
      } catch (error) {
        assert.ok(error instanceof GlmError, `${text}\n${String(error)}`);
      }
    }
    assert.ok(rendered > 10);
  });
});
