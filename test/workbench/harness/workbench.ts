/** The workbench as a person uses it: palette, explorer, editors, webviews. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Frame, Locator, Page } from 'playwright-core';
import { ROOT } from '../../../.ci/lib/run.mjs';
import { eventually, PATIENCE } from './eventually';

/** Screenshots for the README are taken on request only, so that a test run leaves the tree as it was. */
const SCREENSHOTS = path.join(
  ROOT,
  process.env.GLMTUNE_SCREENSHOTS ? 'media/screenshots' : 'out/screenshots',
);

export class Workbench {
  constructor(
    readonly page: Page,
    private readonly serverUrl: string,
    /** The open folder. */
    readonly folder: string,
  ) {}

  /** Opens the folder and waits until the workbench is ready and the explorer shows it. */
  async open(): Promise<void> {
    const payload = JSON.stringify([
      ['skipWelcome', 'true'],
      ['skipReleaseNotes', 'true'],
    ]);
    const query = new URLSearchParams({ folder: this.folder, payload });
    await this.page.goto(`${this.serverUrl}/?${query}`);
    await this.page.locator('.monaco-workbench').waitFor({ timeout: PATIENCE });
    // There through the server's flag --enable-smoke-test-driver.
    await this.page.evaluate(() =>
      (window as { driver?: { whenWorkbenchRestored(): Promise<void> } }).driver?.whenWorkbenchRestored(),
    );
    await this.explorerRow().first().waitFor({ timeout: PATIENCE });
  }

  /** Closes the window (the page) as a user closes a tab; the extension host is told. */
  async close(): Promise<void> {
    await this.page.close();
  }

  explorerRow(name?: string): Locator {
    const rows = this.page.locator('.explorer-folders-view .monaco-list-row');
    return name === undefined ? rows : rows.filter({ hasText: name });
  }

  /** Opens a file of the explorer's top level in a pinned editor. */
  async openFile(name: string): Promise<void> {
    await this.explorerRow(name).first().dblclick();
    await this.page.locator('.tab', { hasText: name }).waitFor({ timeout: PATIENCE });
    await this.page.locator('.editor-instance .view-lines').first().waitFor({ timeout: PATIENCE });
  }

  /** Runs a command of the palette by its title. */
  async command(title: string): Promise<void> {
    // A palette opened before the extension's commands arrived never shows them, so it is opened again. Enter and not a
    // click: the rows are drawn anew when similar commands arrive.
    await eventually(`the command "${title}" in the palette`, async () => {
      await this.page.keyboard.press('Escape');
      await this.page.keyboard.press('F1');
      await this.quickInput.fill(`>${title}`, { timeout: 2000 });
      await this.quickPickRow(title, '.focused').waitFor({ timeout: 2000 });
      await this.page.keyboard.press('Enter');
      return true;
    });
  }

  get quickInput(): Locator {
    return this.page.locator('.quick-input-widget .quick-input-box input');
  }

  /** A row of the open quick pick; `state` narrows it, for example to `.focused`. */
  quickPickRow(label: string, state = ''): Locator {
    return this.page.locator(`.quick-input-list .monaco-list-row${state}`, { hasText: label });
  }

  /** Types into the open quick pick until the row is focused, and takes it. */
  async pick(label: string): Promise<void> {
    await this.quickInput.fill(label);
    await this.quickPickRow(label, '.focused').first().waitFor({ timeout: PATIENCE });
    await this.page.keyboard.press('Enter');
  }

  /** Opens a view container by the beginning of its title in the activity bar. */
  async openViewContainer(title: string): Promise<void> {
    await this.page.locator(`.activitybar .action-item a[aria-label^="${title}"]`).click();
  }

  /** Opens the Problems panel and returns its rows. */
  async problems(): Promise<Locator> {
    await this.command('Problems: Focus on Problems View');
    return this.page.locator('.markers-panel .monaco-list-row');
  }

  /** Opens the notification centre (toasts hide themselves after a while) and returns its entries. */
  async notifications(): Promise<Locator> {
    await this.command('Notifications: Show Notifications');
    return this.page.locator('.notifications-center .notification-list-item');
  }

  /**
   * The document of a webview, found by what it contains: it lies in an inner frame of an outer frame, and several webviews
   * can be open.
   */
  async webview(selector: string, milliseconds = PATIENCE): Promise<Frame> {
    return eventually(
      `a webview with ${selector}`,
      async () => {
        for (const frame of this.page.frames())
          if (frame.parentFrame() && (await frame.locator(selector).count()) > 0) return frame;
        return null;
      },
      milliseconds,
    );
  }

  /** Saves the window as `<name>.png` in `out/screenshots`, or in `media/screenshots` when GLMTUNE_SCREENSHOTS is set. */
  async screenshot(name: string): Promise<void> {
    mkdirSync(SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`) });
  }
}
