/** The panel of a run, as its reader and its user. */
import type { Frame, Locator } from 'playwright-core';
import { eventually, PATIENCE } from './eventually';
import type { Workbench } from './workbench';

export class RunPanel {
  private constructor(private readonly frame: Frame) {}

  /** The panel that is open or about to open. */
  static async open(workbench: Workbench): Promise<RunPanel> {
    return new RunPanel(await workbench.webview('#chart-loss'));
  }

  /** The state beside the run's name, such as `Training` or `Done`. */
  phase(label: string): Locator {
    return this.frame.locator('.phase', { hasText: label });
  }

  /** A button by what it does: `stop`, `resume`, `chat`. */
  action(name: string): Locator {
    return this.frame.locator(`vscode-button[data-action=${name}]`);
  }

  get name(): Locator {
    return this.frame.locator('h1');
  }

  /** Headings, buttons and names of facts. */
  async labels(): Promise<string[]> {
    return this.frame.locator('h2, vscode-button, dt, summary, th:not(:empty)').allTextContents();
  }

  get checkpoints(): Locator {
    return this.frame.locator('.details td.path');
  }

  /** Training losses from the table for screen readers, oldest step first (at most 100, evenly spread). */
  async trainingLosses(): Promise<number[]> {
    const details = this.frame.locator('details.card');
    if ((await details.getAttribute('open')) === null) await details.locator('summary').click();
    const cells = details.locator('tbody tr td:nth-child(3)');
    await cells.first().waitFor({ timeout: PATIENCE });
    const losses = (await cells.allTextContents()).map((text) => Number(text.replace('−', '-')));
    await details.locator('summary').click();
    return losses.reverse();
  }

  /** The newest training step that the panel has told of in words, as in "Step 12 of 80"; 0 before the first. */
  async step(): Promise<number> {
    const text = (await this.frame.locator('.progress-text').textContent()) ?? '';
    return Number(/\d+/.exec(text)?.[0] ?? 0);
  }

  async waitForStep(least: number): Promise<void> {
    await eventually(`step ${least} in the panel`, async () => (await this.step()) >= least, 120_000);
  }

  /** How many pixels of a chart's canvas belong to its lines. */
  async drawnPixels(chart: string): Promise<number> {
    return this.frame.locator(`#chart-${chart} canvas`).evaluate((node) => {
      const canvas = node as HTMLCanvasElement;
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      let drawn = 0;
      for (let at = 0; at < data.length; at += 4) {
        const [red, green, blue, alpha] = data.subarray(at, at + 4);
        // Lines are saturated; grid and labels are grey.
        if (alpha > 60 && Math.max(red, green, blue) - Math.min(red, green, blue) > 50) drawn += 1;
      }
      return drawn;
    });
  }

  /** Whether a chart's canvas has pixels in the colour that its legend shows for the smoothed line. */
  async lineHasThemeColor(chart: string): Promise<boolean> {
    const card = this.frame.locator(`#chart-${chart}`);
    const wanted = await card
      .locator('.swatch.solid')
      .evaluate((swatch) => getComputedStyle(swatch).borderTopColor);
    return card.locator('canvas').evaluate((node, color) => {
      const canvas = node as HTMLCanvasElement;
      const [red, green, blue] = (color.match(/\d+/g) ?? []).map(Number);
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      let found = 0;
      for (let at = 0; at < data.length; at += 4) {
        const far = Math.abs(data[at] - red) + Math.abs(data[at + 1] - green) + Math.abs(data[at + 2] - blue);
        if (data[at + 3] > 250 && far < 6) found += 1;
      }
      return found > 50;
    }, wanted);
  }

  /** Contrast ratio (WCAG 2) of the first matching text to what lies behind it. */
  async contrast(selector: string): Promise<number> {
    return this.frame
      .locator(selector)
      .first()
      .evaluate((text) => {
        const channels = (color: string): number[] => (color.match(/[\d.]+/g) ?? []).map(Number);
        const luminance = (color: string): number => {
          const [red, green, blue] = channels(color)
            .slice(0, 3)
            .map((value) => value / 255)
            .map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
          return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        };
        // The page itself is transparent over the editor.
        document.body.style.backgroundColor = 'var(--vscode-editor-background)';
        const opaque = (element: Element): string => {
          const color = getComputedStyle(element).backgroundColor;
          const transparent = channels(color)[3] === 0;
          return transparent && element.parentElement ? opaque(element.parentElement) : color;
        };
        const front = luminance(getComputedStyle(text).color);
        const back = luminance(opaque(text));
        return (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
      });
  }
}
