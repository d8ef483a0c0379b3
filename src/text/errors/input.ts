import type { InputErrors } from '../../protocol/errors';
import type { ErrorTable } from '../errors';
import { describeDropReason } from '../dropReasons';
import { describeFinding } from '../findings';
import type { Translate } from '../translate';

function expectation(t: Translate, expected: string): string {
  switch (expected) {
    case 'messages':
      return t('a list of messages that is not empty');
    case 'message':
      return t('an object with "role" and "content"');
    case 'role':
      return t('one of system, user, assistant, observation');
    case 'objects':
      return t('a list of objects');
    case 'tokenIds':
      return t('a list of whole numbers that is not empty');
    case 'sameLength':
      return t('as long as "input_ids"');
    case 'positive':
      return t('a whole number of at least 1');
    default:
      return t('a text in quotes');
  }
}

export const inputErrors: ErrorTable<InputErrors> = {
  'input.notFound': (t, args) => ({
    message: t('There is no file at {path}.', { ...args }),
    remedy: t('Check the path.'),
  }),
  'input.notAFile': (t, args) => ({
    message: t('{path} is not an ordinary file.', { ...args }),
    remedy: t('Check the path.'),
  }),
  'input.empty': (t, args) => ({
    message: t('{path} has no rows.', { ...args }),
    remedy: t('Write one JSON object on each line.'),
  }),
  'input.noSuchLine': (t, args) => ({
    message: t('{path} has no row in line {line}.', { ...args }),
    remedy: t('Lines are counted from 1; blank lines hold no row.'),
  }),
  'input.badRow': (t, args) => ({
    message: t('{path}:{line}:{column}: {problem}', {
      ...args,
      problem: describeFinding(t, { message: args.finding, args }),
    }),
    remedy: t('Run "chatglm-finetune lint" on the file and mend the problems it names.'),
  }),
  'input.unknownRow': (t, args) => ({
    message: t('{path}:{line}: this row has none of the expected keys ({expected}).', { ...args }),
    remedy: t('Run "chatglm-finetune lint" on the file, or see --help for the shapes of a row.'),
  }),
  'input.badField': (t, args) => ({
    message: t('{path}:{line}: "{field}" must be {expected}.', {
      ...args,
      expected: expectation(t, args.expected),
    }),
    remedy: t('Correct this line.'),
  }),
  'input.tokenRange': (t, args) => ({
    message: t('{path}:{line}: token id {token} is outside the vocabulary of {size} tokens.', { ...args }),
    remedy: t('Tokenise the file with the tokenizer of this model.'),
  }),
  'input.tooLong': (t, args) => ({
    message: t('{path}:{line}: {tokens} tokens, but the model takes at most {limit}.', { ...args }),
    remedy: t('Shorten this row, or split it.'),
  }),
  'input.noMarker': (t, args) => ({
    message: t('{path}:{line}: {marker} (token id {token}) is missing, which ChatGLM-6B needs.', { ...args }),
    remedy: t('End the context with [gMASK] and <sop>, as the tokenizer of the model does.'),
  }),
  'input.dropped': (t, args) => ({
    message: t('{path}:{line}: this row cannot be used: {reason}.', {
      ...args,
      reason: describeDropReason(t, args.reason),
    }),
    remedy:
      args.reason === 'tooLong'
        ? t('Shorten this row, or split it.')
        : t('Run "chatglm-finetune lint" on the file and mend the problems it names.'),
  }),
};
