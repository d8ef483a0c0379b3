/** `resume RUN_DIR [--checkpoint step-N]` */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { livingProcess } from '../../process/livingProcess';
import { GlmError } from '../../protocol/errors';
import { EVENTS_FILE } from '../../protocol/runDirectory';
import type { CommandContext } from '../context';
import { openEngine, type EngineOptions } from '../engineLoader';
import { runVersions } from '../versions';
import { checkUnchanged, describeProvenance, readProvenance } from './provenance';
import { missingFiles } from './readRunFile';
import { chooseCheckpoint, lastEvent, readRun, removeLeftovers } from './runDirectory';
import { superviseTraining } from './supervise';

export interface ResumeOptions extends EngineOptions {
  checkpoint?: string;
}

export async function resume(
  context: CommandContext,
  options: ResumeOptions,
  [given = '']: string[],
): Promise<number> {
  const { output, t } = context;
  const directory = path.resolve(given);
  const run = readRun(t, directory);
  const other = await livingProcess(directory);
  if (other) throw new GlmError('run.busy', { path: directory, pid: other.pid });
  if (lastEvent(directory, ['done', 'resumed'])?.type === 'done')
    throw new GlmError('run.finished', { path: directory });
  const checkpoint = chooseCheckpoint(directory, options.checkpoint ?? null);
  refuseIncomplete(context, directory, run);
  const engine = await openEngine(context, options);
  const versions = runVersions(context, engine);
  const now = describeProvenance(run, versions);
  const then = readProvenance(directory);
  if (then) checkUnchanged(then, now);
  output.info(
    t('Resuming {directory} from {checkpoint}', { directory, checkpoint: path.basename(checkpoint) }),
  );
  return superviseTraining(context, engine, {
    run,
    directory,
    resumeFrom: checkpoint,
    versions,
    totalSteps: lastEvent(directory, ['started'])?.total_steps ?? 0,
    prepare: () => removeLeftovers(directory),
  });
}

/** Names everything the run needs and is gone: its own files, the model, the data. */
function refuseIncomplete(
  { t }: CommandContext,
  directory: string,
  run: Parameters<typeof missingFiles>[1],
): void {
  const missing = missingFiles(t, run).map(({ key, sentence }) => `${key}: ${sentence}`);
  const events = path.join(directory, EVENTS_FILE);
  if (!existsSync(events)) missing.unshift(t('there is no file {path}', { path: events }));
  if (missing.length > 0)
    throw new GlmError('run.incomplete', { path: directory, missing: missing.join('; ') });
}
