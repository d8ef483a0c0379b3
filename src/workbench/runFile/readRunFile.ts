/** A run file as the user is editing it: what it says and everything that is wrong with it. */
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { parseRunFile, type RunFile } from '../../protocol/run';
import { checkRun } from '../../protocol/runChecks';
import {
  ADAPTER_CONFIGS,
  ADAPTER_FILES,
  checkStartingAdapter,
  summariseAdapter,
  type AdapterSummary,
} from '../../protocol/startingAdapter';
import { describeRunCheck } from '../../text/runChecks';
import { describeRunProblem } from '../../text/runProblems';
import type { Translate } from '../../text/translate';

/** Some hundred bytes in truth. */
const MAX_ADAPTER_CONFIG = 1_000_000;

export interface RunFileFault {
  /** Key path, empty for the file as a whole. */
  key: string;
  sentence: string;
  /** A warning does not keep the run from starting. */
  severity: 'error' | 'warning';
  /** The schema in the editor finds it too. */
  bySchema: boolean;
}

export interface RunFileReading {
  /** Null where the file has faults of form. Paths as written. */
  run: RunFile | null;
  faults: RunFileFault[];
}

/** @param file absolute path, which relative paths in it are relative to */
export async function readRunFileText(t: Translate, file: string, text: string): Promise<RunFileReading> {
  const value = parseJson(text);
  if (value === undefined) {
    const fault = { key: '', sentence: t('The file is not valid JSON.'), ...BY_SCHEMA };
    return { run: null, faults: [fault] };
  }
  const parsed = parseRunFile(value);
  const run = 'run' in parsed ? parsed.run : null;
  const bySchema = 'problems' in parsed ? parsed.problems : [];
  const faults = bySchema.map((problem) => ({
    key: problem.key,
    sentence: describeRunProblem(t, problem),
    ...BY_SCHEMA,
  }));
  const checks = run ? await checkFaults(t, path.dirname(file), run, value) : [];
  // Paths are looked up in a file with other faults too: all are told at once.
  const missing = await missingPaths(t, path.dirname(file), value);
  return { run, faults: [...faults, ...checks, ...missing] };
}

const BY_SCHEMA = { severity: 'error', bySchema: true } as const;

/** What does not fit together, in the file and with the adapter it starts from. */
async function checkFaults(
  t: Translate,
  directory: string,
  run: RunFile,
  written: unknown,
): Promise<RunFileFault[]> {
  const adapter = run.adapter === null ? null : await readAdapter(path.resolve(directory, run.adapter));
  const checks = [...checkRun(run), ...(adapter ? checkStartingAdapter(run, written, adapter) : [])];
  return checks.map((check) => ({
    key: check.key,
    sentence: describeRunCheck(t, check),
    severity: check.severity,
    bySchema: false,
  }));
}

/** What an adapter directory says about itself; null where it says nothing readable. */
async function readAdapter(directory: string): Promise<AdapterSummary | null> {
  for (const name of ADAPTER_CONFIGS) {
    const file = path.join(directory, name);
    const found = await stat(file).catch(() => null);
    if (!found) continue;
    const readable = found.isFile() && found.size < MAX_ADAPTER_CONFIG;
    return readable ? summariseAdapter(parseJson(await readFile(file, 'utf8'))) : null;
  }
  return null;
}

/** The text at a key path, or null where there is none. */
function textAt(value: unknown, ...keys: string[]): string | null {
  const found = keys.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[key] : null,
    value,
  );
  return typeof found === 'string' && found !== '' ? found : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Paths in the run file that lead nowhere. */
async function missingPaths(t: Translate, directory: string, value: unknown): Promise<RunFileFault[]> {
  const faults: RunFileFault[] = [];
  const expect = async (
    key: string,
    given: string | null,
    inside: readonly string[] | null,
  ): Promise<void> => {
    if (given === null) return;
    const absolute = path.resolve(directory, given);
    const found = await stat(absolute).catch(() => null);
    const sentence =
      inside === null ? fileFault(t, absolute, found) : await directoryFault(t, absolute, inside, found);
    if (sentence) faults.push({ key, sentence, severity: 'error', bySchema: false });
  };
  await expect('model', textAt(value, 'model'), ['config.json']);
  await expect('adapter', textAt(value, 'adapter'), ADAPTER_FILES);
  await expect('dataset.train', textAt(value, 'dataset', 'train'), null);
  await expect('dataset.validation', textAt(value, 'dataset', 'validation'), null);
  return faults;
}

type Found = { isDirectory(): boolean } | null;

function fileFault(t: Translate, file: string, found: Found): string | null {
  if (!found) return t('there is no file {path}', { path: file });
  return found.isDirectory() ? t('{path} is a directory, not a file', { path: file }) : null;
}

async function directoryFault(
  t: Translate,
  directory: string,
  inside: readonly string[],
  found: Found,
): Promise<string | null> {
  if (!found?.isDirectory()) return t('there is no directory {path}', { path: directory });
  for (const name of inside) if (await stat(path.join(directory, name)).catch(() => null)) return null;
  return t('{path} has no {file}', { path: directory, file: inside[0] ?? '' });
}
