/**
 * The main job as a person does it: look at the data, fine-tune, watch the loss fall, talk to the result. The README's
 * pictures are taken here: GLMTUNE_SCREENSHOTS=1 node .ci/workbench.mjs mainJob
 */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { ChatView } from './harness/chatView';
import { eventually, PATIENCE } from './harness/eventually';
import { RunPanel } from './harness/runPanel';
import { workbenchSuite } from './harness/suite';
import { switchTheme, type Theme } from './harness/themes';
import type { Workbench } from './harness/workbench';
import { SAMPLES } from './harness/workspace';

const RUN = 'xiao-cha';
const RUN_FILE = `${RUN}.glmtune.json`;
/** Milliseconds that training may take on a busy machine. */
const TRAINING = 240_000;

describe('the main job', () => {
  // Greedy answers are the same each time.
  const scenario = workbenchSuite({
    workspace: SAMPLES,
    folderName: 'tea-house',
    settings: { 'glmtune.chat.doSample': false },
  });

  scenario(
    'from a dataset to a chat with the tuned model',
    async (workbench) => {
      await workbench.open();
      await seeProblems(workbench);
      await goThroughWizard(workbench);
      await editRunFile(workbench);

      await workbench.codeLens('Run').click();
      const panel = await RunPanel.open(workbench);
      await workbench.statusBar(new RegExp(`${RUN}: .*loss`)).waitFor({ timeout: TRAINING });
      await panel.waitForStep(50);
      await workbench.readmeScreenshot('run');
      await panel.phase('Done').waitFor({ timeout: TRAINING });
      await seeLossFall(panel);

      await panel.action('chat').click();
      const chat = await ChatView.open(workbench);
      assert.match(await chat.model(), new RegExp(RUN));
      await stopWhileLoading(chat);
      await clear(workbench, chat);
      assert.match(await chat.ask('你是谁？'), /小茶|小满/);
      await clear(workbench, chat);
      assert.match(await chat.ask('Who are you?'), /Xiao Cha|Xiaoman/);
      await workbench.readmeScreenshot('chat');
      await seeInEveryTheme(workbench, panel);
    },
    { timeout: 420_000 },
  );
});

/** The broken sample has squiggles, and a row for each problem. */
async function seeProblems(workbench: Workbench): Promise<void> {
  await workbench.explorerRow('samples').click();
  await workbench.openFile('broken.jsonl');
  await workbench.page.locator('.squiggly-error').first().waitFor({ timeout: PATIENCE });
  const problems = await workbench.problems();
  await eventually('a row for each problem', async () => (await problems.count()) > 10);
  await workbench.readmeScreenshot('dataset');
  await workbench.hidePanel();
}

/** Model, dataset, method and name, by keyboard alone. */
async function goThroughWizard(workbench: Workbench): Promise<void> {
  await workbench.openFile('tea-shop.train.jsonl');
  await workbench.command('Fine-tune ChatGLM');
  await workbench.pick('practice-model');
  // The open file is the proposal.
  await workbench.quickPickRow('tea-shop.train.jsonl', '.focused').waitFor({ timeout: PATIENCE });
  await workbench.page.keyboard.press('Enter');
  await workbench.quickPickRow('LoRA', '.focused').waitFor({ timeout: PATIENCE });
  await workbench.page.keyboard.press('Enter');
  // The samples come with a run file named tea-shop.
  await eventually('a free name', async () => (await workbench.quickInput.inputValue()) === 'tea-shop-2');
  await workbench.quickInput.fill(RUN);
  await workbench.page.keyboard.press('Enter');
  await workbench.tab(RUN_FILE).waitFor({ timeout: PATIENCE });
}

/** Fewer epochs, after a slip that the schema catches. */
async function editRunFile(workbench: Workbench): Promise<void> {
  const { page } = workbench;
  await workbench.codeLens('Run').waitFor({ timeout: PATIENCE });
  await workbench.placeCaretAfter('"epochs": 8');
  await page.keyboard.press('Backspace');
  await page.keyboard.type('-6');
  const problems = await workbench.problems();
  await eventually('the slip among the problems', async () =>
    /epochs|greater|minimum|0/i.test((await problems.allTextContents()).join('\n')),
  );
  await workbench.hidePanel();
  await page.keyboard.press('Backspace');
  await page.keyboard.press('Backspace');
  await page.keyboard.type('6');
  await page.keyboard.press('Control+s');
  await eventually('no problem', async () => (await page.locator('.squiggly-error').count()) === 0);
}

/** In numbers and as a drawn line. */
async function seeLossFall(panel: RunPanel): Promise<void> {
  const losses = await panel.trainingLosses();
  assert.ok(losses.length > 20, `${losses.length} steps in the table`);
  const [first, last] = [losses[0], losses.at(-1) ?? Infinity];
  assert.ok(last < first / 2, `the loss went from ${first} to ${last}`);
  for (const chart of ['loss', 'learning-rate', 'gradient-norm', 'tokens-per-second'])
    assert.ok((await panel.drawnPixels(chart)) > 200, `${chart} is drawn`);
}

/** The first question needs the model to be loaded: time enough to think better of it. */
async function stopWhileLoading(chat: ChatView): Promise<void> {
  await chat.type('Good evening');
  await chat.button('stop').click();
  await chat.button('send').waitFor({ timeout: PATIENCE });
  assert.equal(await chat.answers.count(), 0);
}

async function clear(workbench: Workbench, chat: ChatView): Promise<void> {
  await workbench.command('ChatGLM: New Chat');
  await eventually('an empty conversation', async () => (await chat.messages.count()) === 0);
}

/** Charts are drawn, and texts can be read, in the other themes. */
async function seeInEveryTheme(workbench: Workbench, panel: RunPanel): Promise<void> {
  const pictures: [Theme, string][] = [
    ['Light Modern', 'light'],
    ['Dark High Contrast', 'high-contrast'],
    ['Light High Contrast', 'high-contrast-light'],
    ['Dark Modern', 'dark'],
  ];
  for (const [theme, name] of pictures) {
    await switchTheme(workbench, theme);
    await eventually('the line of the loss in the colour of the theme', () =>
      panel.lineHasThemeColor('loss'),
    );
    assert.ok((await panel.contrast('.progress-text')) >= 4.5, `progress can be read in ${theme}`);
    assert.ok((await panel.contrast('h2')) >= 4.5, `headings can be read in ${theme}`);
    await workbench.screenshot(`main-${name}`);
  }
}
