/** Conversations as ChatGLM-6B and ChatGLM2 know them: questions and answers, nothing else. */
import { trainedFlags, type Turn } from './conversation';
import type { TextPart } from './textParts';

/** One question and its answer; the last round of a prompt has no answer yet. */
export interface Round {
  question: TextPart[];
  answer: TextPart | null;
  trained: boolean;
}

/**
 * Messages as rounds. System texts and tool results join the question that follows them, an answer's metadata becomes its
 * first line.
 * @param separator what stands between the texts of one question
 */
export function toRounds(turns: readonly Turn[], maskHistory: boolean, separator: string): Round[] {
  const flags = trainedFlags(turns, maskHistory);
  const rounds: Round[] = [];
  let question: TextPart[] = [];
  for (const [at, { role, content, metadata, index: message }] of turns.entries()) {
    if (role === 'assistant') {
      const text = metadata ? `${metadata}\n${content}` : content;
      rounds.push({ question, answer: { text, role, message }, trained: flags[at] });
      question = [];
      continue;
    }
    if (question.length > 0) question.push({ text: separator, role: 'control', message });
    question.push({ text: content, role, message });
  }
  if (question.length > 0) rounds.push({ question, answer: null, trained: false });
  return rounds;
}
