import type { StreamDecoder, Tokenizer } from '../types';
import { AnswerCleaner, cleanAnswer, strip } from './answerText';
import { parseToolCall, type ToolArguments } from './toolCall';

/** One assistant message that the model wrote. */
export interface AnswerPart {
  /** The role line: empty, a tool's name or `interpreter`. */
  metadata: string;
  /** As it goes into the history: stripped for an answer, untouched for a tool call. */
  content: string;
}

export interface ParsedAnswer {
  parts: AnswerPart[];
  /** The answer of the last part: text, a tool call with parsed arguments, or a call whose content is the tool's own. */
  answer:
    | { kind: 'text'; text: string }
    | { kind: 'call'; name: string; parameters: ToolArguments }
    | { kind: 'raw'; name: string; content: string };
}

/**
 * `process_response` of ChatGLM3 and GLM-4: a reply split into messages, the last one interpreted. Nothing is evaluated: the
 * argument list of a call is parsed, and a call that cannot be parsed is returned as `raw`.
 * @param hasTools the conversation begins with a system message that lists tools
 * @param calls how the model writes a call: ChatGLM3 as a Python call in a fence, GLM-4 as JSON
 */
export function parseAnswer(
  reply: string,
  hasTools: boolean,
  calls: 'python' | 'json' = 'python',
): ParsedAnswer {
  const parts = reply.split('<|assistant|>').map(splitPart);
  const last = parts[parts.length - 1];
  const name = strip(last.metadata);
  if (name === '') return { parts, answer: { kind: 'text', text: cleanAnswer(last.content) } };
  if (hasTools) {
    const parameters =
      calls === 'json'
        ? parseJsonArguments(last.content)
        : parseToolCall(last.content.split('\n').slice(1, -1).join('\n'));
    if (parameters) return { parts, answer: { kind: 'call', name, parameters } };
  }
  return { parts, answer: { kind: 'raw', name, content: last.content } };
}

function parseJsonArguments(text: string): ToolArguments | null {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as ToolArguments) : null;
  } catch {
    return null;
  }
}

function splitPart(text: string): AnswerPart {
  const newline = text.indexOf('\n');
  const metadata = newline < 0 ? '' : text.slice(0, newline);
  const content = text.slice(newline + 1);
  return { metadata, content: strip(metadata) === '' ? strip(content) : content };
}

/**
 * The readable text of a reply as it is generated: the empty role line is left out and the answer cleaned; a tool call keeps
 * its role line and stays as it is. A further assistant message begins on a new line.
 */
export class ChatGlm3AnswerStream implements StreamDecoder {
  private readonly decoder: StreamDecoder;
  private header = '';
  /** Null until the role line is complete; then the clean-up of an answer, or `raw` for a tool call. */
  private body: AnswerCleaner | 'raw' | null = null;
  private stopped = false;
  private hasText = false;

  constructor(
    tokenizer: Tokenizer,
    private readonly stopIds: readonly number[],
    private readonly assistantId: number,
  ) {
    this.decoder = tokenizer.stream();
  }

  push(id: number): string {
    this.stopped ||= this.stopIds.includes(id);
    if (this.stopped) return '';
    if (id !== this.assistantId) return this.note(this.add(this.decoder.push(id)));
    // The special token also makes the decoder begin anew.
    const text = this.note(this.add(this.decoder.push(id)) + this.endPart());
    return this.hasText ? `${text}\n` : text;
  }

  flush(): string {
    return this.note(this.add(this.decoder.flush()) + this.endPart());
  }

  private add(text: string): string {
    if (this.body === 'raw') return text;
    if (this.body) return this.body.push(text);
    this.header += text;
    const newline = this.header.indexOf('\n');
    if (newline < 0) return '';
    const metadata = strip(this.header.slice(0, newline));
    const rest = this.header.slice(newline + 1);
    this.header = '';
    if (metadata !== '') {
      this.body = 'raw';
      return `${metadata}\n${rest}`;
    }
    this.body = new AnswerCleaner();
    return this.body.push(rest);
  }

  /** What was withheld; without a newline all of it is content. */
  private endPart(): string {
    const text = this.body instanceof AnswerCleaner ? this.body.flush() : cleanAnswer(this.header);
    this.header = '';
    this.body = null;
    return text;
  }

  private note(text: string): string {
    if (text !== '') this.hasText = true;
    return text;
  }
}
