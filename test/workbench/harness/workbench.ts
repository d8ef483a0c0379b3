/** The workbench as a person uses it: palette, explorer, editors, webviews. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Frame, Locator, Page } from 'playwright-core';
import { ROOT } from '../../../.ci/lib/run.mjs';
import { VIEWPORT } from './browser';
import { eventually, PATIENCE } from './eventually';

const SCREENSHOTS = path.join(ROOT, 'out/screenshots');
/** Screenshots for the README are taken on request only, so that a test run leaves the tree as it was. */
const README_SCREENSHOTS = process.env.GLMTUNE_SCREENSHOTS
  ? path.join(ROOT, 'media/screenshots')
  : SCREENSHOTS;

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
    await this.restored();
  }

  /** Reloads the window by its command, which saves what was open. */
  async reload(): Promise<void> {
    await Promise.all([
      this.page.waitForEvent('load', { timeout: PATIENCE }),
      this.command('Developer: Reload Window'),
    ]);
    await this.restored();
  }

  private async restored(): Promise<void> {
    await this.page.locator('.monaco-workbench').waitFor({ timeout: PATIENCE });
    // There through the server's flag --enable-smoke-test-driver.
    await this.page.evaluate(() =>
      (window as { driver?: { whenWorkbenchRestored(): Promise<void> } }).driver?.whenWorkbenchRestored(),
    );
    await this.explorerRow().first().waitFor({ timeout: PATIENCE });
  }

  explorerRow(name?: string): Locator {
    const rows = this.page.locator('.explorer-folders-view .monaco-list-row');
    return name === undefined ? rows : rows.filter({ hasText: name });
  }

  tab(name: string): Locator {
    return this.page.locator('.tab', { hasText: name });
  }

  /** Opens a file that the explorer shows in a pinned editor. */
  async openFile(name: string): Promise<void> {
    await this.explorerRow(name).first().dblclick();
    await this.tab(name).waitFor({ timeout: PATIENCE });
    await this.page.locator('.editor-instance .view-lines').first().waitFor({ timeout: PATIENCE });
  }

  /** A command above a line of the active editor. */
  codeLens(title: string): Locator {
    return this.page
      .locator('.editor-instance .codelens-decoration a')
      .filter({ hasText: new RegExp(`^\\W*${title}$`) });
  }

  /** An entry of the status bar by its text. */
  statusBar(text: RegExp): Locator {
    return this.page.locator('.statusbar-item', { hasText: text });
  }

  /** Puts the caret of the active editor behind the first place of `text`, with the find widget. */
  async placeCaretAfter(text: string): Promise<void> {
    const { keyboard } = this.page;
    await this.page.locator('.editor-instance .view-lines').first().click();
    await keyboard.press('Control+f');
    const find = this.page.locator('.find-widget.visible textarea').first();
    await find.fill(text);
    await this.page
      .locator('.find-widget .matchesCount', { hasText: '1 of 1' })
      .waitFor({ timeout: PATIENCE });
    await keyboard.press('Escape');
    await keyboard.press('ArrowRight');
  }

  /** Runs a command of the palette by its title. */
  async command(title: string): Promise<void> {
    // A palette opened before the extension's commands arrived never shows them, so it is opened again. Enter and not a
    // click: the rows are drawn anew when similar commands arrive.
    await eventually(`the command "${title}" in the palette`, async () => {
      await this.page.keyboard.press('Escape');
      await this.page.keyboard.press('F1');
      await this.quickInput.fill(`>${title}`, { timeout: 2000 });
      await this.quickPickRow(title).first().waitFor({ timeout: 2000 });
      await this.focusRow(title);
      await this.page.keyboard.press('Enter');
      return true;
    });
  }

  /** Moves down to the row whose label begins with the title: a command with a similar one may come first. */
  private async focusRow(title: string): Promise<void> {
    const focused = this.page.locator('.quick-input-list .monaco-list-row.focused .label-name').first();
    for (let row = 0; row < 4; row += 1) {
      if ((await focused.textContent({ timeout: 2000 }))?.startsWith(title)) return;
      await this.page.keyboard.press('ArrowDown');
    }
    throw new Error(`no row "${title}"`);
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

  /** Hides the panel below the editors; the editor has the focus again. */
  async hidePanel(): Promise<void> {
    await this.page.keyboard.press('Control+j');
    await this.page.locator('.part.panel').waitFor({ state: 'hidden', timeout: PATIENCE });
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

  /** Saves the window as `<name>.png` in `out/screenshots`, for people to judge. */
  async screenshot(name: string): Promise<void> {
    await this.save(SCREENSHOTS, name);
  }

  /** Saves a picture of the README: in `media/screenshots` when GLMTUNE_SCREENSHOTS is set. */
  async readmeScreenshot(name: string): Promise<void> {
    await this.save(README_SCREENSHOTS, name);
  }

  private async save(folder: string, name: string): Promise<void> {
    mkdirSync(folder, { recursive: true });
    // The pointer leaves nothing hovered behind.
    await this.page.mouse.move(VIEWPORT.width / 2, VIEWPORT.height - 1);
    await this.page.screenshot({ path: path.join(folder, `${name}.png`) });
  }
}
