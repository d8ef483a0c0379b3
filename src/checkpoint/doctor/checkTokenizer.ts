/** The doctor's word on a tokenizer before a run. */
import { GlmError } from '../../protocol/errors';
import type { CodedFinding } from '../../protocol/modelReport';
import type { ModelConfig } from '../types';
import { tokenFindings } from './report';
import type { TokenizerFacts } from './tokens';

/**
 * Makes sure that a model can be trained with this tokenizer and prompt format.
 * @returns what is worth a warning; throws GlmError `checkpoint.tokenizerDoesNotFit` with everything that is wrong
 */
export function checkTokenizer(
  directory: string,
  config: ModelConfig,
  facts: TokenizerFacts,
): CodedFinding[] {
  const findings = tokenFindings(directory, config, facts);
  const wrong = findings.filter(({ severity }) => severity === 'error');
  if (wrong.length > 0) {
    throw new GlmError('checkpoint.tokenizerDoesNotFit', {
      path: directory,
      findings: JSON.stringify(wrong),
    });
  }
  return findings.filter(({ severity }) => severity === 'warning');
}
