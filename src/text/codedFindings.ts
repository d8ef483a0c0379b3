/** A sentence and a remedy for each finding of the model doctor. */
import type { CodedFinding, FindingCode, ModelFindings } from '../protocol/modelReport';
import type { ErrorText } from './errors';
import type { Translate } from './translate';

type FindingTable = { [C in FindingCode]: (t: Translate, args: ModelFindings[C]) => ErrorText };

const otherFiles = (t: Translate): string =>
  t('Make sure that config.json and all weight files come from the same model, and download them again.');
const otherTokenizer = (t: Translate): string =>
  t("Put the tokenizer's files of this very model beside the weights.");
const correctConfig = (t: Translate): string =>
  t('Restore the original file of the model, or correct this key.');

const table: FindingTable = {
  missingShard: (t, args) => ({
    message: t('The weight file {shard} is missing; {index} names it.', { ...args }),
    remedy: t('Download the missing file into the same directory.'),
  }),
  missingTensor: (t, args) => ({
    message: t('The tensor {tensor} {expected} is missing.', { ...args }),
    remedy: otherFiles(t),
  }),
  wrongShape: (t, args) => ({
    message: t('The tensor {tensor} in {file} is {found}; the configuration calls for {expected}.', {
      ...args,
    }),
    remedy: otherFiles(t),
  }),
  wrongDType: (t, args) => ({
    message: args.expected
      ? t('The tensor {tensor} in {file} holds {found} values; {expected} is needed.', { ...args })
      : t('The tensor {tensor} in {file} holds {found} values; floating-point ones are needed.', { ...args }),
    remedy: otherFiles(t),
  }),
  extraTensor: (t, args) => ({
    message: t('The tensor {tensor} {found} in {file} is not part of this model.', { ...args }),
    remedy: otherFiles(t),
  }),
  mixedDTypes: (t, args) => ({
    message: t('The matrices have different number formats: {formats}.', { ...args }),
    remedy: t('This is read as it is. If it was not meant so, save the model again in one format.'),
  }),
  mixedSmallDTypes: (t, args) => ({
    message: t('Norms or biases have another number format than the matrices: {formats}.', { ...args }),
    remedy: '',
  }),
  dtypeDiffers: (t, args) => ({
    message: t(
      'config.json says {key} {configured}, but the weights are stored as {stored}. The weights count.',
      {
        ...args,
      },
    ),
    remedy: '',
  }),
  tiedCopy: (t, args) => ({
    message: t('{tensor} is stored beside {parameter}, of which it is a copy; it is not read.', { ...args }),
    remedy: '',
  }),
  tiedCopyDiffers: (t, args) => ({
    message: t(
      '{tensor} differs from {parameter}, although the configuration says that both are one; it is not read.',
      { ...args },
    ),
    remedy: t('If the output layer was trained apart, set "tie_word_embeddings": false in config.json.'),
  }),
  prefixInside: (t, args) => ({
    message: t('The weights hold a P-Tuning v2 prefix of {entries} entries.', { ...args }),
    remedy: t('It is used only where this directory is named as the adapter, too.'),
  }),
  prefixMissing: (t, args) => ({
    message: t(
      'config.json announces a P-Tuning v2 prefix of {entries} entries, but the weights hold none.',
      {
        ...args,
      },
    ),
    remedy: t('Name the directory with the prefix as the adapter, or remove pre_seq_len from config.json.'),
  }),
  nonFinite: (t, args) => ({
    message: t('The tensor {tensor} holds values that are not numbers or infinite: {count}.', { ...args }),
    remedy: t(
      'Download the file again and compare its size with the source, or choose another model directory.',
    ),
  }),
  tokenOutside: (t, args) => ({
    message: t('{file} sets {key} to {token}, but the vocabulary has only {rows} entries.', { ...args }),
    remedy: correctConfig(t),
  }),
  keysDisagree: (t, args) => ({
    message: t(
      'config.json contradicts itself: {first} is {firstValue}, {second} is {secondValue}. {first} counts.',
      {
        ...args,
      },
    ),
    remedy: correctConfig(t),
  }),
  generationDiffers: (t, args) => ({
    message: t('{key} is {generation} in generation_config.json and {config} in config.json.', { ...args }),
    remedy: t('Restore the original file of the model, or correct this key.'),
  }),
  vocabularyTooSmall: (t, args) => ({
    message: t('The tokenizer has {tokens} tokens, but the embedding has only {rows} rows.', { ...args }),
    remedy: otherTokenizer(t),
  }),
  vocabularyTooLarge: (t, args) => ({
    message: t('The tokenizer has only {tokens} tokens for {rows} rows of the embedding.', { ...args }),
    remedy: otherTokenizer(t),
  }),
  unusedRows: (t, args) => ({
    message: t('The embedding has {rows} rows for {tokens} tokens; the rest is padding.', { ...args }),
    remedy: '',
  }),
  tokenDiffers: (t, args) => ({
    message: t('config.json sets {key} to {found}, but the tokenizer has {expected} for it.', { ...args }),
    remedy: otherTokenizer(t),
  }),
  stopTokensDiffer: (t, args) => ({
    message: t('config.json ends answers with {found}, the prompt format with {expected}.', { ...args }),
    remedy: t('Check that tokenizer and prompt format (dataset.template) are those of this model.'),
  }),
  templateFamily: (t, args) => ({
    message: t('The prompt format {template} does not belong to this network; it takes {usable}.', {
      ...args,
    }),
    remedy: t('Correct chat_template_id in tokenizer_config.json or dataset.template in the run file.'),
  }),
};

/** What was found, and what to do about it; the remedy is empty where nothing needs to be done. */
export function describeCodedFinding(t: Translate, finding: CodedFinding): ErrorText {
  const describe = table[finding.code] as (t: Translate, args: ModelFindings[FindingCode]) => ErrorText;
  return describe(t, finding.args);
}
