/** Throw-away workspaces of scenarios. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT } from '../../../.ci/lib/run.mjs';

/** Place in the workspace (`.` is its root) -> place in the project. */
export type WorkspaceParts = Record<string, string>;

export const FIXTURES: WorkspaceParts = { '.': 'test/fixtures/workspace' };
/** What `npm start` opens and "Open Practice Samples" makes. */
export const SAMPLES: WorkspaceParts = {
  samples: 'media/samples',
  'practice-model': 'media/practice-model',
};
/** Sources of the practice model. */
const LEFT_OUT = ['corpus', 'make'];

/** A copy of the parts in a new temporary folder. */
export function makeWorkspace(parts: WorkspaceParts, name: string): string {
  const folder = path.join(realpathSync(mkdtempSync(path.join(tmpdir(), 'glm-'))), name);
  for (const [place, source] of Object.entries(parts)) {
    cpSync(path.join(ROOT, source), path.join(folder, place), {
      recursive: true,
      filter: (file) => !LEFT_OUT.includes(path.basename(file)),
    });
  }
  return folder;
}

/** Removes the workspace, after ending what still trains in it. */
export function removeWorkspace(folder: string): void {
  for (const run of runDirectories(folder)) {
    const pid = processOf(run);
    if (pid !== null && isRunning(pid)) process.kill(pid, 'SIGKILL');
  }
  rmSync(path.dirname(folder), { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

/** Run directories in the workspace. */
export function runDirectories(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.name === 'events.jsonl')
    .map((entry) => entry.parentPath);
}

/** Process id of the training that goes on in a run directory; null where none does. */
export function processOf(runDirectory: string): number | null {
  const file = path.join(runDirectory, 'process.json');
  if (!existsSync(file)) return null;
  return (JSON.parse(readFileSync(file, 'utf8')) as { pid: number }).pid;
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The events a run has written so far; a line that is still being written is left out. */
export function eventsOf(runDirectory: string): { type: string; step?: number; loss?: number }[] {
  const lines = readFileSync(path.join(runDirectory, 'events.jsonl'), 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as { type: string; step?: number; loss?: number });
}
