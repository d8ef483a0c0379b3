import type { DatasetErrors } from '../../protocol/errors';
import type { ErrorTable } from '../errors';

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
  'dataset.unplacedRow': (t, args) => ({
    message: t('Line {line} of {path} has no "<sop>" after a "[gMASK]" or "[MASK]": positions cannot be given.', { ...args }),
    remedy: t('ChatGLM-6B needs these ids in every row of input_ids. Give messages instead, or put them in.'),
  }),
  'dataset.lineTooLong': (t, args) => ({
    message: t('Line {line} of {path} is longer than {megabytes} MB.', { ...args }),
    remedy: t('A dataset has one record a line. Check that the file is JSON Lines and not one long array.'),
  }),
};
