/** The bundles of the product: entry points, targets, and what each must never reach. */
import { finishCommandLine, forbid, requireAtRunTime, tfjsCoreOnly, zodInEnglish } from './plugins.mjs';

const NO_TFJS = {
  pattern: /^(@tensorflow\/|koffi$|@koromix\/)/,
  reason: 'only src/engine/backend, in its own process, loads native code',
};
const NO_VSCODE = {
  pattern: /^vscode$/,
  reason: 'this bundle also runs outside VS Code',
};

/** @type {{ name: string, entry: string, options: import('esbuild').BuildOptions }[]} */
export const bundles = [
  {
    name: 'dist/extension.js',
    entry: 'src/extension.ts',
    options: { ...node('node22'), external: ['vscode'], plugins: [forbid([NO_TFJS]), zodInEnglish()] },
  },
  {
    name: 'dist/cli.js',
    entry: 'src/cli/main.ts',
    options: {
      ...node('node20'),
      banner: { js: '#!/usr/bin/env node' },
      plugins: [
        forbid([NO_TFJS, NO_VSCODE]),
        requireAtRunTime({ './engine.js': './engine.js' }),
        zodInEnglish(),
        finishCommandLine(),
      ],
    },
  },
  {
    name: 'dist/engine.js',
    entry: 'src/engine/index.ts',
    options: {
      ...node('node20'),
      mainFields: ['module', 'main'],
      plugins: [
        forbid([NO_VSCODE]),
        requireAtRunTime({ koffi: './vendor/koffi/index.cjs', './wasm/tfjsWasm': './tfjsWasm.js' }),
        zodInEnglish(),
        tfjsCoreOnly(),
      ],
    },
  },
  {
    // The portable engine's tfjs, which the ordinary path never loads.
    name: 'dist/tfjsWasm.js',
    entry: 'src/engine/backend/wasm/tfjsWasm.ts',
    options: {
      ...node('node20'),
      mainFields: ['module', 'main'],
      plugins: [forbid([NO_VSCODE]), tfjsCoreOnly()],
    },
  },
  {
    name: 'dist/packingWorker.js',
    entry: 'src/checkpoint/packed/packingWorker.ts',
    options: { ...node('node20'), plugins: [forbid([NO_TFJS, NO_VSCODE])] },
  },
  { name: 'dist/webview/chat.js', entry: 'webview/chat/main.ts', options: webview() },
  { name: 'dist/webview/runs.js', entry: 'webview/runs/main.ts', options: webview() },
];

/** @returns {import('esbuild').BuildOptions} */
function node(target) {
  return { platform: 'node', format: 'cjs', target };
}

/** A style sheet imported from the entry point comes out beside it as `dist/webview/<name>.css`. */
function webview() {
  return {
    platform: 'browser',
    format: 'iife',
    target: 'es2022',
    loader: { '.ttf': 'file', '.svg': 'dataurl' },
    assetNames: '[name]',
    plugins: [forbid([NO_TFJS, NO_VSCODE]), zodInEnglish()],
  };
}
