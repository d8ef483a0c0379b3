/** A group of end-to-end tests that share one VS Code server with the packaged extension installed. */
import { after, before, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { startWorkbenchServer, type WorkbenchServer } from '../../../.ci/lib/workbenchServer.mjs';
import { launchChromium } from './browser';
import { EXTENSION, inWindow } from './window';
import type { Workbench } from './workbench';
import { FIXTURES, makeWorkspace, removeWorkspace, type WorkspaceParts } from './workspace';

export interface SuiteOptions {
  /** `zh-cn` shows the extension in Chinese. */
  locale?: 'zh-cn';
  /** User settings. */
  settings?: Record<string, unknown>;
  /** Settings of the machine, for those that workspaces and users elsewhere cannot set. May be filled in by an earlier `before`. */
  machineSettings?: Record<string, unknown>;
  /** What each scenario's workspace is a copy of. */
  workspace?: WorkspaceParts;
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
  const { workspace = FIXTURES, folderName = 'tea-shop', ...serverOptions } = options;
  let server: WorkbenchServer;
  let browser: Browser;
  before(async () => {
    server = await startWorkbenchServer({ ...serverOptions, vsix: [EXTENSION] });
    browser = await launchChromium();
  });
  after(async () => {
    await browser.close();
    await server.stop();
  });
  return (title, body, { timeout = 300_000 } = {}) => {
    it(title, { timeout }, async () => {
      const folder = makeWorkspace(workspace, folderName);
      try {
        await inWindow(title, { browser, server, folder }, body);
      } finally {
        removeWorkspace(folder);
      }
    });
  };
}
