/**
 * Language features on datasets: fixes and the lens, in documents that are not saved anywhere. They stay open: VS Code
 * gives the name of a closed one to the next, and with it sometimes its text.
 */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';

const GOOD = '{"prompt": "q", "response": "a"}';
const OTHER = '{"prompt": "q2", "response": "a2"}';

async function open(lines: readonly string[]): Promise<vscode.TextDocument> {
  const document = await vscode.workspace.openTextDocument({ language: 'jsonl', content: lines.join('\n') });
  await vscode.window.showTextDocument(document);
  return document;
}

/** Polls until `get` returns something that `enough` accepts. */
async function eventually<T>(get: () => T | Thenable<T>, enough: (value: T) => boolean): Promise<T> {
  for (const end = Date.now() + 30_000; ;) {
    const value = await get();
    if (enough(value)) return value;
    assert.ok(Date.now() < end, `so far: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Rule ids of the diagnostics. */
function codes(uri: vscode.Uri): string[] {
  return vscode.languages.getDiagnostics(uri).map(({ code }) => (typeof code === 'string' ? code : ''));
}

function actions(uri: vscode.Uri, range: vscode.Range, kind: string): Thenable<vscode.CodeAction[]> {
  return vscode.commands.executeCommand('vscode.executeCodeActionProvider', uri, range, kind);
}

describe('datasets', () => {
  before(() => vscode.extensions.getExtension('glmtune.chatglm-finetune')?.activate());

  it('mends a problem with a quick fix, and the diagnostic goes', async () => {
    const document = await open([GOOD, '{"prompt": "q2", "response": "a2",}']);
    await eventually(
      () => codes(document.uri),
      (found) => found.join() === 'glm/trailing-comma',
    );
    const column = document.lineAt(1).text.lastIndexOf(',');
    const [fix] = await actions(document.uri, new vscode.Range(1, column, 1, column + 1), 'quickfix');
    assert.ok(fix?.edit);
    assert.equal(fix.isPreferred, true);
    await vscode.workspace.applyEdit(fix.edit);
    assert.equal(document.lineAt(1).text, OTHER);
    await eventually(
      () => codes(document.uri),
      (found) => found.length === 0,
    );
  });

  it('fixes all that is safe to fix, over lines too, and leaves the rest', async () => {
    const document = await open([
      '// note',
      "{'prompt': 'q', 'response': 'a'}",
      '',
      '{',
      '  "prompt": "q2",',
      '  "response": "a2"',
      '}',
      '{"prompt": "q3", "response": ""}',
      '',
    ]);
    await eventually(
      () => codes(document.uri),
      (found) => found.length > 3,
    );
    const whole = new vscode.Range(0, 0, document.lineCount, 0);
    const [fix] = await actions(document.uri, whole, 'source.fixAll.glm');
    assert.ok(fix?.edit);
    await vscode.workspace.applyEdit(fix.edit);
    const expected = [GOOD, `{ ${OTHER.slice(1, -1)} }`, '{"prompt": "q3", "response": ""}', ''];
    assert.equal(document.getText(), expected.join('\n'));
    await eventually(
      () => codes(document.uri),
      (found) => found.join() === 'glm/empty-answer',
    );
  });

  it('counts records and problems above the first line', async () => {
    const document = await open([GOOD, OTHER, '{"prompt": "q"}']);
    const lenses = await eventually(
      () => vscode.commands.executeCommand<vscode.CodeLens[]>('vscode.executeCodeLensProvider', document.uri),
      (found) => found.length > 0,
    );
    assert.match(lenses[0]?.command?.title ?? '', /^2 .*1 /);
    assert.equal(lenses[0]?.range.start.line, 0);
  });
});
