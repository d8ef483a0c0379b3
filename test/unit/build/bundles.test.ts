/** What a bundle must never reach fails its build, however deep the import lies. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { build, type BuildFailure } from 'esbuild';
import { bundles } from '../../../.ci/build/bundles.mjs';

/** Error texts of bundling an entry point that reaches `line` through a module beside it. */
async function errorsOf(bundle: string, line: string): Promise<string[]> {
  const { options } = bundles.find(({ name }) => name === bundle)!;
  const folder = mkdtempSync(path.join(tmpdir(), 'glm-'));
  try {
    mkdirSync(path.join(folder, 'room'));
    writeFileSync(path.join(folder, 'main.ts'), `export * from './room/deep';`);
    writeFileSync(path.join(folder, 'room/deep.ts'), `${line}\nexport const there = 1;`);
    await build({
      ...options,
      // Plugins that finish a whole bundle have nothing to do with imports.
      plugins: options.plugins?.filter(({ name }) => name !== 'finish-command-line'),
      absWorkingDir: folder,
      entryPoints: ['main.ts'],
      bundle: true,
      outdir: 'out',
      write: false,
      logLevel: 'silent',
    });
    return [];
  } catch (error) {
    return (error as BuildFailure).errors.map(({ text }) => text);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const forbidden: [bundle: string, line: string][] = [
  ['dist/extension.js', `import '@tensorflow/tfjs';`],
  ['dist/extension.js', `import koffi from 'koffi'; koffi.load('x');`],
  ['dist/cli.js', `import * as vscode from 'vscode'; vscode.commands;`],
  ['dist/cli.js', `import '@tensorflow/tfjs-node-gpu/dist/register_all_kernels';`],
  ['dist/engine.js', `import * as vscode from 'vscode'; vscode.commands;`],
  ['dist/webview/chat.js', `import koffi from 'koffi'; koffi.load('x');`],
];

describe('bundles', () => {
  for (const [bundle, line] of forbidden) {
    it(`${bundle} may not reach ${line}`, async () => {
      const errors = await errorsOf(bundle, line);
      assert.equal(errors.length, 1);
      assert.match(errors[0], /must not be reached from room[\\/]deep\.ts/);
    });
  }

  it('types of a forbidden module are no import', async () => {
    assert.deepEqual(
      await errorsOf('dist/cli.js', `import type { Uri } from 'vscode'; export type U = Uri;`),
      [],
    );
  });

  it('the engine finds koffi beside its bundle, the command line the engine', async () => {
    assert.deepEqual(await errorsOf('dist/engine.js', `import koffi from 'koffi'; koffi.load('x');`), []);
    assert.deepEqual(await errorsOf('dist/cli.js', `export const load = () => import('./engine.js');`), []);
  });
});
