/** A run belongs to the user, not to the window: it outlives both, and can be stopped and taken up again. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { startWorkbenchServer, type WorkbenchServer } from '../../.ci/lib/workbenchServer.mjs';
import { launchChromium } from './harness/browser';
import { eventually, PATIENCE } from './harness/eventually';
import { RunPanel } from './harness/runPanel';
import { EXTENSION, inWindow } from './harness/window';
import type { Workbench } from './harness/workbench';
import { eventsOf, isRunning, makeWorkspace, processOf, removeWorkspace, SAMPLES } from './harness/workspace';

const TITLE = 'a run goes on without VS Code, is found again, stopped and resumed';
/** Milliseconds that training may take on a busy machine. */
const TRAINING = 300_000;

describe('a run outlives the window', () => {
  let browser: Browser;
  let server: WorkbenchServer;
  let folder: string;
  before(async () => {
    browser = await launchChromium();
    folder = makeWorkspace(SAMPLES, 'tea-house');
    server = await startWorkbenchServer({ vsix: [EXTENSION] });
  });
  after(async () => {
    await browser.close();
    await server.stop();
    removeWorkspace(folder);
  });

  it(TITLE, { timeout: 600_000 }, async () => {
    const run = path.join(folder, 'samples/runs/tea-shop');

    const pid = await inWindow(TITLE, { browser, server, folder }, async (window) => {
      await startRun(window);
      await seeItSurviveReload(window);
      return processOf(run);
    });
    assert.ok(pid !== null);
    await server.stop();
    const left = stepsOf(run).length;
    assert.ok(isRunning(pid), 'the training process lives without its server');
    await eventually('steps after the end of VS Code', () => stepsOf(run).length > left + 2);

    server = await startWorkbenchServer({ vsix: [EXTENSION] });
    await inWindow(TITLE, { browser, server, folder }, async (window) => {
      const panel = await findRun(window);
      assert.equal(processOf(run), pid);
      await stop(panel, run, pid);
      await resume(panel, run);
    });
  });
});

async function startRun(window: Workbench): Promise<void> {
  await window.open();
  await window.explorerRow('samples').click();
  await window.openFile('tea-shop.glmtune.json');
  await window.codeLens('Run').click();
  const panel = await RunPanel.open(window);
  await panel.waitForStep(3);
}

/** The panel comes back with the curve it had. */
async function seeItSurviveReload(window: Workbench): Promise<void> {
  await window.reload();
  const panel = await RunPanel.open(window);
  await panel.phase('Training').waitFor({ timeout: PATIENCE });
  await panel.waitForStep(3);
  await eventually('the curve', async () => (await panel.drawnPixels('loss')) > 100);
}

/** Through the Runs view of a VS Code that knows nothing of the one before. */
async function findRun(window: Workbench): Promise<RunPanel> {
  await window.open();
  await window.openViewContainer('ChatGLM');
  const row = window.page.locator('.pane .monaco-list-row', { hasText: /tea-shop\s*\d+\/\d+ · loss/ });
  await row.click({ timeout: PATIENCE });
  const panel = await RunPanel.open(window);
  await panel.phase('Training').waitFor({ timeout: PATIENCE });
  return panel;
}

async function stop(panel: RunPanel, run: string, pid: number): Promise<void> {
  await panel.action('stop').click();
  await panel.phase('Stopped').waitFor({ timeout: PATIENCE });
  await eventually('the end of the process', () => !isRunning(pid));
  assert.equal(eventsOf(run).at(-1)?.type, 'stopped');
  assert.ok((await panel.checkpoints.count()) > 0, 'stopping wrote a checkpoint');
}

/** It goes on where it stopped: no step is missing and none is done twice. */
async function resume(panel: RunPanel, run: string): Promise<void> {
  const stoppedAt = stepsOf(run).at(-1) ?? 0;
  await panel.action('resume').click();
  await panel.phase('Training').waitFor({ timeout: PATIENCE });
  await panel.phase('Done').waitFor({ timeout: TRAINING });
  const steps = stepsOf(run);
  assert.deepEqual(
    steps,
    Array.from(steps, (_step, at) => at + 1),
  );
  assert.ok(steps.length > stoppedAt);
  const losses = await panel.trainingLosses();
  assert.ok((losses.at(-1) ?? Infinity) < losses[0] / 2);
}

function stepsOf(run: string): number[] {
  return eventsOf(run).flatMap(({ type, step }) => (type === 'step' && step !== undefined ? [step] : []));
}
