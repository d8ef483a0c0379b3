/** The import rules have to fire: ESLint is run on one-line files, as if they lay in the folder named. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import path from 'node:path';
import { ESLint, type Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { importRules } from '../../../.ci/importRules.mjs';

const RULE = '@typescript-eslint/no-restricted-imports';
const eslint = new ESLint({
  cwd: process.cwd(),
  overrideConfigFile: true,
  overrideConfig: [
    {
      files: ['**/*.ts'],
      languageOptions: { parser: tseslint.parser },
      plugins: { '@typescript-eslint': tseslint.plugin },
    },
    ...importRules(),
  ] as Linter.Config[],
});

async function violations(file: string, line: string): Promise<number> {
  const results = await eslint.lintText(line, { filePath: path.resolve(file) });
  return results.flatMap(({ messages }) => messages).filter(({ ruleId }) => ruleId === RULE).length;
}

const forbidden: [file: string, line: string][] = [
  ['src/protocol/run.ts', `import { readFileSync } from 'node:fs';`],
  ['src/protocol/run.ts', `import type { Finding } from '../dataset/types';`],
  ['src/dataset/rules/roles.ts', `import { fit } from '../../tokenizer/fit';`],
  ['src/dataset/rules/roles.ts', `import * as vscode from 'vscode';`],
  ['src/tokenizer/bundle.ts', `import { readRows } from '../dataset/reader';`],
  ['src/checkpoint/load.ts', `import { train } from '../engine/train/trainer';`],
  ['src/engine/nn/linear.ts', `import * as tf from '@tensorflow/tfjs';`],
  ['src/engine/nn/linear.ts', `import koffi from 'koffi';`],
  ['src/engine/nn/linear.ts', `import { describeError } from '../../text/errors';`],
  ['src/engine/backend/native.ts', `import { main } from '../../cli/main';`],
  ['src/text/errors/run.ts', `import { lint } from '../../dataset/lint';`],
  ['src/text/errors/run.ts', `import type { Score } from '../../engine/types';`],
  ['src/install/install.ts', `import { describeError } from '../text/errors';`],
  ['src/download/network.ts', `import { installEngine } from '../install';`],
  ['src/hub/download.ts', `import { checkModel } from '../checkpoint/modelDoctor';`],
  ['src/process/livingProcess.ts', `import { log } from '../host/log';`],
  ['src/engine/train/loop.ts', `import { processExists } from '../../process/processExists';`],
  ['src/cli/main.ts', `import { train } from '../engine';`],
  ['src/cli/main.ts', `import { log } from '../host/log';`],
  ['src/cli/main.ts', `import * as vscode from 'vscode';`],
  ['src/host/log.ts', `import { DatasetDiagnostics } from '../editor/diagnostics';`],
  ['src/editor/hover.ts', `import { RunsTree } from '../workbench/runsTree';`],
  ['src/editor/hover.ts', `import { readCheckpoint } from '../checkpoint/read';`],
  ['src/workbench/wizard.ts', `import { lint } from '../dataset/lint';`],
  ['src/extension.ts', `import { train } from './engine';`],
  ['webview/runs/main.ts', `import { RunStore } from '../../src/host/runStore';`],
  ['webview/runs/main.ts', `import { provideVSCodeDesignSystem } from '@vscode/webview-ui-toolkit';`],
];

const allowed: [file: string, line: string][] = [
  ['src/protocol/run.ts', `import { z } from 'zod';\nimport type { ErrorData } from './errors';`],
  ['src/dataset/lint.ts', `import { GlmError } from '../protocol/errors';`],
  ['src/tokenizer/bundle.ts', `import type { Conversation } from '../dataset/types';`],
  ['src/engine/backend/native.ts', `import koffi from 'koffi';\nimport * as tf from '@tensorflow/tfjs';`],
  ['src/engine/train/loop.ts', `import { fit } from '../../tokenizer/fit';`],
  ['src/cli/train.ts', `import type * as EngineModule from '../engine';`],
  ['src/host/log.ts', `import * as vscode from 'vscode';`],
  ['src/editor/hover.ts', `import { lint } from '../dataset/lint';`],
  ['src/extension.ts', `import { RunsTree } from './workbench/runsTree';`],
  ['webview/runs/main.ts', `import type { HostMessage } from '../../src/protocol/webview';`],
  ['webview/shared/ui.ts', `import { vsCodeButton } from '@vscode/webview-ui-toolkit';`],
];

describe('import rules', () => {
  for (const [file, line] of forbidden) {
    it(`${file} may not: ${line}`, async () => assert.equal(await violations(file, line), 1));
  }
  for (const [file, line] of allowed) {
    it(`${file} may: ${line.replaceAll('\n', ' ')}`, async () =>
      assert.equal(await violations(file, line), 0));
  }
});
