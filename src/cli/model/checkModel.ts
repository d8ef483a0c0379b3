/** `check-model DIRECTORY`: what a checkpoint is, and everything about it that does not fit. */
import { readConfig } from '../../checkpoint/config';
import { examineModel, type ExamineOptions } from '../../checkpoint/doctor/report';
import { structureOf } from '../../checkpoint/structure';
import { isGlmError } from '../../protocol/errors';
import type { ModelFinding } from '../../protocol/modelReport';
import { describeFinding } from '../../text/modelFindings';
import type { CommandContext } from '../context';
import { formatBytes } from '../format';
import { EXIT_FAILURE, EXIT_OK } from '../exit';
import { printModelReport } from './printModelReport';
import { readTokenizerFacts } from './tokenizerFacts';

export interface CheckModelOptions {
  values?: boolean;
}

export async function checkModel(
  context: CommandContext,
  { values = false }: CheckModelOptions,
  [directory]: readonly string[],
): Promise<number> {
  const { output, t } = context;
  const tokenizer = await findTokenizer(directory);
  const bar = values ? output.progress({ label: t('Reading values'), total: 0, format: formatBytes }) : null;
  const report = await examineModel(directory, {
    tokenizer,
    readsValues: values,
    progress: (bytes, total) => {
      bar?.setTotal(total);
      bar?.update(bytes);
    },
  });
  bar?.stop();
  if (output.json)
    output.record({ ...report, findings: report.findings.map((item) => withText(context, item)) });
  else printModelReport(context, report);
  return report.ok ? EXIT_OK : EXIT_FAILURE;
}

/** Not looked for where the configuration itself cannot be read: the report says that. */
async function findTokenizer(directory: string): Promise<ExamineOptions['tokenizer']> {
  let vocabSize: number;
  try {
    vocabSize = structureOf(readConfig(directory)).vocabSize;
  } catch (error) {
    if (isGlmError(error)) return null;
    throw error;
  }
  return readTokenizerFacts(directory, vocabSize);
}

function withText({ t }: CommandContext, finding: ModelFinding): object {
  return { ...finding, ...describeFinding(t, finding) };
}
