import type { TokenizerErrors, TokenizerModelProblem } from '../../protocol/errors';
import type { ErrorTable } from '../errors';
import type { Translate } from '../translate';

export const tokenizerErrors: ErrorTable<TokenizerErrors> = {
  'tokenizer.notFound': (t, args) => ({
    message: t('{path} has no tokenizer file (ice_text.model, tokenizer.model or tokenizer.json).', {
      ...args,
    }),
    remedy: t('Copy the tokenizer files of the model into its directory.'),
  }),
  'tokenizer.invalidModel': (t, args) => ({
    message: t('{path} is not a usable SentencePiece model: {reason}', {
      path: args.path,
      reason: modelProblem(t, args.reason),
    }),
    remedy: t('Download the file again and compare its size with the original.'),
  }),
  'tokenizer.gitLfsPointer': (t, args) => ({
    message: t('{path} is only a Git LFS pointer; the file itself was not downloaded.', { ...args }),
    remedy: t('Run "git lfs pull" in the model directory, or download the file from the model page.'),
  }),
  'tokenizer.notSentencePiece': (t, args) => ({
    message: t('{path} is not a SentencePiece model but a list of token ranks (GLM-4).', { ...args }),
    remedy: t('Choose a ChatGLM2 or ChatGLM3 model.'),
  }),
  'tokenizer.exceedsVocabulary': (t, args) => ({
    message: t('The tokenizer {path} has {tokens} tokens, but the model has only {rows} embedding rows.', {
      ...args,
    }),
    remedy: t(
      'Tokenizer and weights belong to different models. Copy the tokenizer files that came with the weights.',
    ),
  }),
  'tokenizer.invalidConfig': (t, args) => ({
    message: t('{path} is not a JSON object: {detail}', { ...args }),
    remedy: t('Correct the file, or download it again.'),
  }),
  'tokenizer.unknownTemplate': (t, args) => ({
    message: t('{path}: "chat_template_id" is {template}, which is not known.', { ...args }),
    remedy: t('Use one of {usable}, or remove the key.', { usable: args.usable }),
  }),
  'tokenizer.templateNotUsable': (t, args) => ({
    message: t('The prompt format "{template}" cannot be written with the tokenizer {path}.', { ...args }),
    remedy: t('Use one of {usable}, or leave the prompt format out.', { usable: args.usable }),
  }),
};

function modelProblem(t: Translate, reason: TokenizerModelProblem): string {
  switch (reason) {
    case 'truncated':
      return t('the file ends too early.');
    case 'malformed':
      return t('its contents are damaged or of another kind.');
    case 'tooLarge':
      return t('the file is far too large.');
    case 'noPieces':
      return t('it holds no pieces.');
    case 'duplicatePiece':
      return t('a piece occurs twice.');
    case 'noUnknown':
      return t('it must have exactly one unknown piece.');
    case 'noEndOfText':
      return t('it has no end-of-text piece.');
    case 'missingBytePieces':
      return t('some of the 256 byte pieces are missing.');
    case 'badCharsmap':
      return t('its normalisation rules are damaged.');
  }
}
