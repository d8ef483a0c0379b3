import * as vscode from 'vscode';

/** Shows a directory in the explorer where it is part of the workspace, else in the system's file manager. */
export async function reveal(directory: string): Promise<void> {
  const uri = vscode.Uri.file(directory);
  const inWorkspace = vscode.workspace.getWorkspaceFolder(uri) !== undefined;
  await vscode.commands.executeCommand(inWorkspace ? 'revealInExplorer' : 'revealFileInOS', uri);
}
