/** `process.json`: says which process works in a run directory, and keeps a second one out. */
import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { livingProcess, parseProcessFile, readProcessFile } from '../../process/livingProcess';
import { GlmError } from '../../protocol/errors';
import type { ProcessFile } from '../../protocol/control';
import { PROCESS_FILE } from '../../protocol/runDirectory';

/**
 * Writes `process.json`, whole or not at all, unless a living process has one there (`run.busy`).
 * @returns a function that removes it again
 */
export async function claimDirectory(directory: string, socket: string): Promise<() => void> {
  const target = path.join(directory, PROCESS_FILE);
  const temporary = `${target}.tmp-${process.pid}`;
  const content: ProcessFile = { pid: process.pid, started: new Date().toISOString(), socket };
  try {
    writeFileSync(temporary, `${JSON.stringify(content)}\n`);
    for (;;) {
      try {
        // A link fails where the name is taken, which a rename would not.
        linkSync(temporary, target);
        return () => rmSync(target, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const before = await readProcessFile(directory);
      const other = await livingProcess(directory);
      if (other) throw new GlmError('run.busy', { path: directory, pid: other.pid });
      removeAbandoned(target, before);
    }
  } catch (error) {
    // A failed write carries no path, and the user needs to know which disk is full.
    const { syscall, path: known } = error as NodeJS.ErrnoException;
    throw syscall && !known ? Object.assign(error as Error, { path: directory }) : error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Renames first: of two processes that both found the file abandoned, the slower one sees the new file and puts it back. */
function removeAbandoned(target: string, abandoned: ProcessFile | null): void {
  const aside = `${target}.${randomUUID()}`;
  try {
    renameSync(target, aside);
    if (parseProcessFile(readFileSync(aside, 'utf8'))?.socket !== abandoned?.socket) linkSync(aside, target);
  } catch {
    // Another process was quicker.
  }
  rmSync(aside, { force: true });
}
