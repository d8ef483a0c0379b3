/** A group of end-to-end tests that share one VS Code server with the packaged extension installed. */
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { VSIX } from '../../../.ci/bootstrap.mjs';
import { ROOT } from '../../../.ci/lib/run.mjs';
import { startWorkbenchServer, type WorkbenchServer } from '../../../.ci/lib/workbenchServer.mjs';
import { launchChromium, VIEWPORT } from './browser';
import { Workbench } from './workbench';

export interface SuiteOptions {
  /** `zh-cn` shows the extension in Chinese. */
  locale?: 'zh-cn';
  /** User settings. */
  settings?: Record<string, unknown>;
  /** Files that each scenario's workspace is a copy of, relative to the project. */
  workspace?: string;
  /** The name that the window shows for the workspace. */
  folderName?: string;
  env?: NodeJS.ProcessEnv;
}

export type Scenario = (
  title: string,
  body: (workbench: Workbench) => Promise<void>,
  options?: { timeout?: number },
) => void;

/**
 * Called inside `describe`: starts server and browser before the first scenario and ends them after the last. Each scenario
 * gets a window of its own on a fresh copy of the workspace. When one fails, a screenshot and the logs are kept in
 * `out/failures`.
 */
export function workbenchSuite(options: SuiteOptions = {}): Scenario {
  const { workspace = 'test/fixtures/workspace', folderName = 'tea-shop', ...serverOptions } = options;
  let server: WorkbenchServer;
  let browser: Browser;
  before(async () => {
    server = await startWorkbenchServer({ ...serverOptions, vsix: [path.join(ROOT, VSIX)] });
    browser = await launchChromium();
  });
  after(async () => {
    await browser.close();
    await server.stop();
  });
  return (title, body, { timeout = 300_000 } = {}) => {
    it(title, { timeout }, async () => {
      const home = realpathSync(mkdtempSync(path.join(tmpdir(), 'glm-')));
      const folder = path.join(home, folderName);
      cpSync(path.join(ROOT, workspace), folder, { recursive: true });
      const context = await browser.newContext({ viewport: VIEWPORT });
      const workbench = new Workbench(await context.newPage(), server.url, folder);
      try {
        await body(workbench);
      } catch (error) {
        await keepEvidence(title, workbench, server);
        throw error;
      } finally {
        await context.close();
        rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
      }
    });
  };
}

async function keepEvidence(title: string, workbench: Workbench, server: WorkbenchServer): Promise<void> {
  const folder = path.join(ROOT, 'out/failures');
  const name = title.replace(/\W+/g, '-').toLowerCase();
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `${name}.log`), server.log);
  const open = workbench.page.context().pages();
  await open[0]?.screenshot({ path: path.join(folder, `${name}.png`) });
}
