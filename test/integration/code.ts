#!/usr/bin/env node
/**
 * Stands in for the desktop `code` executable, as `@vscode/test-electron` starts it:
 *   code [folder] --extensionDevelopmentPath=... --extensionTestsPath=... [--locale=...] [--disable-extensions]
 * It opens the same VS Code in headless Chromium, runs the suite in its remote extension host and ends with its exit code.
 */
import path from 'node:path';
import { format } from 'node:util';
import type { Page } from 'playwright-core';
import { startWorkbenchServer } from '../../.ci/lib/workbenchServer.mjs';
import { launchChromium, VIEWPORT } from '../workbench/harness/browser';

/** The suite as a whole may take this long, in milliseconds. */
const TIMEOUT = Number(process.env.VSCODE_TEST_TIMEOUT ?? 600_000);
/** VS Code's own lines among those of the suite. */
const NOISE = /^(\[Service Worker\]|Canceled|Timed out waiting for authentication provider)/;

const { folder, options } = parseArguments(process.argv.slice(2));
const server = await startWorkbenchServer({ locale: options.get('locale')?.[0] });
const browser = await launchChromium();
let exitCode = 1;
try {
  const page = await browser.newPage({ viewport: VIEWPORT });
  const ended = await listen(page);
  await page.goto(`${server.url}/?${query().toString()}`);
  exitCode = await ended();
} catch (error) {
  process.stderr.write(`${format(error)}\n${server.log}\n`);
} finally {
  await browser.close();
  await server.stop();
}
process.exit(exitCode);

function parseArguments(args: string[]): { folder: string | undefined; options: Map<string, string[]> } {
  const options = new Map<string, string[]>();
  const rest: string[] = [];
  for (const argument of args) {
    const match = /^--([\w-]+)(?:=(.*))?$/s.exec(argument);
    if (match) options.set(match[1], [...(options.get(match[1]) ?? []), match[2] ?? 'true']);
    else rest.push(argument);
  }
  return { folder: rest[0], options };
}

/** What the page is opened with: VS Code takes development and test paths from the address. */
function query(): URLSearchParams {
  const remote = (file: string) => `vscode-remote://remote${path.resolve(file)}`;
  const values = (name: string) => options.get(name) ?? [];
  const payload = [
    ...values('extensionDevelopmentPath').map((file) => ['extensionDevelopmentPath', remote(file)]),
    ...values('extensionTestsPath').map((file) => ['extensionTestsPath', remote(file)]),
    ...(options.has('disable-extensions') ? [['disableExtensions', 'true']] : []),
    ['skipWelcome', 'true'],
    ['skipReleaseNotes', 'true'],
  ];
  return new URLSearchParams({
    ...(folder === undefined ? { ew: 'true' } : { folder: path.resolve(folder) }),
    payload: JSON.stringify(payload),
  });
}

/** Takes the exit code and the console of the extension host, which VS Code hands to these two functions of the page. */
async function listen(page: Page): Promise<() => Promise<number>> {
  let settle: (code: number) => void;
  let fail: (error: Error) => void;
  const ended = new Promise<number>((resolve, reject) => {
    settle = resolve;
    fail = reject;
  });
  ended.catch(() => undefined); // handled by whoever awaits it
  page.on('crash', () => fail(new Error('The page of the workbench crashed')));
  await page.exposeFunction('codeAutomationExit', (code: number) => settle(code));
  await page.exposeFunction('codeAutomationLog', (type: string, args: unknown[]) => {
    const line = format(...args);
    // The console's lines come as a format and its arguments, VS Code's own as one string.
    const fromSuite = args.length > 1 || /^[\s%]/.test(line);
    if (!fromSuite || NOISE.test(line)) return;
    (type === 'error' ? process.stderr : process.stdout).write(`${line}\n`);
  });
  return () => {
    const timer = setTimeout(() => fail(new Error(`The suite did not end within ${TIMEOUT} ms`)), TIMEOUT);
    return ended.finally(() => clearTimeout(timer));
  };
}
