/** Packages that are shipped as files beside the bundles instead of inside them. */
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';

const KOFFI_FILES = [
  'package.json',
  'index.cjs',
  'LICENSE.txt',
  'src/koffi/index.cjs',
  'src/koffi/src/static.cjs',
];

/**
 * Copies koffi and its native library for this platform to `dist/vendor`, in the layout its loader looks for.
 * @param {string} root
 * @returns {string[]} the package folders that were copied
 */
export function copyKoffi(root) {
  const platform = `${process.platform}-${process.arch}`;
  const source = path.join(root, 'node_modules/koffi');
  const native = path.join(root, 'node_modules/@koromix', `koffi-${platform}`);
  if (!existsSync(native))
    throw new Error(`koffi has no native library for ${platform} in node_modules/@koromix`);
  const vendor = path.join(root, 'dist/vendor');
  const target = path.join(vendor, 'koffi');
  // Replaced, not overwritten: a running engine has the old library mapped into memory.
  rmSync(vendor, { recursive: true, force: true });
  for (const file of KOFFI_FILES) {
    if (!existsSync(path.join(source, file))) continue;
    mkdirSync(path.dirname(path.join(target, file)), { recursive: true });
    cpSync(path.join(source, file), path.join(target, file));
  }
  cpSync(native, path.join(vendor, '@koromix', `koffi-${platform}`), { recursive: true });
  return [source, native];
}
