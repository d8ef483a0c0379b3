/** Runs `doctor` of the command line and shows its report. */
import { execFile } from 'node:child_process';
import * as vscode from 'vscode';
import type { Runtimes } from '../host/runtimes';
import { t } from '../host/translate';
import { requireTrust } from '../host/trust';

const TIMEOUT_MS = 180_000;
const MAX_BYTES = 4 * 1024 * 1024;

export async function showDoctor(runtimes: Runtimes): Promise<void> {
  requireTrust();
  const report = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: t('Examining the engine'), cancellable: true },
    (_progress, token) => runDoctor(runtimes, token),
  );
  if (report === null) return;
  const document = await vscode.workspace.openTextDocument({ content: report, language: 'plaintext' });
  await vscode.window.showTextDocument(document, { preview: true });
}

/** The report, whatever the exit code: problems are what it is for. Null where it was cancelled. */
async function runDoctor(runtimes: Runtimes, token: vscode.CancellationToken): Promise<string | null> {
  const { command, args, env } = await runtimes.cli(['doctor']);
  const abort = new AbortController();
  token.onCancellationRequested(() => abort.abort());
  return new Promise((resolve, reject) => {
    const options = {
      env,
      timeout: TIMEOUT_MS,
      maxBuffer: MAX_BYTES,
      signal: abort.signal,
      windowsHide: true,
    };
    execFile(command, args, options, (error, stdout, stderr) => {
      if (abort.signal.aborted) resolve(null);
      else if (stdout.trim() === '' && error) reject(new Error(stderr.trim() || error.message));
      else resolve([stdout.trim(), stderr.trim()].filter((part) => part !== '').join('\n\n'));
    });
  });
}
