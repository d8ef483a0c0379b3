import { existsSync } from 'node:fs';
import path from 'node:path';
import './shim';
import { loadNative } from './native';

/**
 * Loads libtensorflow from an engine directory (`install/`), once per process.
 * Throws `engine.notInstalled` or `engine.loadFailed`.
 */
export async function openEngine(directory: string): Promise<void> {
  const inside = path.join(directory, 'tensorflow');
  await loadNative(existsSync(inside) ? inside : directory);
}
