/** Where a new run keeps its files; asked by the command line and by the editor, which starts it. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { GlmError } from '../protocol/errors';
import type { RunFile } from '../protocol/run';
import { directoryName, RUN_FILE } from '../protocol/runDirectory';

export interface DirectoryChoice {
  run: Pick<RunFile, 'name' | 'output_dir'>;
  /** The run file, beside which `runs/` lies and which a relative `output_dir` is relative to. */
  runFile: string;
  /** `--run-dir`, which comes before `output_dir`. */
  explicit?: string | null;
  /** `--overwrite`: a named directory may already hold a run. */
  overwrite?: boolean;
}

/**
 * The directory of a new run: `explicit`, else `output_dir`, else the first free one of `runs/<name>`, `runs/<name>-2`, ...
 * beside the run file. A named directory that already holds a run is an error (`run.exists`) unless it is overwritten.
 */
export function chooseRunDirectory({ run, runFile, explicit, overwrite }: DirectoryChoice): string {
  const beside = path.dirname(path.resolve(runFile));
  const named = explicit ? path.resolve(explicit) : run.output_dir && path.resolve(beside, run.output_dir);
  if (named) {
    if (holdsRun(named) && !overwrite) throw new GlmError('run.exists', { path: named });
    return named;
  }
  const base = path.join(beside, 'runs', directoryName(run.name));
  for (let number = 1; ; number += 1) {
    const directory = number === 1 ? base : `${base}-${number}`;
    if (!existsSync(directory)) return directory;
  }
}

/** `run.json` is what makes a directory a run. */
export function holdsRun(directory: string): boolean {
  return existsSync(path.join(directory, RUN_FILE));
}
