// Bundles the unit tests with esbuild and runs them on Node's own test runner: node .ci/unit.mjs [part of a path ...]
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '..');
const filters = process.argv.slice(2);

/** @returns {string[]} */
function testFiles(directory) {
  return readdirSync(path.join(root, directory), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
}

const files = testFiles('test/unit').filter(
  (file) => !filters.length || filters.some((part) => file.includes(part)),
);
if (files.length === 0) {
  process.stderr.write(`No test matches ${filters.join(' ')}\n`);
  process.exit(1);
}
const outdir = path.join(root, 'out', `unit-${filters.join('-').replace(/\W+/g, '-') || 'all'}`);
rmSync(outdir, { recursive: true, force: true });
mkdirSync(outdir, { recursive: true });
await build({
  absWorkingDir: root,
  entryPoints: files,
  outdir,
  outbase: 'test/unit',
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  packages: 'external',
  sourcemap: 'inline',
  logLevel: 'warning',
  outExtension: { '.js': '.cjs' },
});
const built = readdirSync(outdir, { withFileTypes: true, recursive: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.test.cjs'))
  .map((entry) => path.join(entry.parentPath, entry.name));
const result = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...built], {
  stdio: 'inherit',
  cwd: root,
});
process.exit(result.status ?? 1);
