/** `train --config RUN.glmtune.json` */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { writeJsonAtomic } from '../../checkpoint/atomic';
import { chooseRunDirectory, holdsRun } from '../../process/chooseRunDirectory';
import { livingProcess } from '../../process/livingProcess';
import type { RunFile } from '../../protocol/run';
import { PROVENANCE_FILE, RUN_FILE } from '../../protocol/runDirectory';
import { describeFinding } from '../../text/modelFindings';
import type { CommandContext } from '../context';
import { openEngine, type EngineOptions } from '../engineLoader';
import { runVersions } from '../versions';
import { checkData } from './checkData';
import { EventLog } from './eventLog';
import { describeProvenance } from './provenance';
import { readRunFile } from './readRunFile';
import { prepareRunDirectory } from './runDirectory';
import { recordFailure, superviseTraining } from './supervise';
import { GlmError } from '../../protocol/errors';

export interface TrainOptions extends EngineOptions {
  config: string;
  runDir?: string;
  overwrite?: boolean;
}

/** Everything that can be wrong is looked at before the run directory is made: a refused run leaves nothing behind. */
export async function train(context: CommandContext, options: TrainOptions): Promise<number> {
  try {
    return await start(context, options);
  } catch (error) {
    reportToWaitingEditor(context, options.runDir, error);
    throw error;
  }
}

async function start(context: CommandContext, options: TrainOptions): Promise<number> {
  const { output, t } = context;
  const { run, warnings } = readRunFile(t, options.config);
  for (const warning of warnings) output.warning(t('Warning:'), warning);
  const overwrite = options.overwrite ?? false;
  const directory = chooseRunDirectory({
    run,
    runFile: options.config,
    explicit: options.runDir ?? null,
    overwrite,
  });
  const other = await livingProcess(directory);
  if (other) throw new GlmError('run.busy', { path: directory, pid: other.pid });
  const engine = await openEngine(context, options);
  for (const finding of await checkData(run)) {
    output.warning(t('Warning:'), describeFinding(t, finding).message);
  }
  const versions = runVersions(context, engine);
  const provenance = describeProvenance(run, versions);
  prepareRunDirectory(directory, overwrite);
  output.info(t('Run directory: {path}', { path: directory }));
  return superviseTraining(context, engine, {
    run,
    directory,
    resumeFrom: null,
    versions,
    prepare: () => describeRun(directory, run, provenance),
  });
}

function describeRun(directory: string, run: RunFile, provenance: object): void {
  writeJsonAtomic(path.join(directory, PROVENANCE_FILE), provenance);
  // Last, because this file is what makes the directory a run.
  const { $schema: _, ...resolved } = run;
  writeJsonAtomic(path.join(directory, RUN_FILE), resolved);
}

/**
 * An editor that started this process made the directory, and follows its event log: a run that is refused before it is a
 * run says so there. A directory that already holds a run is not touched.
 */
function reportToWaitingEditor(context: CommandContext, directory: string | undefined, error: unknown): void {
  if (directory === undefined || !existsSync(directory) || holdsRun(directory)) return;
  recordFailure(context, error, 0, (event) => {
    const log = new EventLog(directory);
    try {
      log.append(event);
    } finally {
      log.close();
    }
  });
}
