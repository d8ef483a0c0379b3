import { existsSync } from 'node:fs';
import path from 'node:path';
import './shim';
import { GlmError } from '../../protocol/errors';
import { useBackend } from './backend';
import { loadNative } from './native';
import { portableBackend } from './portable/portable';

/**
 * Loads libtensorflow from an engine directory (`install/`), once per process.
 * Throws `engine.notInstalled` or `engine.loadFailed`.
 */
export async function openEngine(directory: string): Promise<void> {
  const inside = path.join(directory, 'tensorflow');
  await loadNative(existsSync(inside) ? inside : directory);
}

/**
 * Starts the portable engine, in the place of libtensorflow; `directory` holds the .wasm files. Throws `engine.loadFailed`.
 */
export async function openPortableEngine(directory: string): Promise<void> {
  try {
    const { openTfjsWasm } = await import('./wasm/tfjsWasm');
    useBackend(portableBackend(await openTfjsWasm(directory)));
  } catch (error) {
    throw new GlmError('engine.loadFailed', { path: directory, detail: String((error as Error).message) });
  }
}
