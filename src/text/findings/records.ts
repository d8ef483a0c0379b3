import type { FormatId } from '../../dataset/types';
import { describeFormat, type MessageTable } from '../findings';
import type { Translate } from '../translate';

/** What is wrong with a line that is JSON. */
export const recordMessages: MessageTable = {
  unknownShape: (t, args) => t('No known record format has these keys: {keys}', args),
  unknownFile: (t, args) =>
    t('No record of this file has a known format. The first one has these keys: {keys}', args),
  notAnObject: (t, args) =>
    t('A record is a JSON object; this is {actual}.', { actual: typeName(t, args['actual']) }),
  missingField: (t, args) => t('"{field}" is missing.', args),
  emptyList: (t, args) => t('"{field}" is empty.', args),
  wrongType: (t, args) =>
    t('"{field}" must be {expected}; it is {actual}.', {
      field: args['field'] ?? '',
      expected: typeName(t, args['expected']),
      actual: typeName(t, args['actual']),
    }),
  badHistoryTurn: (t) => t('Each turn of "history" is a pair of texts: question and answer.'),
  emptyAnswer: (t, args) => t('"{field}" is empty: nothing to learn, the record is not trained on.', args),
  emptyPrompt: (t, args) =>
    t('"{field}" is empty: an answer to nothing, the record is not trained on.', args),
  unknownRole: (t, args) => t('Unknown role "{role}".', args),
  unknownRoleSuggestion: (t, args) => t('Unknown role "{role}". Did you mean "{suggestion}"?', args),
  repeatedRole: (t, args) => t('Two "{role}" turns in a row: user and assistant must take turns.', args),
  systemNotFirst: (t) => t('The system message must be the first one.'),
  startsWithAssistant: (t, args) => t('The conversation begins with "{role}": nobody has asked yet.', args),
  observationFirst: (t, args) => t('"{role}" must follow an assistant turn that calls a tool.', args),
  observationWithoutCall: (t, args) => t('"{role}" follows an assistant turn that calls no tool.', args),
  noAssistant: (t) => t('No assistant turn: nothing to learn in this record.'),
  endsWithoutAnswer: (t, args) =>
    t('The record ends with "{role}". What follows the last answer is left out.', args),
  nothingTrained: (t) => t('Every answer is excluded from the loss: nothing to learn in this record.'),
  toolCallNotJson: (t) => t('This tool call is not JSON with "name" and "arguments".'),
  toolsNotJson: (t) => t('"tools" is a text, but not the JSON of a list of tools.'),
  lengthMismatch: (t, args) => t('"{field}" has {length} entries, "input_ids" has {expected}.', args),
  badTokenId: (t, args) => t('"{field}": {value} is not allowed here.', args),
  duplicateKey: (t, args) => t('The key "{key}" occurs twice. JSON keeps only the last one.', args),
  loneSurrogate: (t, args) => t('Half of a character (U+{hex}): tokenizers fail on it.', args),
  controlToken: (t, args) =>
    t('"{token}" is a special token of ChatGLM. Written in the data it is trained as plain text.', args),
  placeholder: (t, args) =>
    t('Placeholder {placeholder} was not filled in. The model would learn to say it.', args),
  mixedShape: (t, args) =>
    t('This record has the format "{format}", most of the file has "{usual}".', {
      format: describeFormat(t, args['format'] as FormatId),
      usual: describeFormat(t, args['usual'] as FormatId),
    }),
  duplicateRecord: (t, args) => t('Same as line {first}.', args),
  duplicateFirst: (t) => t('First occurrence'),
};

function typeName(t: Translate, type: string | number | undefined): string {
  switch (type) {
    case 'string':
      return t('a text');
    case 'number':
      return t('a number');
    case 'boolean':
      return t('true or false');
    case 'null':
      return t('null');
    case 'array':
      return t('a list');
    case 'object':
      return t('an object');
    case 'integerArray':
      return t('a list of whole numbers');
    case 'arrayOrJsonString':
      return t('a list of tools or its JSON text');
    default:
      return String(type);
  }
}
