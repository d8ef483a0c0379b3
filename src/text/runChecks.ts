/** Combinations of run-file keys that do not fit together, as sentences that follow the key's name. */
import type { RunCheck } from '../protocol/runChecks';
import { methodName } from './methods';
import type { Translate } from './translate';

/** What is wrong at the check's key, without the key path. */
export function describeRunCheck(t: Translate, check: RunCheck): string {
  switch (check.code) {
    case 'quantizedFull':
      return t(
        'cannot be used with the method "full", which trains every weight. Set it to null, or choose "lora" or "ptuning_v2"',
      );
    case 'quantizedPissa':
      return t('"pissa" changes the base weights, so it cannot be used with "quantization". Use "default"');
    case 'adapterWithFull':
      return t('a full fine-tuning run cannot start from an adapter. Set it to null, or choose "lora"');
    case 'adapterWithPissa':
      return t('"pissa" makes new matrices, but this run starts from those of "adapter". Use "default"');
    case 'needsEvaluation':
      return t('has no effect without evaluations. Set evaluation.every_steps');
    case 'needsValidation':
      return t('has no effect without validation rows. Set dataset.validation or dataset.validation_split');
    case 'endAboveStart':
      return t('must be less than training.learning_rate ({rate})', check.args);
    case 'warmupNeverEnds':
      return t('the learning rate never gets to its value: training ends after {steps} steps', check.args);
    case 'unusedUnless':
      return t('has no effect unless {key} is {value}', check.args);
    case 'unusedBeside':
      return t('has no effect beside {key}', check.args);
    case 'adapterKind':
      return t('is an adapter of the method {kind}, but this run trains with {method}', {
        kind: methodName(t, check.args.kind),
        method: methodName(t, check.args.method),
      });
    case 'adapterSetting':
      return t('the adapter that this run starts from has {value}, which counts', check.args);
  }
}
