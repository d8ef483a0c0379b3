/** Bundles tests with esbuild and runs them on Node's own test runner. Needs the packages to be installed. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { ROOT } from './run.mjs';

/**
 * @typedef {object} TestCounts
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 */

/**
 * Runs the tests below a folder of `test/`.
 * @param {string} folder `unit`, `parity` or `workbench`
 * @param {string[]} filters parts of paths; none means all
 * @param {{ suffix?: string, format?: 'cjs' | 'esm', args?: string[] }} [options] `args` go to `node --test`
 * @returns {Promise<TestCounts>}
 */
export async function runNodeTests(folder, filters = [], options = {}) {
  const { suffix = '.test.ts', format = 'cjs', args = [] } = options;
  const sources = filesBelow(path.join(ROOT, 'test', folder), suffix)
    .map((file) => path.relative(ROOT, file))
    .filter((file) => !filters.length || filters.some((part) => file.includes(part)));
  if (sources.length === 0) throw new Error(`No test of test/${folder} matches ${filters.join(' ')}`);
  const name = [folder, ...(filters.length ? filters : ['all'])].join('-').replace(/\W+/g, '-');
  const outdir = path.join(ROOT, 'out', name);
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  await bundleTests(sources, outdir, `test/${folder}`, format);
  const extension = format === 'esm' ? '.mjs' : '.cjs';
  const built = filesBelow(outdir, suffix.replace(/\.ts$/, extension));
  return runFiles(built, path.join(outdir, 'counts.json'), args);
}

/**
 * @param {string[]} entryPoints
 * @param {string} outdir
 * @param {string} outbase
 * @param {'cjs' | 'esm'} format
 * @param {string[]} [external]
 */
export async function bundleTests(entryPoints, outdir, outbase, format, external = []) {
  await build({
    absWorkingDir: ROOT,
    entryPoints,
    outdir,
    outbase,
    external,
    bundle: true,
    platform: 'node',
    format,
    target: 'node20',
    packages: 'external',
    sourcemap: 'inline',
    logLevel: 'warning',
    outExtension: { '.js': format === 'esm' ? '.mjs' : '.cjs' },
    plugins: format === 'esm' ? [scriptsInPlace] : [],
  });
}

/** The scripts of `.ci` know the project by their own place, so an ES module imports them from there. */
const scriptsInPlace = {
  name: 'scripts-in-place',
  setup(build) {
    build.onResolve({ filter: /\.ci\/.*\.mjs$/ }, ({ path: imported, resolveDir }) => ({
      path: pathToFileURL(path.resolve(resolveDir, imported)).href,
      external: true,
    }));
  },
};

/** @returns {Promise<TestCounts>} */
function runFiles(files, countsFile, args) {
  const reporter = pathToFileURL(path.join(import.meta.dirname, 'reporter.mjs')).href;
  const options = ['--enable-source-maps', '--test', `--test-reporter=${reporter}`];
  const destination = '--test-reporter-destination=stdout';
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...options, destination, ...args, ...files], {
      cwd: ROOT,
      stdio: 'inherit',
      env: { ...process.env, TEST_COUNTS: countsFile },
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (existsSync(countsFile)) resolve(JSON.parse(readFileSync(countsFile, 'utf8')));
      else reject(new Error(`The test runner ended with exit code ${code} and without counts`));
    });
  });
}

function filesBelow(folder, suffix) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(suffix))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}
