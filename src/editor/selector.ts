/** Which documents are datasets. */
import type * as vscode from 'vscode';
import { EVENTS_FILE } from '../protocol/runDirectory';

/** VS Code's own language for `.jsonl` and `.ndjson`, wherever the file lies. */
export const DATASET_SELECTOR: vscode.DocumentSelector = { language: 'jsonl' };

/** Old versions in a comparison, output and search results are not edited. */
const READ_ONLY_SCHEMES = new Set([
  'git',
  'gitfs',
  'pr',
  'review',
  'output',
  'search-editor',
  'vscode-local-history',
]);

export function isDataset(document: vscode.TextDocument): boolean {
  if (document.languageId !== 'jsonl' || READ_ONLY_SCHEMES.has(document.uri.scheme)) return false;
  return document.uri.path.split('/').pop() !== EVENTS_FILE;
}
