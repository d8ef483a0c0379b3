/** Installs the packages and builds the bundles, where that is not done yet: node .ci/bootstrap.mjs */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { main, runNode, runNpm, runProduct, say, step } from './lib/run.mjs';
import { BUILD_STAMP, madeFrom, packagesInstalled } from './lib/stamp.mjs';

const SOURCES = [
  'src',
  'webview',
  'l10n/parts',
  '.ci/build',
  'esbuild.mjs',
  'tsconfig.json',
  'package-lock.json',
];
const SHIPPED = [
  'media',
  'syntaxes',
  'package.json',
  'package.nls.json',
  'package.nls.zh-cn.json',
  'README.md',
];

/** The packaged extension, relative to the project. */
export const VSIX = 'out/chatglm-finetune.vsix';

const built = madeFrom('dist/cli.js', BUILD_STAMP, SOURCES);
const packaged = madeFrom(VSIX, 'out/stamps/vsix', [...SOURCES, ...SHIPPED, '.vscodeignore', 'CHANGELOG.md']);

/** Packages, and the bundles as they are shipped. (A development build forgets the stamp: see esbuild.mjs.) */
export async function bootstrap() {
  requireNode(20);
  if (!packagesInstalled()) await step('Installing packages (npm ci)', () => runNpm(['ci']));
  if (built.isCurrent()) return;
  await step('Building dist', () => runNode(['esbuild.mjs', '--production']));
  built.remember();
}

/** The extension as a user installs it, in `out/`. */
export async function packageExtension() {
  if (packaged.isCurrent()) return;
  await step(`Packaging ${VSIX}`, async () => {
    const vsce = path.join('node_modules', '@vscode/vsce/vsce'); // it calls vscode:prepublish, which comes back to bootstrap
    // There is no repository address that the README's links could be made absolute with.
    const asWritten = ['--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links'];
    await runNode([vsce, 'package', ...asWritten, '-o', VSIX]);
  });
  packaged.remember();
}

/** libtensorflow for this machine; the installer itself knows whether it is there. Where there is none, the portable engine computes. */
export async function installEngine() {
  const { platform, arch, env } = process;
  if (env.GLMTUNE_ENGINE === 'wasm' || platform !== 'linux' || arch !== 'x64') {
    say('The portable engine (WebAssembly) computes: nothing to install.');
    return;
  }
  await step('Installing the engine, if it is missing', () => runProduct(['install-engine']));
}

function requireNode(major) {
  if (Number(process.versions.node.split('.')[0]) < major)
    throw new Error(`Node ${major} or later is needed; this is ${process.versions.node}.`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    await bootstrap();
    if (process.argv.includes('--package')) await packageExtension();
    say('Packages and bundles are ready.');
  });
}
