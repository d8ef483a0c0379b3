/** Runs the unit tests: node .ci/unit.mjs [part of a path ...] */
import { main } from './lib/run.mjs';
import { runNodeTests } from './lib/nodeTests.mjs';

await main(async () => {
  const { failed } = await runNodeTests('unit', process.argv.slice(2));
  process.exitCode = failed > 0 ? 1 : 0;
});
