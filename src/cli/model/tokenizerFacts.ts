/** What the model doctor wants to know of a tokenizer. */
import type { TokenizerFacts } from '../../checkpoint/doctor/tokens';
import { toErrorData, type ErrorData } from '../../protocol/errors';
import { loadTokenizer } from '../../tokenizer/load';
import type { TokenizerBundle } from '../../tokenizer/types';

export function tokenizerFacts({ tokenizer, template, templateId }: TokenizerBundle): TokenizerFacts {
  return {
    tokens: tokenizer.vocabSize,
    template: templateId,
    specialTokens: tokenizer.specialTokens,
    stopIds: template.stopIds,
    piece: (id) => tokenizer.piece(id),
  };
}

/** Facts of a model directory's tokenizer, or why it cannot be used with `vocabSize` rows. */
export async function readTokenizerFacts(
  directory: string,
  vocabSize: number,
): Promise<TokenizerFacts | ErrorData> {
  try {
    return tokenizerFacts(await loadTokenizer(directory, { vocabSize }));
  } catch (error) {
    return toErrorData(error);
  }
}
