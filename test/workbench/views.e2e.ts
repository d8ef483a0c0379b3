/** The ChatGLM container of the activity bar: its views come up on a workspace without runs. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { PATIENCE } from './harness/eventually';
import { workbenchSuite } from './harness/suite';

describe('ChatGLM views', () => {
  const scenario = workbenchSuite();

  scenario('the runs view says what to do first, and the chat view is ready', async (workbench) => {
    const crashes: string[] = [];
    workbench.page.on('pageerror', (error) => crashes.push(error.message));
    await workbench.open();
    await workbench.openViewContainer('ChatGLM');
    const button = workbench.page.locator('.pane .welcome-view .monaco-button').first();
    await button.waitFor({ timeout: PATIENCE });
    const chat = await workbench.webview('vscode-dropdown');
    await chat.locator('vscode-text-area').waitFor({ timeout: PATIENCE });
    await workbench.screenshot('views');
    assert.deepEqual(crashes, []);
  });
});
