/** "Fine-tune ChatGLM": what the wizard offers, in both languages. The whole way through it is `mainJob.e2e.ts`. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe } from 'node:test';
import { ROOT } from '../../.ci/lib/run.mjs';
import { PATIENCE } from './harness/eventually';
import { workbenchSuite } from './harness/suite';
import type { Workbench } from './harness/workbench';
import { SAMPLES } from './harness/workspace';

const METHODS = ['LoRA', 'QLoRA', 'P-Tuning v2'];

function chinese(file: string): Record<string, string> {
  return JSON.parse(readFileSync(path.join(ROOT, file), 'utf8')) as Record<string, string>;
}

/** Opens the wizard on the training data and goes on to its third step. */
async function openMethods(workbench: Workbench, command: string): Promise<string[]> {
  await workbench.open();
  await workbench.explorerRow('samples').click();
  await workbench.openFile('tea-shop.train.jsonl');
  await workbench.command(command);
  const model = workbench.quickPickRow('practice-model').first();
  await model.waitFor({ timeout: PATIENCE });
  assert.match((await model.textContent()) ?? '', /ChatGLM3/);
  await workbench.pick('practice-model');
  await workbench.quickPickRow('tea-shop.train.jsonl', '.focused').waitFor({ timeout: PATIENCE });
  await workbench.page.keyboard.press('Enter');
  await workbench.quickPickRow('LoRA', '.focused').waitFor({ timeout: PATIENCE });
  const rows = await workbench.page.locator('.quick-input-list .monaco-list-row').all();
  const spoken = await Promise.all(rows.map((row) => row.getAttribute('aria-label')));
  return spoken.map((text) => text?.split(',')[0] ?? '');
}

describe('the wizard', () => {
  const english = workbenchSuite({ workspace: SAMPLES, folderName: 'tea-house' });
  english('offers four methods, each with its learning rate', async (workbench) => {
    const labels = await openMethods(workbench, 'Fine-tune ChatGLM');
    assert.deepEqual(labels, [...METHODS, 'Full fine-tuning']);
    const rows = await workbench.page.locator('.quick-input-list .monaco-list-row').allTextContents();
    for (const row of rows) assert.match(row, /learning rate \d/);
    await workbench.screenshot('wizard-methods');
  });
});

describe('the wizard in Simplified Chinese', () => {
  const scenario = workbenchSuite({ locale: 'zh-cn', workspace: SAMPLES, folderName: 'tea-house' });
  scenario('offers the same methods', async (workbench) => {
    const command = chinese('package.nls.zh-cn.json')['command.fineTune'] ?? '';
    const labels = await openMethods(workbench, command);
    const full = chinese('l10n/bundle.l10n.zh-cn.json')['Full fine-tuning'] ?? '';
    assert.deepEqual(labels, [...METHODS, full]);
    await workbench.screenshot('wizard-methods-zh-cn');
  });
});
