/** Writes `dist/THIRD_PARTY_NOTICES.txt`: name, version and licence text of every package whose code we ship. */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** What is compiled into a package's binaries, which the package itself does not say. */
const CONTAINED = {
  '@tensorflow/tfjs-backend-wasm':
    'Its WebAssembly contains XNNPACK (BSD-3-Clause, https://github.com/google/XNNPACK), pthreadpool (BSD-2-Clause, ' +
    'https://github.com/google/pthreadpool), cpuinfo (BSD-2-Clause, https://github.com/pytorch/cpuinfo) and the runtime of ' +
    'Emscripten (MIT, https://github.com/emscripten-core/emscripten).',
};

/**
 * @param {string} root
 * @param {Iterable<import('esbuild').Metafile>} metafiles
 * @param {string[]} copied package folders shipped as files
 * @returns {string[]} the packages, as `name version`
 */
export function writeNotices(root, metafiles, copied) {
  const folders = new Set(copied);
  for (const { outputs } of metafiles) {
    for (const { inputs } of Object.values(outputs)) {
      for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
        const match = bytesInOutput > 0 && /^(?:.*:)?(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
        if (match) folders.add(path.resolve(root, match[1]));
      }
    }
  }
  const packages = [...folders].map(describe).sort((a, b) => a.title.localeCompare(b.title, 'en'));
  const text = packages.map(
    ({ title, licence, text }) => `${title}\nLicence: ${licence}\n\n${text.trim()}\n`,
  );
  const rule = `\n${'-'.repeat(100)}\n\n`;
  const head = 'This extension contains code of the following packages.\n';
  writeFileSync(path.join(root, 'dist/THIRD_PARTY_NOTICES.txt'), [head, ...text].join(rule));
  return packages.map(({ title }) => title);
}

function describe(folder) {
  const { name, version, license, author, homepage } = JSON.parse(
    readFileSync(path.join(folder, 'package.json'), 'utf8'),
  );
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  const texts = files.sort().map((file) => readFileSync(path.join(folder, file), 'utf8'));
  // A package of a monorepo may leave the licence file to its root: then the fields of its manifest have to do.
  const holder = typeof author === 'string' ? author : author?.name;
  const fallback = [`Copyright: ${holder ?? `the authors of ${name}`}`, homepage].filter(Boolean).join('\n');
  const text = [texts.join('\n\n') || fallback, CONTAINED[name]].filter(Boolean).join('\n\n');
  return { title: `${name} ${version}`, licence: license, text };
}

/** @param {string} root */
export function hasNotices(root) {
  return existsSync(path.join(root, 'dist/THIRD_PARTY_NOTICES.txt'));
}
