/** Knowing what is already done: installed packages and built bundles. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './run.mjs';

/** What the bundles in `dist` were made from. */
export const BUILD_STAMP = 'out/stamps/build';

/** Whether `node_modules` holds exactly the versions of `package-lock.json` (npm notes there what it installed). */
export function packagesInstalled() {
  const note = path.join(ROOT, 'node_modules/.package-lock.json');
  if (!existsSync(note)) return false;
  const installed = JSON.parse(readFileSync(note, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(([folder, { version, optional }]) => {
    if (folder === '') return true;
    const present = installed[folder]?.version;
    // Native packages of other platforms are optional and stay away.
    return present === version || (present === undefined && optional === true);
  });
}

/**
 * Remembers in a file which state of the sources a product was made from.
 * @param {string} product the file or folder that was made
 * @param {string} stamp where to remember, relative to the project
 * @param {string[]} inputs files and folders, relative to the project
 */
export function madeFrom(product, stamp, inputs) {
  const file = path.join(ROOT, stamp);
  return {
    isCurrent: () =>
      existsSync(path.join(ROOT, product)) &&
      existsSync(file) &&
      readFileSync(file, 'utf8') === fingerprint(inputs),
    remember() {
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, fingerprint(inputs));
    },
  };
}

/** Names, sizes and times of all files below the inputs. */
function fingerprint(inputs) {
  const hash = createHash('sha256');
  for (const file of inputs.flatMap(filesBelow)) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${path.relative(ROOT, file)}\n${size}\n${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

function filesBelow(input) {
  const full = path.join(ROOT, input);
  if (!existsSync(full)) return [];
  if (statSync(full).isFile()) return [full];
  return readdirSync(full, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}
