import type { Message, ToolDescription } from '../../dataset/types';
import { GlmError } from '../../protocol/errors';
import { pythonJson } from '../templates/pythonJson';
import { TemplateFault } from './faults';
import { Interpreter } from './interpreter';
import { DATA, dataMark, Marked, MAX_MESSAGES, TEMPLATE } from './marked';
import { parseTemplate, vocabularyOf, type Statement } from './nodes';
import { Dict, fromJson, type Value } from './values';

/** Texts of a checkpoint's chat templates. */
export interface TemplateSource {
  /** The file they stand in, for errors. */
  path: string;
  text: string;
  /** Used instead where a conversation has tools, or null. */
  toolText: string | null;
}

interface Program {
  statements: Statement[];
  /** Tools are looked for in the system message, as the templates of GLM-4-9B-chat do, and not beside the messages. */
  toolsInMessage: boolean;
  /** Tools are expected as OpenAI has them, `{type, function}`. */
  wrapsFunctions: boolean;
  /** Calls are looked for as `tool_calls`, as OpenAI has them. */
  knowsToolCalls: boolean;
  observationRole: 'observation' | 'tool';
}

/** A chat template of a checkpoint in Jinja. */
export class JinjaChatTemplate {
  private readonly program: Program;
  private readonly toolProgram: Program;

  /**
   * @param specials texts that templates know by name: `bos_token`, `eos_token` and so on
   * @throws GlmError `tokenizer.badChatTemplate`
   */
  constructor(
    private readonly source: TemplateSource,
    private readonly specials: ReadonlyMap<string, string>,
  ) {
    this.program = this.guard('tokenizer.badChatTemplate', () => readProgram(source.text));
    this.toolProgram =
      source.toolText === null
        ? this.program
        : this.guard('tokenizer.badChatTemplate', () => readProgram(source.toolText ?? ''));
  }

  /**
   * A conversation as the template writes it. Contents, tools and calls are marked as data, so that a control token in
   * them can be told from one of the template.
   * @param generate ends with what introduces the next answer
   * @throws GlmError `tokenizer.chatTemplateFailed`
   */
  render(messages: readonly Message[], tools: readonly ToolDescription[], generate: boolean): Marked {
    return this.guard('tokenizer.chatTemplateFailed', () => {
      if (messages.length > MAX_MESSAGES) throw new TemplateFault(`more than ${MAX_MESSAGES} messages`);
      const program = tools.length > 0 ? this.toolProgram : this.program;
      return new Interpreter().render(program.statements, this.variables(program, messages, tools, generate));
    });
  }

  private variables(
    program: Program,
    messages: readonly Message[],
    tools: readonly ToolDescription[],
    generate: boolean,
  ): Map<string, Value> {
    const toolValues = tools.length > 0 ? tools.map((tool) => toolValue(program, tool)) : null;
    const values = messages.map((message, index) => messageValue(program, message, index));
    if (program.toolsInMessage && toolValues !== null) putInSystemMessage(values, toolValues);
    const variables = new Map<string, Value>([
      ['messages', values],
      ['tools', program.toolsInMessage ? null : toolValues],
      ['documents', null],
      ['add_generation_prompt', generate],
    ]);
    for (const [name, text] of this.specials) variables.set(name, Marked.of(text, TEMPLATE));
    return variables;
  }

  private guard<T>(code: 'tokenizer.badChatTemplate' | 'tokenizer.chatTemplateFailed', run: () => T): T {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof TemplateFault)) throw error;
      throw new GlmError(code, { path: this.source.path, detail: error.message }, { cause: error });
    }
  }
}

function readProgram(text: string): Program {
  const statements = parseTemplate(text);
  const { texts, members } = vocabularyOf(statements);
  const mentions = (word: string): boolean => [...texts].some((constant) => constant.includes(word));
  return {
    statements,
    toolsInMessage: members.has('tools'),
    wrapsFunctions: members.has('function'),
    knowsToolCalls: members.has('tool_calls'),
    observationRole: !mentions('observation') && texts.has('tool') ? 'tool' : 'observation',
  };
}

/** Many datasets list bare functions; a template that asks for `tool.function` gets them wrapped. */
function toolValue(program: Program, tool: ToolDescription): Value {
  const isBare = program.wrapsFunctions && !('function' in tool) && typeof tool.name === 'string';
  if (!isBare) return fromJson(tool, DATA);
  return new Dict(
    new Map<string, Value>([
      ['type', Marked.of('function', TEMPLATE)],
      ['function', fromJson(tool, DATA)],
    ]),
  );
}

/** A message as templates see it. Its role is not data: it is one of four words. */
function messageValue(program: Program, message: Message, index: number): Dict {
  const mark = dataMark(index);
  const role = message.role === 'observation' ? program.observationRole : message.role;
  const entries = new Map<string, Value>([['role', Marked.of(role, TEMPLATE)]]);
  const { toolCall } = message;
  if (toolCall && program.knowsToolCalls) {
    entries.set('content', Marked.EMPTY);
    const call = { type: 'function', function: { name: toolCall.name, arguments: toolCall.arguments } };
    entries.set('tool_calls', fromJson([call], mark));
  } else if (toolCall) {
    // GLM's own writing: the name on the role line, the arguments as JSON.
    entries.set('metadata', Marked.of(toolCall.name, mark));
    entries.set('content', Marked.of(pythonJson(toolCall.arguments), mark));
  } else {
    if (message.metadata) entries.set('metadata', Marked.of(message.metadata, mark));
    entries.set('content', Marked.of(message.content, mark));
  }
  return new Dict(entries, TEMPLATE, index);
}

function putInSystemMessage(values: Dict[], tools: Value): void {
  const at = values.findIndex((value) => (value.get('role') as Marked).text === 'system');
  const entries =
    at < 0
      ? new Map<string, Value>([
          ['role', Marked.of('system', TEMPLATE)],
          ['content', Marked.EMPTY],
        ])
      : values[at].entries;
  const withTools = new Dict(
    new Map([...entries, ['tools', tools]]),
    TEMPLATE,
    at < 0 ? null : values[at].message,
  );
  if (at < 0) values.unshift(withTools);
  else values[at] = withTools;
}
