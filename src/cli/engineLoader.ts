/** Loads `engine.js` from beside the program: only commands that compute pay for it. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type * as EngineModule from '../engine';
import { engineDirectory, installedEngine } from '../install/installed';
import { GlmError } from '../protocol/errors';

export type Engine = typeof EngineModule;

/** The engine's code, without its native library. Throws `engine.loadFailed` where the bundle is missing. */
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
