/** Starts VS Code's server with throw-away folders, so that nothing of one session reaches the next. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from './run.mjs';
import { vscodeServer } from './vscodeServer.mjs';

/** User settings: a quiet first start, nothing that asks the network, nothing that covers the editor. */
const QUIET = {
  'workbench.startupEditor': 'none',
  'workbench.welcomePage.experimentalOnboarding': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.enableExperiments': false,
  'workbench.settings.enableNaturalLanguageSearch': false,
  'workbench.colorTheme': 'Default Dark Modern',
  'window.autoDetectColorScheme': false,
  'chat.disableAIFeatures': true,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'update.showReleaseNotes': false,
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'security.workspace.trust.enabled': false,
  'git.enabled': false,
  'remote.autoForwardPorts': false,
  'remote.restoreForwardedPorts': false,
  'typescript.disableAutomaticTypeAcquisition': true,
  'files.autoSave': 'off',
};

/**
 * @typedef {object} ServerOptions
 * @property {Record<string, unknown>} [settings] user settings beside the quiet ones
 * @property {Record<string, unknown>} [machineSettings] settings of the server's machine: `"scope": "machine"` ones count here only
 * @property {string[]} [vsix] extensions to install
 * @property {string} [locale] `zh-cn` runs our extension in Chinese; the workbench itself stays English
 * @property {number} [port] 0, the default, takes a free one
 * @property {NodeJS.ProcessEnv} [env] what the extension host gets beside our environment
 * @property {boolean} [smokeTestDriver] opens the page's hooks for tests; true by default
 *
 * @typedef {object} WorkbenchServer
 * @property {string} url
 * @property {string} home the throw-away folder of this server
 * @property {string} userData
 * @property {string} log its output so far
 * @property {() => Promise<void>} stop ends it and its children, and removes the folder
 */

/**
 * @param {ServerOptions} [options]
 * @returns {Promise<WorkbenchServer>}
 */
export async function startWorkbenchServer(options = {}) {
  const { settings = {}, machineSettings = {}, vsix = [], locale, port = 0 } = options;
  const { env = {}, smokeTestDriver = true } = options;
  // A short path: the server's sockets lie in it, and their paths may have 108 bytes.
  const home = mkdtempSync(path.join(tmpdir(), 'glm-'));
  const userData = path.join(home, 'user');
  const extensions = path.join(home, 'extensions');
  mkdirSync(extensions);
  writeSettings(path.join(userData, 'User'), { ...QUIET, ...settings });
  writeSettings(path.join(userData, 'Machine'), machineSettings);
  if (locale) writeLanguagePack(userData, locale);
  const folders = [
    ...['--server-data-dir', path.join(home, 'server')],
    ...['--user-data-dir', userData],
    ...['--extensions-dir', extensions],
    ...['--telemetry-level', 'off'],
    '--accept-server-license-terms',
  ];
  const environment = serverEnvironment(env);
  const { node, entry } = vscodeServer;
  for (const file of vsix)
    await run(node, [entry, ...folders, '--install-extension', file], { env: environment });

  const logFile = path.join(home, 'server.log');
  const log = openSync(logFile, 'a');
  const child = spawn(
    node,
    [
      entry,
      ...folders,
      ...['--host', '127.0.0.1', '--port', String(port)],
      '--without-connection-token',
      '--disable-workspace-trust',
      ...(smokeTestDriver ? ['--enable-smoke-test-driver'] : []),
      ...(locale ? ['--locale', locale] : []),
    ],
    { env: environment, stdio: ['ignore', 'pipe', log], detached: true },
  );
  const stop = async () => {
    await endProcessGroup(child);
    rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  try {
    const listening = await listeningPort(child);
    return {
      url: `http://127.0.0.1:${listening}`,
      home,
      userData,
      get log() {
        return readLogs(home);
      },
      stop,
    };
  } catch (error) {
    const output = readFileSync(logFile, 'utf8');
    await stop();
    throw new Error(`${error.message}\n${output}`, { cause: error });
  }
}

function writeSettings(folder, settings) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'settings.json'), JSON.stringify(settings, null, 2));
}

/** The server's environment becomes the extension host's: variables of an outer VS Code or npm stay out of it. */
function serverEnvironment(extra) {
  const foreign = /^(VSCODE_(?!TEST_)|ELECTRON_|NODE_OPTIONS$|PASSWORD$|npm_)/;
  const kept = Object.entries({ ...process.env, ...extra }).filter(([name]) => !foreign.test(name));
  // An empty gallery: nothing looks up extensions on the network.
  return { ...Object.fromEntries(kept), EXTENSIONS_GALLERY: '{}' };
}

/** VS Code only runs in a locale that has a language pack. This one is empty: extensions bring their own translations. */
function writeLanguagePack(userData, locale) {
  const strings = path.join(userData, 'empty.i18n.json');
  writeFileSync(strings, JSON.stringify({ '': '', version: '1.0.0', contents: {} }));
  const extensionIdentifier = { id: 'glmtune.empty-language-pack' };
  const pack = {
    hash: 'empty',
    label: locale,
    extensions: [{ extensionIdentifier, version: '1.0.0' }],
    translations: { vscode: strings },
  };
  writeFileSync(path.join(userData, 'languagepacks.json'), JSON.stringify({ [locale]: pack }));
}

/** @returns {Promise<number>} */
function listeningPort(child) {
  return new Promise((resolve, reject) => {
    let output = '';
    const timer = setTimeout(() => reject(new Error(`VS Code's server did not start:\n${output}`)), 120_000);
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      const ready = /Extension host agent listening on (\d+)/.exec(output);
      if (!ready) return;
      clearTimeout(timer);
      resolve(Number(ready[1]));
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`VS Code's server ended with exit code ${code}:\n${output}`));
    });
  });
}

async function endProcessGroup(child) {
  const ended =
    child.exitCode === null ? new Promise((resolve) => child.on('exit', resolve)) : Promise.resolve();
  signalGroup(child, 'SIGTERM');
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 5000).unref())]);
  signalGroup(child, 'SIGKILL');
}

function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nobody of the group is left.
  }
}

/** The server's and the extension host's log files. */
function readLogs(home) {
  return readdirSync(home, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.log'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .map((file) => `== ${path.relative(home, file)}\n${readFileSync(file, 'utf8')}`)
    .join('\n');
}
