import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { openPortableEngine } from '../../src/engine/backend/engine';
import { loadNative } from '../../src/engine/backend/native';

/** Opens the portable engine from the package's own files. */
export async function openPortableTestEngine(): Promise<void> {
  const main = createRequire(path.join(process.cwd(), 'package.json')).resolve(
    '@tensorflow/tfjs-backend-wasm',
  );
  await openPortableEngine(path.dirname(main));
}

/** Opens the engine that the test script installed; GLMTUNE_TEST_ENGINE names another one, or `portable`. */
export async function openTestEngine(): Promise<void> {
  if (process.env.GLMTUNE_TEST_ENGINE === 'portable') return openPortableTestEngine();
  const home = process.env.GLMTUNE_HOME ?? path.join(os.homedir(), '.glmtune');
  const directory =
    process.env.GLMTUNE_TEST_ENGINE ?? path.join(home, 'engine', 'libtensorflow-2.21.0-cpu-linux-x64');
  await loadNative(
    existsSync(path.join(directory, 'tensorflow')) ? path.join(directory, 'tensorflow') : directory,
  );
}
