/** The one log of the extension ("ChatGLM" in the Output view). */
import * as vscode from 'vscode';

export type Log = vscode.LogOutputChannel;

export function createLog(): Log {
  return vscode.window.createOutputChannel('ChatGLM', { log: true });
}
