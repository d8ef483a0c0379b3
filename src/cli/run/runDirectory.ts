/** What a run directory holds, and which checkpoint a run can go on from. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { makeDirectories } from '../../checkpoint/atomic';
import { holdsRun } from '../../process/chooseRunDirectory';
import { GlmError } from '../../protocol/errors';
import { parseRunEvent, type RunEvent } from '../../protocol/events';
import { parseRunFile, type RunFile } from '../../protocol/run';
import {
  ADAPTER,
  CHECKPOINTS,
  EVENTS_FILE,
  LOG_FILE,
  MODEL,
  PROCESS_FILE,
  PROVENANCE_FILE,
  RUN_FILE,
} from '../../protocol/runDirectory';
import { describeRunProblem } from '../../text/runProblems';
import type { Translate } from '../../text/translate';

/** Makes the directory, and with `overwrite` removes what an older run left in it; other files stay. */
export function prepareRunDirectory(directory: string, overwrite: boolean): void {
  makeDirectories(directory);
  if (!overwrite || !holdsRun(directory)) return;
  // run.json goes last, so that an interrupted removal still shows a run that --overwrite may remove.
  for (const name of [
    CHECKPOINTS,
    ADAPTER,
    MODEL,
    EVENTS_FILE,
    PROVENANCE_FILE,
    LOG_FILE,
    PROCESS_FILE,
    RUN_FILE,
  ])
    rmSync(path.join(directory, name), { recursive: true, force: true });
}

/** Removes what a killed process had begun to write; only whoever owns the directory may do this. */
export function removeLeftovers(directory: string): void {
  for (const parent of [directory, path.join(directory, CHECKPOINTS)]) {
    if (!existsSync(parent)) continue;
    for (const name of readdirSync(parent).filter((entry) => /\.tmp-\d+$/.test(entry)))
      rmSync(path.join(parent, name), { recursive: true, force: true });
  }
}

/** The resolved run of an existing run directory. Throws `run.notFound` or `run.invalidFile`. */
export function readRun(t: Translate, directory: string): RunFile {
  const file = path.join(directory, RUN_FILE);
  if (!existsSync(file)) throw new GlmError('run.notFound', { path: directory });
  const parsed = parseRunFile(parseOrNull(readFileSync(file, 'utf8')));
  if ('run' in parsed) return parsed.run;
  const problems = parsed.problems.map((problem) => `${problem.key}: ${describeRunProblem(t, problem)}`);
  throw new GlmError('run.invalidFile', { path: file, problems: problems.join('\n') });
}

/** The last event of a type; null where there is none. */
export function lastEvent<T extends RunEvent['type']>(
  directory: string,
  types: readonly T[],
): Extract<RunEvent, { type: T }> | null {
  const file = path.join(directory, EVENTS_FILE);
  if (!existsSync(file)) return null;
  const lines = readFileSync(file, 'utf8').split('\n');
  for (const line of lines.reverse()) {
    const event = parseRunEvent(line);
    if (event && (types as readonly string[]).includes(event.type))
      return event as Extract<RunEvent, { type: T }>;
  }
  return null;
}

/** Complete checkpoints, oldest first. They are renamed into place when whole, so a name is a promise. */
export function listCheckpoints(directory: string): { name: string; step: number }[] {
  const parent = path.join(directory, CHECKPOINTS);
  if (!existsSync(parent)) return [];
  return readdirSync(parent)
    .flatMap((name) => {
      const step = /^step-(\d+)$/.exec(name)?.[1];
      const whole = step !== undefined && statSync(path.join(parent, name)).isDirectory();
      return whole ? [{ name, step: Number(step) }] : [];
    })
    .sort((a, b) => a.step - b.step);
}

/** The directory of `wanted`, or of the newest checkpoint. Throws `run.noCheckpoint` or `run.checkpointNotFound`. */
export function chooseCheckpoint(directory: string, wanted: string | null): string {
  const checkpoints = listCheckpoints(directory);
  const newest = checkpoints.at(-1);
  if (!newest) throw new GlmError('run.noCheckpoint', { path: directory });
  const chosen = wanted === null ? newest : checkpoints.find(({ name }) => name === checkpointName(wanted));
  if (!chosen)
    throw new GlmError('run.checkpointNotFound', {
      path: directory,
      checkpoint: wanted ?? '',
      available: checkpoints.map(({ name }) => name).join(', '),
    });
  return path.join(directory, CHECKPOINTS, chosen.name);
}

/** `step-40`, `40` and `checkpoints/step-40/` all name the same checkpoint. */
function checkpointName(wanted: string): string {
  const name = path.basename(wanted);
  return /^\d+$/.test(name) ? `step-${name}` : name;
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
