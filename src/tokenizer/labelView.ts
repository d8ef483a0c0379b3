/** What training sees of a record, token by token. */
import type { TrainingRecord } from '../dataset/types';
import type { DropReason, EncodeOptions, TokenizerBundle, TokenRole } from './types';
import { IGNORED } from './templates/segments';

export interface LabelledToken {
  id: number;
  /** The piece as the vocabulary has it (`▁hello`, `<0xE4>`). */
  piece: string;
  /**
   * The text this token completes, as `decode` with `keepSpecial` gives it. A stop token may print nothing. Of a character that is spread over several tokens all but
   * the last are empty; bytes that are no character show as U+FFFD. All texts joined are the decoded row.
   */
  text: string;
  role: TokenRole;
  /** Index in the record's `messages`, null for what belongs to none. */
  messageIndex: number | null;
  /** True: the loss looks at this place. */
  trained: boolean;
  /** The token to be predicted here, -100 where none is. Differs from `id` only after a ChatGLM2 answer (`EncodedSample`). */
  label: number;
}

export interface LabelView {
  tokens: LabelledToken[];
  /** Tokens cut away to fit. */
  truncated: number;
  /** Number of trained tokens. */
  trained: number;
  /** As in `EncodedSample`; 0 if none. */
  contextTurns: number;
}

/**
 * The row that `encodeRecord` makes of a record, with the origin of every token; both are made of the same layout, so ids
 * and labels are those of training. For a record that cannot be trained on, the reason.
 */
export function labelView(
  { tokenizer, template }: Pick<TokenizerBundle, 'tokenizer' | 'template'>,
  record: TrainingRecord,
  options: EncodeOptions,
): LabelView | { dropped: DropReason } {
  const layout = template.layoutRecord(record, options);
  if ('dropped' in layout) return layout;
  const { ids, labels, runs } = layout;
  const decoder = tokenizer.stream({ keepSpecial: true });
  const tokens: LabelledToken[] = [];
  for (const { role, message, length } of runs) {
    for (let left = length; left > 0; left--) {
      const id = ids[tokens.length];
      const label = labels[tokens.length];
      tokens.push({
        id,
        piece: tokenizer.piece(id),
        text: decoder.push(id),
        role,
        messageIndex: message,
        trained: label !== IGNORED,
        label,
      });
    }
  }
  const last = tokens.at(-1);
  if (last) last.text += decoder.flush();
  return {
    tokens,
    truncated: layout.truncated,
    trained: tokens.filter((token) => token.trained).length,
    contextTurns: layout.contextTurns ?? 0,
  };
}
