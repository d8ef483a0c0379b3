/** Chromium for the workbench: found on this machine, with flags that suit a container without a graphics card. */
import { chromium, type Browser } from 'playwright-core';
import { findChromium } from '../../../.ci/lib/chromium.mjs';

export const VIEWPORT = { width: 1400, height: 900 };

export async function launchChromium(): Promise<Browser> {
  const executablePath = findChromium();
  if (!executablePath) throw new Error('No Chromium: run node .ci/vscode.mjs');
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--font-render-hinting=none',
    ],
  });
}
