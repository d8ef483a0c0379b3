import type { ByteVocabularyProblem, TokenizerErrors, TokenizerModelProblem } from '../../protocol/errors';
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
    message: t('{path} is not a usable tokenizer: {reason}', {
      path: args.path,
      reason: modelProblem(t, args.reason),
    }),
    remedy: t('Download the file again and compare its size with the original.'),
  }),
  'tokenizer.gitLfsPointer': (t, args) => ({
    message: t('{path} is only a Git LFS pointer; the file itself was not downloaded.', { ...args }),
    remedy: t('Run "git lfs pull" in the model directory, or download the file from the model page.'),
  }),
  'tokenizer.exceedsVocabulary': (t, args) => ({
    message: t('The tokenizer {path} has {tokens} tokens, but the model has only {rows} embedding rows.', {
      ...args,
    }),
    remedy: t(
      'Tokenizer and weights belong to different models. Copy the tokenizer files that came with the weights.',
    ),
  }),
  'tokenizer.invalidImageTokens': (t, args) => ({
    message: t('{path}: "num_image_tokens" is {value}, not a whole number from 0 up.', { ...args }),
    remedy: t('Copy tokenizer_config.json from the original model: the value is 0, or 20000 in old files.'),
  }),
  'tokenizer.invalidConfig': (t, args) => ({
    message: t('{path} is not a JSON object: {detail}', { ...args }),
    remedy: t('Correct the file, or download it again.'),
  }),
  'tokenizer.unknownTemplate': (t, args) => ({
    message: t('{path}: "chat_template_id" is {template}, which is not known.', { ...args }),
    remedy: t('Use one of {usable}, or remove the key.', { usable: args.usable }),
  }),
  'tokenizer.invalidRanks': (t, args) => ({
    message: t('{path}, line {line}: this is not a usable list of token ranks: {reason}', {
      path: args.path,
      line: args.line,
      reason: vocabularyProblem(t, args.reason),
    }),
    remedy: t('Download the file again and compare its size with the original.'),
  }),
  'tokenizer.invalidJson': (t, args) => ({
    message: t('{path} is not a usable tokenizer: {reason}', {
      path: args.path,
      reason: vocabularyProblem(t, args.reason),
    }),
    remedy: t('Download the file again and compare its size with the original.'),
  }),
  'tokenizer.unsupportedJson': (t, args) => ({
    message: t('The tokenizer {path} works in a way that is not supported: "{key}" is {value}.', { ...args }),
    remedy: t(
      'Use the tokenizer files that came with a GLM model. Rows of token ids ("input_ids") need no tokenizer.',
    ),
  }),
  'tokenizer.badSpecialToken': (t, args) => ({
    message: t('{path} does not define the special token {token} in a usable way.', { ...args }),
    remedy: t('Copy the tokenizer_config.json that came with the model, or compare "added_tokens_decoder".'),
  }),
  'tokenizer.noChatTemplate': (t, args) => ({
    message: t('{path} has no chat template.', { ...args }),
    remedy: t(
      'Add "chat_template" to tokenizer_config.json or a file chat_template.jinja, or choose the prompt format "glm4".',
    ),
  }),
  'tokenizer.badChatTemplate': (t, args) => ({
    message: t('The chat template in {path} cannot be read: {detail}', { ...args }),
    remedy: t('Correct the template, or download the file again.'),
  }),
  'tokenizer.chatTemplateFailed': (t, args) => ({
    message: t('The chat template in {path} does not accept a conversation: {detail}', { ...args }),
    remedy: t('Change the conversation as the template asks, or choose another prompt format.'),
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
    case 'tooMany':
      return t('it has far too many tokens.');
    case 'noPieces':
      return t('it holds no pieces.');
    case 'duplicatePiece':
      return t('a piece occurs twice.');
    case 'noUnknown':
      return t('it must have exactly one unknown piece.');
    case 'noEndOfText':
      return t('it has no end-of-text piece.');
    case 'noSpecialTokens':
      return t('some of the special tokens of its family are missing.');
    case 'missingBytePieces':
      return t('some of the 256 byte pieces are missing.');
    case 'badCharsmap':
      return t('its normalisation rules are damaged.');
  }
}

function vocabularyProblem(t: Translate, reason: ByteVocabularyProblem): string {
  switch (reason) {
    case 'malformed':
      return t('its contents are damaged or of another kind.');
    case 'tooMany':
      return t('it has far too many tokens.');
    case 'duplicate':
      return t('a token or an id occurs twice.');
    case 'holes':
      return t('ids are missing in between.');
    case 'missingBytes':
      return t('some of the 256 single bytes have no token.');
    case 'badMerge':
      return t('a merge is not made of known tokens.');
  }
}
