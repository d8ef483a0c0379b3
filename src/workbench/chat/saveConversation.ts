/** "Save Conversation to Dataset": a good conversation becomes a training record. */
import * as vscode from 'vscode';
import { t } from '../../host/translate';
import type { ChatMessage } from '../../protocol/control';
import { appendConversation, isTrainable } from './conversationRow';

/** Datasets beyond this are not read into memory to add a line. */
const MAX_BYTES = 50 * 1024 * 1024;

/** Asks for a dataset and adds the conversation to its end; shows the new record in the editor. */
export async function saveConversation(messages: readonly ChatMessage[]): Promise<void> {
  if (!isTrainable(messages)) {
    void vscode.window.showInformationMessage(t('There is no answered conversation to save yet.'));
    return;
  }
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const target = await vscode.window.showSaveDialog({
    title: t('Save Conversation to Dataset'),
    saveLabel: t('Add to Dataset'),
    defaultUri: folder && vscode.Uri.joinPath(folder, 'conversations.jsonl'),
    filters: { JSONL: ['jsonl'] },
  });
  if (!target) return;
  const open = vscode.workspace.textDocuments.find(({ uri }) => uri.toString() === target.toString());
  if (open?.isDirty) {
    void vscode.window.showWarningMessage(
      t('Save your changes to {name} first.', { name: vscode.workspace.asRelativePath(target) }),
    );
    return;
  }
  const before = await readText(target);
  if (before === null) {
    void vscode.window.showWarningMessage(t('The dataset is too large to add to here. Choose another file.'));
    return;
  }
  await replaceFile(target, appendConversation(before, messages));
  const editor = await vscode.window.showTextDocument(target, { preview: false });
  const last = editor.document.lineCount - 2;
  editor.revealRange(new vscode.Range(last, 0, last, 0), vscode.TextEditorRevealType.InCenter);
}

/** The text of a file, empty where there is none, null where it is too large. */
async function readText(uri: vscode.Uri): Promise<string | null> {
  try {
    const { size } = await vscode.workspace.fs.stat(uri);
    if (size > MAX_BYTES) return null;
  } catch (error) {
    if (error instanceof vscode.FileSystemError && error.code === 'FileNotFound') return '';
    throw error;
  }
  return Buffer.from(await vscode.workspace.fs.readFile(uri)).toString('utf8');
}

/** Writes beside the file and renames, so that a crash leaves the old file or the new one. */
async function replaceFile(uri: vscode.Uri, text: string): Promise<void> {
  const temporary = uri.with({ path: `${uri.path}.tmp-${process.pid}` });
  await vscode.workspace.fs.writeFile(temporary, Buffer.from(text));
  await vscode.workspace.fs.rename(temporary, uri, { overwrite: true });
}
