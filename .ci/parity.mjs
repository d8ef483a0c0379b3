/** Compares the engine with the reference dumps, on the real library: node .ci/parity.mjs [part of a path ...] */
import { fileURLToPath } from 'node:url';
import { bootstrap, installEngine } from './bootstrap.mjs';
import { main } from './lib/run.mjs';

/** @returns {Promise<import('./lib/nodeTests.mjs').TestCounts>} */
export async function runParityTests(filters = []) {
  await bootstrap();
  await installEngine();
  const { runNodeTests } = await import('./lib/nodeTests.mjs');
  return runNodeTests('parity', filters, { args: ['--test-concurrency=1'] });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    const { failed } = await runParityTests(process.argv.slice(2));
    process.exitCode = failed > 0 ? 1 : 0;
  });
}
