/** A run file as the user is editing it: what it says and everything that is wrong with it. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { parseRunFile, type RunFile } from '../../protocol/run';
import { describeRunProblem } from '../../text/runProblems';
import type { Translate } from '../../text/translate';

export interface RunFileFault {
  /** Key path, empty for the file as a whole. */
  key: string;
  sentence: string;
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
    const fault = { key: '', sentence: t('The file is not valid JSON.'), bySchema: true };
    return { run: null, faults: [fault] };
  }
  const parsed = parseRunFile(value);
  const run = 'run' in parsed ? parsed.run : null;
  const bySchema = 'problems' in parsed ? parsed.problems : [];
  const faults = bySchema.map((problem) => ({
    key: problem.key,
    sentence: describeRunProblem(t, problem),
    bySchema: true,
  }));
  // Paths are looked up in a file with other faults too: all are told at once.
  const missing = await missingPaths(t, path.dirname(file), value);
  return { run, faults: [...faults, ...missing] };
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
  const expect = async (key: string, given: string | null, inside: string | null): Promise<void> => {
    if (given === null) return;
    const absolute = path.resolve(directory, given);
    const found = await stat(absolute).catch(() => null);
    const sentence =
      inside === null ? fileFault(t, absolute, found) : await directoryFault(t, absolute, inside, found);
    if (sentence) faults.push({ key, sentence, bySchema: false });
  };
  await expect('model', textAt(value, 'model'), 'config.json');
  await expect('adapter', textAt(value, 'adapter'), 'adapter_config.json');
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
  inside: string,
  found: Found,
): Promise<string | null> {
  if (!found?.isDirectory()) return t('there is no directory {path}', { path: directory });
  const file = await stat(path.join(directory, inside)).catch(() => null);
  return file ? null : t('{path} has no {file}', { path: directory, file: inside });
}
