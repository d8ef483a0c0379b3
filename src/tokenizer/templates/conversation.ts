/** What the families' templates have in common about messages. */
import type { Message, ToolDescription } from '../../dataset/types';

/** A message with its index in the record; null for one that the format itself adds. */
export interface Turn extends Message {
  index: number | null;
}

/** True for each message whose tokens are trained, if its role is. */
export function trainedFlags(messages: readonly Message[], maskHistory: boolean): boolean[] {
  const last = messages.findLastIndex((message) => message.role === 'assistant');
  return messages.map((message, index) => message.loss !== false && (!maskHistory || index === last));
}

/**
 * Index of the first message of every round. A round begins with a question (or a tool's result) that follows an answer;
 * leading system messages belong to no round.
 */
export function roundStarts(messages: readonly Message[]): number[] {
  const starts: number[] = [];
  for (const [index, message] of messages.entries()) {
    if (message.role === 'system' && starts.length === 0) continue;
    if (starts.length === 0 || (message.role === 'user' && messages[index - 1].role !== 'user')) {
      starts.push(index);
    }
  }
  return starts;
}

/** Leading system messages and everything from round `skipped` on. */
export function withoutRounds<T>(items: readonly T[], starts: readonly number[], skipped: number): T[] {
  if (skipped === 0) return [...items];
  return [...items.slice(0, starts[0]), ...items.slice(starts[skipped])];
}

/** Number of leading rounds without a trained answer; `firstTrained` is the index of the first trained message, or -1. */
export function untrainedRounds(starts: readonly number[], firstTrained: number): number {
  return Math.max(
    0,
    starts.findLastIndex((start) => start <= firstTrained),
  );
}

/** Messages with their indices. */
export function toTurns(messages: readonly Message[]): Turn[] {
  return messages.map((message, index) => ({ ...message, index }));
}

/**
 * Puts the tools into the first system message as ChatGLM3's tokenizer does: content, newline, JSON with an indent of 4.
 * A system message is added where there is none.
 */
export function withTools(messages: readonly Message[], tools?: readonly ToolDescription[]): Turn[] {
  const turns = toTurns(messages);
  if (!tools || tools.length === 0) return turns;
  const json = JSON.stringify(tools, null, 4);
  const at = turns.findIndex((turn) => turn.role === 'system');
  if (at < 0) return [{ role: 'system', content: `\n${json}`, index: null }, ...turns];
  turns[at].content += `\n${json}`;
  return turns;
}
