/** The extension in Simplified Chinese: manifest, diagnostics and webviews each have their own translations. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe } from 'node:test';
import { ROOT } from '../../.ci/lib/run.mjs';
import { ChatView } from './harness/chatView';
import { PATIENCE } from './harness/eventually';
import { RunPanel } from './harness/runPanel';
import { workbenchSuite } from './harness/suite';
import { SAMPLES } from './harness/workspace';

const CHINESE = /[\u4e00-\u9fff]/;

function translation(file: string, key: string): string {
  const text = (JSON.parse(readFileSync(path.join(ROOT, file), 'utf8')) as Record<string, string>)[key];
  assert.match(text ?? '', CHINESE, `${key} is translated`);
  return text;
}

const manifestText = (key: string): string => translation('package.nls.zh-cn.json', key);
const sentence = (english: string): string => translation('l10n/bundle.l10n.zh-cn.json', english);

describe('in Simplified Chinese', () => {
  const scenario = workbenchSuite({
    locale: 'zh-cn',
    workspace: SAMPLES,
    folderName: 'tea-house',
    settings: { 'glmtune.chat.doSample': false },
  });

  scenario('commands and problems speak Chinese', async (workbench) => {
    await workbench.open();
    await workbench.explorerRow('samples').click();
    await workbench.openFile('broken.jsonl');
    const problems = await workbench.problems();
    await problems.nth(1).waitFor({ timeout: PATIENCE });
    for (const row of (await problems.allTextContents()).slice(1)) assert.match(row, CHINESE);
    await workbench.readmeScreenshot('dataset-zh-cn');

    await workbench.page.keyboard.press('F1');
    await workbench.quickInput.fill(`>${manifestText('command.fineTune')}`);
    await workbench.quickPickRow(manifestText('command.fineTune')).first().waitFor({ timeout: PATIENCE });
  });

  scenario('run panel and chat speak Chinese', async (workbench) => {
    await workbench.open();
    await workbench.explorerRow('samples').click();
    await workbench.openFile('tea-shop.glmtune.json');
    await workbench.codeLens(sentence('Run')).click();
    const panel = await RunPanel.open(workbench);
    await panel.phase(sentence('Training')).waitFor({ timeout: PATIENCE });
    await panel.waitForStep(20);
    await workbench.screenshot('run-zh-cn');
    await panel.action('stop').click();
    await panel.phase(sentence('Stopped')).waitFor({ timeout: PATIENCE });
    for (const text of await panel.labels()) assert.match(text, CHINESE);

    await workbench.openViewContainer('ChatGLM');
    const chat = await ChatView.open(workbench);
    assert.match(await chat.ask('你是谁？'), /练习模型/);
    await workbench.screenshot('chat-zh-cn');
  });
});
