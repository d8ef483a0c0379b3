/**
 * Installs VS Code's own server, which serves a real workbench to a browser and runs a real extension host. It comes out of
 * npm's `code-server` package (release 4.X.Y carries VS Code 1.X.Y), so that nothing but a package registry is needed.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findOnPath, installPackages } from './chromium.mjs';
import { ROOT, runNpm, step } from './run.mjs';

/** VS Code's version, as code-server counts it. VSCODE_SERVER=4.104.0 tests the oldest one we support. */
const VERSION = process.env.VSCODE_SERVER ?? '4.139.1';
const HOME = path.join(ROOT, '.vscode-test', `server-${VERSION}`);
const NODE_PACKAGE = `node-${process.platform}-${process.arch}`;
const SERVER = path.join(HOME, 'node_modules/code-server/lib/vscode');

/** Executable and entry point of the server; they exist after `ensureVscodeServer`. */
export const vscodeServer = {
  version: VERSION.replace(/^4/, '1'),
  node: path.join(HOME, 'node_modules', NODE_PACKAGE, 'bin/node'),
  entry: path.join(SERVER, 'out/server-main.js'),
};

// The only native modules the server needs here; the other five take minutes and Kerberos headers to build.
const NATIVE_MODULES = [
  '@vscode/spdlog',
  '@vscode/native-watchdog',
  'native-watchdog',
  '@parcel/watcher',
  'node-pty',
];
// 400 of 800 MB that no test uses.
const UNUSED = [
  'node_modules/@github',
  'node_modules/@microsoft/mxc-sdk',
  'node_modules/@vscode/windows-process-tree',
  'extensions/copilot',
  'extensions/mermaid-markdown-features',
];

/** Installs the server unless it is there. About one minute and 400 MB. */
export async function ensureVscodeServer() {
  const stamp = path.join(HOME, '.complete');
  if (existsSync(stamp)) return;
  if (!['g++', 'make', 'python3'].every(findOnPath))
    await installPackages('A C++ compiler for the native modules of VS Code', ['g++', 'make', 'python3']);
  await step(`Installing the server of VS Code ${vscodeServer.version} into .vscode-test`, async () => {
    rmSync(HOME, { recursive: true, force: true }); // npm cannot continue an interrupted installation of it
    mkdirSync(HOME, { recursive: true });
    writeFileSync(path.join(HOME, 'package.json'), '{"private":true}\n');
    const quiet = ['--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error'];
    await runNpm(['install', ...quiet, `${NODE_PACKAGE}@${nodeVersion()}`, `code-server@${VERSION}`], {
      cwd: HOME,
    });
    const nodeHome = path.join(HOME, 'node_modules', NODE_PACKAGE);
    const env = {
      ...process.env,
      PATH: `${path.join(nodeHome, 'bin')}${path.delimiter}${process.env.PATH}`,
      npm_config_nodedir: nodeHome, // headers of the Node that will load the modules
      npm_config_yes: 'true',
    };
    await runNpm(['install', ...quiet], { cwd: SERVER, env });
    const present = NATIVE_MODULES.filter((name) => existsSync(path.join(SERVER, 'node_modules', name)));
    await runNpm(['rebuild', '--foreground-scripts', ...present], { cwd: SERVER, env });
    for (const folder of UNUSED) rmSync(path.join(SERVER, folder), { recursive: true, force: true });
    for (const folder of ['include', 'share'])
      rmSync(path.join(nodeHome, folder), { recursive: true, force: true });
    removeSourceMaps(HOME);
    writeFileSync(stamp, '');
  });
}

/** The Node line that this release of VS Code is made for. */
function nodeVersion() {
  const minor = Number(VERSION.split('.')[1]);
  if (minor >= 133) return '24.21.0';
  return minor >= 101 ? '22.23.3' : '20.20.2';
}

function removeSourceMaps(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true }))
    if (entry.isFile() && entry.name.endsWith('.map')) rmSync(path.join(entry.parentPath, entry.name));
}
