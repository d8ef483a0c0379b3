import type { TokenRole, TokenRun } from '../types';
import { addRun } from './segments';

/** A piece of a rendered prompt and whose it is. */
export interface TextPart {
  text: string;
  role: TokenRole;
  /** Index in the record's `messages`, null for what belongs to none. */
  message: number | null;
}

export function joinText(parts: readonly TextPart[]): string {
  return parts.map((part) => part.text).join('');
}

/** Ids of a text with the place each comes from. */
export interface AlignedIds {
  ids: number[];
  /** UTF-16 index in the text at which each token begins, ascending; tokens of one character share it. */
  starts: number[];
}

/**
 * Tokenises parts as one text, so that the ids are those of the joined text, and tells whose each token is. A token that
 * reaches over a border belongs to the part it begins in.
 */
export function encodeParts(
  parts: readonly TextPart[],
  align: (text: string) => AlignedIds,
): { ids: number[]; runs: TokenRun[] } {
  const { ids, starts } = align(joinText(parts));
  const runs: TokenRun[] = [];
  let index = 0;
  let end = parts[0]?.text.length ?? 0;
  for (const start of starts) {
    while (start >= end && index < parts.length - 1) end += parts[++index].text.length;
    const part = parts[index];
    addRun(runs, part?.role ?? 'control', part?.message ?? null, 1);
  }
  return { ids, runs };
}
