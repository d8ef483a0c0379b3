/** Settings of the linter. Both may differ between folders and files. */
import * as vscode from 'vscode';
import { CONFIGURATION, SETTINGS } from '../host/names';

const DEFAULT_DELAY = 150;
const LONGEST_DELAY = 10_000;

export function lintEnabled(uri: vscode.Uri): boolean {
  return vscode.workspace.getConfiguration(CONFIGURATION, uri).get<boolean>(SETTINGS.lintEnabled, true);
}

/** Milliseconds of quiet after an edit before the document is linted. */
export function lintDelay(uri: vscode.Uri): number {
  const delay = vscode.workspace
    .getConfiguration(CONFIGURATION, uri)
    .get<number>(SETTINGS.lintDelay, DEFAULT_DELAY);
  return Math.min(LONGEST_DELAY, Math.max(0, delay));
}

/** True where an event can change what the two functions above return. */
export function affectsLint(event: vscode.ConfigurationChangeEvent): boolean {
  return (
    event.affectsConfiguration(`${CONFIGURATION}.${SETTINGS.lintEnabled}`) ||
    event.affectsConfiguration(`${CONFIGURATION}.${SETTINGS.lintDelay}`)
  );
}
