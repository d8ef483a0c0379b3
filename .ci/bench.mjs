/** Measures the product against PyTorch, transformers and PEFT: npm run bench -- --help */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrap, installEngine } from './bootstrap.mjs';
import { main, ROOT, say } from './lib/run.mjs';
import { packagesInstalled } from './lib/stamp.mjs';

await main(async () => {
  // The benchmark itself is bundled by one of the packages.
  if (!packagesInstalled()) await bootstrap();
  const { bundleTests } = await import('./lib/nodeTests.mjs');
  const outdir = path.join(ROOT, 'out/bench/program');
  await bundleTests(['test/bench/main.ts'], outdir, 'test/bench', 'esm');
  const { runBench } = await import(pathToFileURL(path.join(outdir, 'main.mjs')).href);
  const build = async () => {
    await bootstrap();
    await installEngine();
  };
  process.exitCode = await runBench(process.argv.slice(2), { root: ROOT, say, build });
});
