/** Loads `engine.js` from beside the program: only commands that compute pay for it. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type * as EngineModule from '../engine';
import { choosesPortable, type EngineChoice } from '../install/engineChoice';
import { engineDirectory, installedEngine } from '../install/installed';
import { GlmError } from '../protocol/errors';
import type { CommandContext } from './context';

export type Engine = typeof EngineModule;

/** What every command that computes takes. */
export interface EngineOptions {
  engine?: EngineChoice;
}

/** The engine's code, without what computes. Throws `engine.loadFailed` where the bundle is missing. */
export function requireEngine(programDirectory: string): Engine {
  const file = path.join(programDirectory, 'engine.js');
  if (!existsSync(file)) throw new GlmError('engine.loadFailed', { path: programDirectory, detail: file });
  return createRequire(path.join(programDirectory, 'cli.js'))(file) as Engine;
}

/** The engine with its native library loaded. Throws `engine.notInstalled` or `engine.loadFailed`. */
export async function openInstalledEngine(): Promise<Engine> {
  // A half-installed or truncated library would end the process without a word.
  if (!installedEngine()) throw new GlmError('engine.notInstalled', { path: engineDirectory() });
  const engine = requireEngine(__dirname);
  await engine.openEngine(engineDirectory());
  return engine;
}

/** The engine over WebAssembly, which comes with the program. Throws `engine.loadFailed`. */
export async function openPortableEngine(): Promise<Engine> {
  const engine = requireEngine(__dirname);
  await engine.openPortableEngine(path.join(__dirname, 'vendor', 'tfjs-wasm'));
  return engine;
}

/** The engine that was chosen, or fits the machine. Says so where it is the portable one. Throws `install.badEngine`, `engine.*`. */
export async function openEngine(
  { output, t }: CommandContext,
  { engine: chosen }: EngineOptions,
): Promise<Engine> {
  if (!choosesPortable(chosen)) return openInstalledEngine();
  const engine = await openPortableEngine();
  output.info(
    t(
      'The portable engine (WebAssembly) computes: for small models, and several times slower than libtensorflow.',
    ),
  );
  return engine;
}
