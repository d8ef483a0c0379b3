import JSONL from 'jsonl-parse-stringify';
import type { ChatMessage } from '../../protocol/control';

/**
 * Adds a conversation to the text of a dataset as one `messages` record. What is there stays byte for byte; a missing last
 * newline is added, because the library writes none.
 */
export function appendConversation(text: string, messages: readonly ChatMessage[]): string {
  const separator = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${text}${separator}${JSONL.stringify([{ messages }])}\n`;
}

/** A conversation can be trained on when it ends with an answer. */
export function isTrainable(messages: readonly ChatMessage[]): boolean {
  const last = messages.at(-1);
  return last?.role === 'assistant' && last.content.trim() !== '';
}

/** The conversation as the model is asked with it: a question whose answer was stopped before it began is not part of it. */
export function withoutUnanswered(messages: readonly ChatMessage[]): ChatMessage[] {
  return messages.filter(({ role }, at) => role !== 'user' || messages[at + 1]?.role !== 'user');
}
