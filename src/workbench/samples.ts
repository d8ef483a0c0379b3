/** Copies the practice model and its samples into a folder of the user's, and opens it. */
import { access } from 'node:fs/promises';
import * as vscode from 'vscode';
import { t } from '../host/translate';

const FOLDER = 'chatglm-samples';
/** What is copied from `media/`; the samples' run file names the model by its relative place. */
const PARTS = ['samples', 'practice-model'];
/** Sources of the practice model, of no use to a reader of the samples. */
const LEFT_OUT = new Set(['corpus', 'make']);

export async function openSamples(extensionUri: vscode.Uri): Promise<void> {
  const chosen = await vscode.window.showOpenDialog({
    canSelectFiles: false,
    canSelectFolders: true,
    openLabel: t('Create Samples Here'),
    title: t('A folder named {name} will be made in the folder you choose', { name: FOLDER }),
  });
  if (!chosen?.[0]) return;
  const target = vscode.Uri.joinPath(chosen[0], FOLDER);
  if (!(await exists(target))) await copySamples(extensionUri, target);
  await vscode.commands.executeCommand('vscode.openFolder', target, { forceReuseWindow: false });
}

/** Copies into a folder beside the target and renames it when whole. */
export async function copySamples(extensionUri: vscode.Uri, target: vscode.Uri): Promise<void> {
  const partial = target.with({ path: `${target.path}.partial` });
  const { fs } = vscode.workspace;
  if (await exists(partial)) await fs.delete(partial, { recursive: true });
  for (const part of PARTS) {
    const source = vscode.Uri.joinPath(extensionUri, 'media', part);
    for (const [name] of await fs.readDirectory(source)) {
      if (LEFT_OUT.has(name)) continue;
      await fs.copy(vscode.Uri.joinPath(source, name), vscode.Uri.joinPath(partial, part, name));
    }
  }
  await fs.rename(partial, target);
}

function exists(uri: vscode.Uri): Promise<boolean> {
  return access(uri.fsPath).then(
    () => true,
    () => false,
  );
}
