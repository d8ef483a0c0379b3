/** The extension in Simplified Chinese: manifest, diagnostics and webviews each have their own translations. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe } from 'node:test';
import { ROOT } from '../../.ci/lib/run.mjs';
import { PATIENCE } from './harness/eventually';
import { workbenchSuite } from './harness/suite';

const CHINESE = /[\u4e00-\u9fff]/;

/** A text of the manifest in Chinese. */
function manifestText(key: string): string {
  const file = path.join(ROOT, 'package.nls.zh-cn.json');
  const text = (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>)[key];
  assert.match(text ?? '', CHINESE, `${key} is translated`);
  return text;
}

describe('in Simplified Chinese', () => {
  const scenario = workbenchSuite({ locale: 'zh-cn' });

  scenario('commands, problems and views speak Chinese', async (workbench) => {
    await workbench.open();
    await workbench.openFile('broken.jsonl');
    const problems = await workbench.problems();
    await problems.nth(1).waitFor({ timeout: PATIENCE });
    for (const row of (await problems.allTextContents()).slice(1)) assert.match(row, CHINESE);

    await workbench.page.keyboard.press('F1');
    await workbench.quickInput.fill(`>${manifestText('command.fineTune')}`);
    await workbench.quickPickRow(manifestText('command.fineTune')).first().waitFor({ timeout: PATIENCE });
    await workbench.screenshot('chinese');
  });
});
