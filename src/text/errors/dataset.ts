import type { DatasetErrors } from '../../protocol/errors';
import { describeDropReason } from '../dropReasons';
import type { ErrorTable } from '../errors';
import type { Translate } from '../translate';

export const datasetErrors: ErrorTable<DatasetErrors> = {
  'dataset.notFound': (t, args) => ({
    message: t('There is no dataset at {path}.', { ...args }),
    remedy: t('Check the path under "dataset" in the run file.'),
  }),
  'dataset.empty': (t, args) => ({
    message: t('{path} has no usable record: {rows} lines read, {dropped} cannot be trained on.', {
      ...args,
    }),
    remedy: t('Open the file in the editor, or run "chatglm-finetune lint", and mend the problems it names.'),
  }),
  'dataset.noRow': (t, { path, rows, line, reason, maxLength }) => ({
    message: t('None of the {rows} records in {path} can be trained on. Line {line} is left out: {reason}.', {
      path,
      rows,
      line,
      reason: describeDropReason(t, reason),
    }),
    remedy: dropRemedy(t, reason, maxLength),
  }),
  'dataset.unplacedRow': (t, args) => ({
    message: t(
      'Line {line} of {path} has no "<sop>" after a "[gMASK]" or "[MASK]": positions cannot be given.',
      { ...args },
    ),
    remedy: t('ChatGLM-6B needs these ids in every row of input_ids. Give messages instead, or put them in.'),
  }),
  'dataset.lineTooLong': (t, args) => ({
    message: t('Line {line} of {path} is longer than {megabytes} MB.', { ...args }),
    remedy: t('A dataset has one record a line. Check that the file is JSON Lines and not one long array.'),
  }),
};

/** What to do where every record is left out for this reason. */
function dropRemedy(t: Translate, reason: string, maxLength: number): string {
  switch (reason) {
    case 'tooLong':
      return t(
        'Raise dataset.max_length (rows have at most {maxLength} tokens here), or shorten the questions.',
        {
          maxLength,
        },
      );
    case 'tokenOutOfRange':
      return t('Encode the rows with the tokenizer of this model, or give messages instead.');
    default:
      return t('Give every row an answer. "chatglm-finetune labels" shows what is trained.');
  }
}
