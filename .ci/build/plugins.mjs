/** esbuild plugins: import rules that the bundles enforce, and how tfjs and koffi are reached from the engine bundle. */
import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import path from 'node:path';

/**
 * Fails the build when an import matches, naming the file that reached it. Type-only imports are gone by then.
 * @param {{ pattern: RegExp, reason: string }[]} rules
 * @returns {import('esbuild').Plugin}
 */
export function forbid(rules) {
  return {
    name: 'forbid',
    setup(build) {
      for (const { pattern, reason } of rules) {
        build.onResolve({ filter: pattern }, ({ path: imported, importer }) => ({
          errors: [
            { text: `"${imported}" must not be reached from ${relative(build, importer)}: ${reason}` },
          ],
        }));
      }
    },
  };
}

/**
 * `koffi` and `./engine.js` stay outside the bundles and are required from beside them.
 * koffi cannot be bundled: it finds its native library by its own folder (see vendor.mjs).
 * @param {Record<string, string>} locations import path -> path at run time
 * @returns {import('esbuild').Plugin}
 */
export function requireAtRunTime(locations) {
  return {
    name: 'require-at-run-time',
    setup(build) {
      for (const [imported, location] of Object.entries(locations)) {
        const filter = new RegExp(`^${imported.replaceAll('.', '\\.')}$`);
        build.onResolve({ filter }, () => ({ path: location, external: true }));
      }
    },
  };
}

// The library minus layers, data, converter and browser backends: 2 MB less. tfjs-node's kernels are ES5 classes that call
// `_super.call(this)`, which an ES2017 class refuses, so they get a callable KernelBackend with the same prototype.
const TFJS_CORE = `
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops';
export * from '@tensorflow/tfjs-core';
import { KernelBackend as Base, version_core } from '@tensorflow/tfjs-core';
export function KernelBackend() {}
KernelBackend.prototype = Base.prototype;
export const version = { 'tfjs-core': version_core };
`;
const NODE_FETCH = 'module.exports = globalThis.fetch;';

/**
 * `@tensorflow/tfjs` means tfjs-core with all gradients and chained ops, for our code and for tfjs-node-gpu's kernels alike.
 * @returns {import('esbuild').Plugin}
 */
export function tfjsCoreOnly() {
  return {
    name: 'tfjs-core-only',
    setup(build) {
      const resolveDir = build.initialOptions.absWorkingDir ?? process.cwd();
      build.onResolve({ filter: /^@tensorflow\/tfjs$/ }, () => ({
        path: 'tfjs',
        namespace: 'tfjs-core-only',
      }));
      build.onLoad({ filter: /.*/, namespace: 'tfjs-core-only' }, () => ({
        contents: TFJS_CORE,
        resolveDir,
      }));
      // tfjs-core asks for node-fetch to download models, which the engine never does.
      build.onResolve({ filter: /^node-fetch$/ }, () => ({ path: 'node-fetch', namespace: 'global-fetch' }));
      build.onLoad({ filter: /.*/, namespace: 'global-fetch' }, () => ({ contents: NODE_FETCH }));
    },
  };
}

/**
 * zod's messages in English only: the sentences people read are our own, and 40 languages are 260 KB that VS Code would parse
 * at every start.
 * @returns {import('esbuild').Plugin}
 */
export function zodInEnglish() {
  return {
    name: 'zod-in-english',
    setup(build) {
      build.onResolve({ filter: /\/locales\/index\.js$/ }, ({ importer, resolveDir }) =>
        /[\\/]node_modules[\\/]zod[\\/]/.test(importer)
          ? { path: path.resolve(resolveDir, '../locales/en.js') }
          : undefined,
      );
    },
  };
}

/**
 * Makes the command line executable and lets it write what is generated from its code: the JSON schemas of the run file.
 * @returns {import('esbuild').Plugin}
 */
export function finishCommandLine() {
  return {
    name: 'finish-command-line',
    setup(build) {
      const { absWorkingDir: root, outfile } = build.initialOptions;
      build.onEnd(({ errors }) => {
        if (errors.length > 0) return {};
        const cli = path.join(root, outfile);
        chmodSync(cli, 0o755);
        const schemas = spawnSync(process.execPath, [cli, 'schema', '--out', path.dirname(cli)]);
        if (schemas.status === 0) return {};
        return { errors: [{ text: `${outfile} could not write the schemas: ${schemas.stderr}` }] };
      });
    },
  };
}

function relative(build, file) {
  return path.relative(build.initialOptions.absWorkingDir ?? process.cwd(), file);
}
