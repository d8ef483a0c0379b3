/** Warnings of a run as sentences. */
import type { WarningEvent } from '../protocol/events';
import type { Translate } from './translate';

export function describeWarning(t: Translate, event: Pick<WarningEvent, 'code' | 'args'>): string {
  const { args } = event;
  switch (event.code) {
    case 'rowsDropped':
      return t('Rows left out because they cannot be trained on: {count}. Lint the dataset to see why.', {
        ...args,
      });
    case 'rowsTooLong':
      return t(
        'Rows left out because their question leaves no room for an answer: {count}. Raise dataset.max_length.',
        { ...args },
      );
    case 'rowsRefused':
      return t(
        "Rows left out because the model's chat template refuses them: {count}. Line {line}: {detail}",
        {
          line: '?',
          detail: '?',
          ...args,
        },
      );
    case 'answersOnlyContext':
      return t(
        'Answers that are only read, not trained: {count}. ChatGLM-6B trains the last answer of a row; write a row for each.',
        { ...args },
      );
    case 'rowsTruncated':
      return t('Rows cut to fit: {count}. Raise dataset.max_length to keep them whole.', { ...args });
    case 'adapterUnchanged':
      return t('The tuned model answers exactly as before. Raise training.learning_rate or train longer.');
    case 'fewRows':
      return t(
        'There are only {count} rows. The model will learn them by heart; add more if it should generalise.',
        {
          count: '?',
          ...args,
        },
      );
    case 'noValidation':
      return t('There are no validation rows, so overfitting cannot be seen. Set dataset.validation_split.');
    case 'batchHalved':
      return t(
        'Memory ran out in step {step}: micro-batches now have {rows} rows, and as many more of them make up a step. The result is the same.',
        { step: '?', rows: '?', ...args },
      );
    case 'memoryShort':
      return t(
        'The run may need {needed} GB of memory and has {available} GB. Lower training.batch_size, or set training.gradient_checkpointing.',
        { needed: '?', available: '?', ...args },
      );
    case 'stepSkipped':
      return t(
        'Step {step} was skipped: its gradients overflowed in float16. The loss is now scaled by {scale}.',
        {
          step: '?',
          scale: '?',
          ...args,
        },
      );
    case 'portableEngine':
      return t(
        'The portable engine (WebAssembly) computes this run, because libtensorflow is not used here. It is for small models, and several times slower.',
      );
    case 'dtypeReplaced':
      return t('The portable engine computes in {used}, not in {dtype} as the run file says.', {
        used: '?',
        dtype: '?',
        ...args,
      });
  }
}
