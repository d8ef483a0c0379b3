/**
 * Runs every test, after installing what is missing for it: npm test
 * The last line is always `N passed, N failed`; the exit code is 0 only if nothing failed.
 */
import { bootstrap } from './bootstrap.mjs';
import { runIntegrationTests } from './integration.mjs';
import { runNpm, say, seconds } from './lib/run.mjs';
import { runParityTests } from './parity.mjs';
import { runWorkbenchTests } from './workbench.mjs';

const total = { passed: 0, failed: 0 };
const start = Date.now();

const suites = [
  ['Packages and bundles', check(bootstrap)],
  ['Formatting', check(() => runNpm(['run', '--silent', 'format:check']))],
  ['Lint', check(() => runNpm(['run', '--silent', 'lint']))],
  ['Types', check(() => runNpm(['run', '--silent', 'types']))],
  ['Unit tests', runUnitTests],
  ['Parity with the reference implementation', runParityTests],
  ['Extension host', runIntegrationTests],
  ['Workbench, end to end', runWorkbenchTests],
];

for (const [index, [title, suite]] of suites.entries()) {
  const begun = Date.now();
  say(`\n[${index + 1}/${suites.length}] ${title}`);
  try {
    const { passed, failed } = await suite();
    total.passed += passed;
    total.failed += failed;
    say(`  ${failed ? 'FAILED' : 'passed'} after ${seconds(Date.now() - begun)}`);
  } catch (error) {
    total.failed += 1;
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    say(`  FAILED after ${seconds(Date.now() - begun)}`);
    if (index === 0) break; // nothing can run without packages and bundles
  }
}
say(`\nAll of it took ${seconds(Date.now() - start)}.`);
say(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 ? 1 : 0;

/** A step that counts as one test. */
function check(action) {
  return async () => {
    await action();
    return { passed: 1, failed: 0 };
  };
}

async function runUnitTests() {
  const { runNodeTests } = await import('./lib/nodeTests.mjs');
  return runNodeTests('unit');
}
