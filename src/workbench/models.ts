/** Checkpoints in the workspace and the practice model that ships with the extension. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';

export interface ModelDirectory {
  /** Absolute path of the checkpoint directory. */
  path: string;
  name: string;
  /** The small model that ships with the extension. */
  practice: boolean;
}

const EXCLUDE = '**/{node_modules,.git,runs}/**';
const MAX_CONFIGS = 200;

/** Directory of the shipped practice model. */
export function practiceModel(extensionUri: vscode.Uri): string {
  return vscode.Uri.joinPath(extensionUri, 'media', 'practice-model').fsPath;
}

/** ChatGLM checkpoints in the workspace, by their `config.json`, then the practice model. */
export async function findModels(extensionUri: vscode.Uri): Promise<ModelDirectory[]> {
  const configs = await vscode.workspace.findFiles('**/config.json', EXCLUDE, MAX_CONFIGS);
  const found = await Promise.all(
    configs.filter((uri) => uri.scheme === 'file').map((uri) => modelAt(path.dirname(uri.fsPath))),
  );
  const models = found.filter((model) => model !== null);
  models.sort((a, b) => a.name.localeCompare(b.name));
  const shipped = await modelAt(practiceModel(extensionUri));
  const hasOwnPractice = models.some((model) => model.practice);
  return shipped && !hasOwnPractice ? [...models, { ...shipped, practice: true }] : models;
}

/** The checkpoint in `directory`; null where it holds none of ours. */
export async function modelAt(directory: string): Promise<ModelDirectory | null> {
  try {
    const config = JSON.parse(await readFile(path.join(directory, 'config.json'), 'utf8')) as {
      model_type?: unknown;
    };
    if (config.model_type !== 'chatglm') return null;
    const name = path.basename(directory);
    return { path: directory, name, practice: name === 'practice-model' };
  } catch {
    return null;
  }
}
