/** The extension inside a real extension host: activation, commands, diagnostics. */
import assert from 'node:assert/strict';
import path from 'node:path';
import * as vscode from 'vscode';

interface Manifest {
  contributes: { commands: { command: string }[] };
}

const extension = vscode.extensions.getExtension('glmtune.chatglm-finetune');

function workspaceFile(name: string): vscode.Uri {
  const folder = vscode.workspace.workspaceFolders?.[0];
  assert.ok(folder, 'the fixture workspace is open');
  return vscode.Uri.file(path.join(folder.uri.fsPath, name));
}

/** Our diagnostics of a document, once `enough` says that they are those awaited. */
async function diagnostics(
  uri: vscode.Uri,
  enough: (found: vscode.Diagnostic[]) => boolean,
): Promise<vscode.Diagnostic[]> {
  for (const end = Date.now() + 60_000; ;) {
    const found = vscode.languages.getDiagnostics(uri);
    if (enough(found)) return found;
    assert.ok(Date.now() < end, `diagnostics so far: ${JSON.stringify(found)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('extension', () => {
  before(async () => {
    assert.ok(extension, 'VS Code knows the extension');
    await extension.activate();
  });

  it('registers every command of its manifest', async () => {
    const registered = await vscode.commands.getCommands(true);
    const { contributes } = extension!.packageJSON as Manifest;
    assert.ok(contributes.commands.length > 0);
    const missing = contributes.commands.filter(({ command }) => !registered.includes(command));
    assert.deepEqual(missing, []);
  });

  it('finds the problems of a broken dataset, each on its line', async () => {
    const uri = workspaceFile('broken.jsonl');
    const document = await vscode.workspace.openTextDocument(uri);
    assert.equal(document.languageId, 'jsonl');
    await vscode.window.showTextDocument(document);
    const found = await diagnostics(uri, (all) => all.length >= 3);
    assert.deepEqual([...new Set(found.map(({ range }) => range.start.line + 1))].sort(), [2, 3, 4]);
    const notJson = found.find(({ range }) => range.start.line === 1);
    assert.equal(notJson?.severity, vscode.DiagnosticSeverity.Error);
  });

  it('finds nothing in a good dataset, and the problem that is typed into it', async () => {
    const uri = workspaceFile('greetings.jsonl');
    const document = await vscode.workspace.openTextDocument(uri);
    const editor = await vscode.window.showTextDocument(document);
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), '{oops\n'));
    const [problem] = await diagnostics(uri, (all) => all.length === 1);
    assert.equal(problem?.range.start.line, 0);
    await vscode.commands.executeCommand('workbench.action.files.revert');
    await diagnostics(uri, (all) => all.length === 0);
  });
});
