/** One window of the workbench, and what is kept of it when a scenario fails in it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { VSIX } from '../../../.ci/bootstrap.mjs';
import { ROOT } from '../../../.ci/lib/run.mjs';
import type { WorkbenchServer } from '../../../.ci/lib/workbenchServer.mjs';
import { VIEWPORT } from './browser';
import { Workbench } from './workbench';

/** The extension as users install it. */
export const EXTENSION = path.join(ROOT, VSIX);

/**
 * Runs `body` on a new window and closes the window. When the body throws, a screenshot and the logs are kept in
 * `out/failures` under `title`.
 */
export async function inWindow<T>(
  title: string,
  { browser, server, folder }: { browser: Browser; server: WorkbenchServer; folder: string },
  body: (workbench: Workbench) => Promise<T>,
): Promise<T> {
  const context = await browser.newContext({ viewport: VIEWPORT });
  const workbench = new Workbench(await context.newPage(), server.url, folder);
  try {
    return await body(workbench);
  } catch (error) {
    await keepEvidence(title, workbench, server);
    throw error;
  } finally {
    await context.close();
  }
}

async function keepEvidence(title: string, workbench: Workbench, server: WorkbenchServer): Promise<void> {
  const folder = path.join(ROOT, 'out/failures');
  const name = title.replace(/\W+/g, '-').toLowerCase();
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `${name}.log`), server.log);
  const open = workbench.page.context().pages();
  await open[0]?.screenshot({ path: path.join(folder, `${name}.png`) });
}
