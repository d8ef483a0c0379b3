import * as vscode from 'vscode';
import { GlmError } from '../protocol/errors';

/** Throws where the workspace may not start programs. */
export function requireTrust(): void {
  if (!vscode.workspace.isTrusted) throw new GlmError('host.untrusted', {});
}

/** Path of a file on this machine's disk; throws for files of virtual workspaces. */
export function diskPath(uri: vscode.Uri): string {
  if (uri.scheme !== 'file') throw new GlmError('host.notOnDisk', { path: uri.toString(true) });
  return uri.fsPath;
}
