/** Runs the end-to-end tests in a real VS Code: node .ci/workbench.mjs [part of a path ...] */
import { fileURLToPath } from 'node:url';
import { bootstrap, installEngine, packageExtension } from './bootstrap.mjs';
import { ensureChromium } from './lib/chromium.mjs';
import { main } from './lib/run.mjs';
import { ensureVscodeServer } from './lib/vscodeServer.mjs';

/** @returns {Promise<import('./lib/nodeTests.mjs').TestCounts>} */
export async function runWorkbenchTests(filters = []) {
  await bootstrap();
  await packageExtension();
  await installEngine();
  await ensureChromium();
  await ensureVscodeServer();
  const { runNodeTests } = await import('./lib/nodeTests.mjs');
  return runNodeTests('workbench', filters, {
    suffix: '.e2e.ts',
    format: 'esm',
    args: ['--test-concurrency=1'],
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const { failed } = await runWorkbenchTests(process.argv.slice(2));
    process.exitCode = failed > 0 ? 1 : 0;
  });
}
