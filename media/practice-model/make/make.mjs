/** Makes the practice model: node media/practice-model/make/make.mjs [corpus | tokenizer | weights | train | export | check ...] */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '../../..');
const bundle = path.join(root, 'out/practice-model/make.mjs');
await build({
  absWorkingDir: root,
  entryPoints: ['media/practice-model/make/main.ts'],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  sourcemap: 'inline',
  logLevel: 'warning',
});
const result = spawnSync(process.execPath, ['--enable-source-maps', bundle, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(result.status ?? 1);
