/** The product's own command line as a child process. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const CLI = path.resolve('dist/cli.js');

/** Runs `dist/cli.js`, its output on this terminal; throws if it fails. */
export function runCli(args: readonly string[]): void {
  const { status, error } = spawnSync(process.execPath, [CLI, ...args], { stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) throw new Error(`dist/cli.js ${args[0] ?? ''} ended with exit code ${status}`);
}
