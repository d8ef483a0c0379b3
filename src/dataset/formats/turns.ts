/** Order of turns: what is checked once all messages of a record are read. */
import { isBlank, type JsonPath } from '../json';
import type { Message, TrainingRecord, ToolDescription } from '../types';
import type { ProblemSink } from './problem';

/** A message with its place in the file. */
export interface Turn {
  message: Message;
  /** Role name as the file writes it. */
  role: string;
  rolePath: JsonPath;
  contentPath: JsonPath;
}

/**
 * Checks the order and the contents of turns and makes the conversation: empty system turns go, and so does what
 * follows the last answer, since nothing of it is learnt.
 */
export function conversation(
  turns: readonly Turn[],
  tools: ToolDescription[],
  listPath: JsonPath,
  sink: ProblemSink,
): TrainingRecord | undefined {
  checkContents(turns, sink);
  checkOrder(turns, sink);
  const last = turns.findLastIndex((turn) => turn.message.role === 'assistant');
  if (last < 0) {
    if (!sink.fatal) sink.error('noAssistant', listPath, {}, 'key');
    return undefined;
  }
  const trained = turns.some(({ message }) => message.role === 'assistant' && message.loss !== false);
  if (!trained) sink.error('nothingTrained', listPath, {}, 'key');
  const after = turns[last + 1];
  if (after !== undefined && !sink.fatal) {
    sink.warn('endsWithoutAnswer', after.rolePath, { role: after.role });
  }
  if (sink.fatal) return undefined;
  const messages = turns
    .slice(0, last + 1)
    .map((turn) => turn.message)
    .filter((message) => message.role !== 'system' || !isBlank(message.content));
  return tools.length > 0 ? { kind: 'conversation', messages, tools } : { kind: 'conversation', messages };
}

function checkContents(turns: readonly Turn[], sink: ProblemSink): void {
  for (const { message, contentPath } of turns) {
    if (!isBlank(message.content)) continue;
    const field = String(contentPath[contentPath.length - 1]);
    if (message.role === 'assistant') sink.error('emptyAnswer', contentPath, { field });
    else if (message.role === 'user') sink.error('emptyPrompt', contentPath, { field });
  }
}

function checkOrder(turns: readonly Turn[], sink: ProblemSink): void {
  let previous: Turn | undefined;
  turns.forEach((turn, index) => {
    const { role } = turn.message;
    if (role === 'system') {
      if (index > 0) sink.error('systemNotFirst', turn.rolePath, {});
      return;
    }
    if (role === 'observation') checkObservation(turn, previous, sink);
    else if (previous === undefined) {
      if (role === 'assistant') sink.error('startsWithAssistant', turn.rolePath, { role: turn.role });
    } else if (isRepeated(previous.message, turn.message)) {
      sink.error('repeatedRole', turn.rolePath, { role: turn.role });
    }
    previous = turn;
  });
}

function checkObservation(turn: Turn, previous: Turn | undefined, sink: ProblemSink): void {
  if (previous === undefined || previous.message.role === 'user') {
    sink.error('observationFirst', turn.rolePath, { role: turn.role });
  } else if (previous.message.role === 'assistant' && !callsTool(previous.message)) {
    sink.warn('observationWithoutCall', turn.rolePath, { role: turn.role });
  }
}

/** Two assistant turns may follow each other where a tool call is one of them: first the thought, then the call. */
function isRepeated(previous: Message, message: Message): boolean {
  if (previous.role !== message.role) return false;
  return message.role === 'user' || !(callsTool(previous) || callsTool(message));
}

/** GLM-4 writes a call as the JSON content of an assistant turn, ChatGLM3 with the tool's name on the role line. */
function callsTool(message: Message): boolean {
  if (message.toolCall !== undefined || message.metadata) return true;
  const text = message.content.trim();
  return (text.startsWith('{') && text.endsWith('}')) || text.includes('tool_call(');
}
