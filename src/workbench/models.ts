/** Checkpoints in the workspace and the practice model that ships with the extension. */
import path from 'node:path';
import * as vscode from 'vscode';
import { modelIn, type ModelDirectory } from './modelDirectory';

const EXCLUDE = '**/{node_modules,.git,runs}/**';
const MAX_CONFIGS = 200;

/** Directory of the shipped practice model. */
export function practiceModel(extensionUri: vscode.Uri): string {
  return vscode.Uri.joinPath(extensionUri, 'media', 'practice-model').fsPath;
}

/** Checkpoints of every family in the workspace, by their `config.json`, then the practice model. */
export async function findModels(extensionUri: vscode.Uri): Promise<ModelDirectory[]> {
  const configs = await vscode.workspace.findFiles('**/config.json', EXCLUDE, MAX_CONFIGS);
  const models = configs
    .filter((uri) => uri.scheme === 'file')
    .map((uri) => modelIn(path.dirname(uri.fsPath)))
    .filter((model) => model !== null);
  models.sort((a, b) => a.name.localeCompare(b.name));
  const shipped = modelIn(practiceModel(extensionUri));
  const hasOwnPractice = models.some((model) => model.practice);
  return shipped && !hasOwnPractice ? [...models, { ...shipped, practice: true }] : models;
}
