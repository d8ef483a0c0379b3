/** Sentences of the model doctor. */
import type { ModelFinding } from '../protocol/modelReport';
import { describeCodedFinding } from './codedFindings';
import { describeError, type ErrorText } from './errors';
import type { Translate } from './translate';

/** What was found, and what to do about it; the remedy is empty where nothing needs to be done. */
export function describeFinding(t: Translate, finding: ModelFinding): ErrorText {
  return finding.code === 'failed' ? describeError(t, finding.error) : describeCodedFinding(t, finding);
}
