/**
 * Runs the suite of test/integration inside an extension host: node .ci/integration.mjs [--download]
 * It runs in VS Code's server with Chromium as its window; with --download, in the desktop VS Code that
 * `@vscode/test-electron` downloads (VSCODE_VERSION picks one).
 */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bootstrap } from './bootstrap.mjs';
import { ensureChromium } from './lib/chromium.mjs';
import { main, ROOT } from './lib/run.mjs';
import { ensureVscodeServer } from './lib/vscodeServer.mjs';

const OUT = path.join(ROOT, 'out/integration');

/** @returns {Promise<import('./lib/nodeTests.mjs').TestCounts>} */
export async function runIntegrationTests({ download = false } = {}) {
  await bootstrap();
  if (!download) {
    await ensureChromium();
    await ensureVscodeServer();
  }
  await bundleSuite();
  const { runTests } = await import('@vscode/test-electron');
  const counts = path.join(OUT, 'counts.json');
  const workspace = mkdtempSync(path.join(tmpdir(), 'glm-workspace-'));
  cpSync(path.join(ROOT, 'test/fixtures/workspace'), workspace, { recursive: true });
  try {
    await runTests({
      ...(download
        ? { version: process.env.VSCODE_VERSION ?? 'stable' }
        : { vscodeExecutablePath: path.join(OUT, 'code.mjs') }),
      extensionDevelopmentPath: ROOT,
      extensionTestsPath: path.join(OUT, 'suite/index.cjs'),
      extensionTestsEnv: { TEST_COUNTS: counts },
      launchArgs: [workspace, '--disable-extensions'],
    });
  } catch (error) {
    // Failed tests are in the counts; without counts the suite did not get to its end.
    if (!readdirSync(OUT).includes('counts.json')) throw error;
  } finally {
    rmSync(workspace, { recursive: true, force: true });
  }
  return JSON.parse(readFileSync(counts, 'utf8'));
}

/** The suite as CommonJS for the extension host, and the stand-in for the `code` executable. */
async function bundleSuite() {
  const { bundleTests } = await import('./lib/nodeTests.mjs');
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  const suite = readdirSync(path.join(ROOT, 'test/integration/suite')).map(
    (file) => `test/integration/suite/${file}`,
  );
  await bundleTests(suite, OUT, 'test/integration', 'cjs');
  await bundleTests(['test/integration/code.ts'], OUT, 'test/integration', 'esm');
  chmodSync(path.join(OUT, 'code.mjs'), 0o755);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const { failed } = await runIntegrationTests({ download: process.argv.includes('--download') });
    process.exitCode = failed > 0 ? 1 : 0;
  });
}
