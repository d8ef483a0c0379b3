/** Finds a Chromium for the workbench tests, or installs Debian's. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { run, step } from './run.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge'];
const APPLICATIONS = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** @returns {string | null} path of the executable; the environment variable CHROMIUM goes first */
export function findChromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  return NAMES.map(findOnPath).find(Boolean) ?? APPLICATIONS.find(existsSync) ?? null;
}

/** @param {string} name @returns {string | null} */
export function findOnPath(name) {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  return folders.map((folder) => path.join(folder, name)).find(existsSync) ?? null;
}

/**
 * Makes sure that there is a Chromium, and a font with Chinese characters beside an installed one.
 * @returns {Promise<string>} path of the executable
 */
export async function ensureChromium() {
  const found = findChromium();
  if (found) return found;
  await installPackages('Chromium and a Chinese font', ['chromium', 'fonts-noto-cjk']);
  const installed = findChromium();
  if (!installed)
    throw new Error(
      'Chromium was installed, yet no executable is on the PATH: name it in the variable CHROMIUM.',
    );
  return installed;
}

/**
 * Installs Debian packages.
 * @param {string} what
 * @param {string[]} packages
 */
export async function installPackages(what, packages) {
  const names = packages.join(' ');
  if (process.getuid?.() !== 0 || !findOnPath('apt-get'))
    throw new Error(
      `${what} is missing. Install it (Debian: apt-get install ${names}), or run this as root.`,
    );
  await step(`Installing ${what}: ${names}`, async () => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await run('apt-get', ['update', '-qq'], { env });
    await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env });
  });
}
