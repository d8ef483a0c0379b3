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
 * Copies everything that is shipped as files. It is replaced, not overwritten: a running engine has the old library mapped into memory.
 * @param {string} root
 * @returns {string[]} the package folders that were copied
 */
export function copyVendored(root) {
  rmSync(path.join(root, 'dist/vendor'), { recursive: true, force: true });
  return [...copyKoffi(root), copyTfjsWasm(root)];
}

/**
 * Copies koffi and its native library for this platform to `dist/vendor`, in the layout its loader looks for.
 * @param {string} root
 * @returns {string[]} the package folders that were copied
 */
function copyKoffi(root) {
  const platform = `${process.platform}-${process.arch}`;
  const source = path.join(root, 'node_modules/koffi');
  const native = path.join(root, 'node_modules/@koromix', `koffi-${platform}`);
  if (!existsSync(native))
    throw new Error(`koffi has no native library for ${platform} in node_modules/@koromix`);
  const vendor = path.join(root, 'dist/vendor');
  const target = path.join(vendor, 'koffi');
  for (const file of KOFFI_FILES) {
    if (!existsSync(path.join(source, file))) continue;
    mkdirSync(path.dirname(path.join(target, file)), { recursive: true });
    cpSync(path.join(source, file), path.join(target, file));
  }
  cpSync(native, path.join(vendor, '@koromix', `koffi-${platform}`), { recursive: true });
  return [source, native];
}

/** One thread, with SIMD and without. */
const WASM_FILES = ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm'];

/**
 * Copies the portable engine's WebAssembly to `dist/vendor/tfjs-wasm`.
 * @param {string} root
 * @returns {string} the package folder it is from
 */
function copyTfjsWasm(root) {
  const source = path.join(root, 'node_modules/@tensorflow/tfjs-backend-wasm');
  const target = path.join(root, 'dist/vendor/tfjs-wasm');
  mkdirSync(target, { recursive: true });
  for (const file of WASM_FILES) cpSync(path.join(source, 'dist', file), path.join(target, file));
  return source;
}
