import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadNative } from '../../src/engine/backend/native';

/** Opens the engine that the test script installed. */
export async function openTestEngine(): Promise<void> {
  const home = process.env.GLMTUNE_HOME ?? path.join(os.homedir(), '.glmtune');
  const directory =
    process.env.GLMTUNE_TEST_ENGINE ?? path.join(home, 'engine', 'libtensorflow-2.21.0-cpu-linux-x64');
  await loadNative(
    existsSync(path.join(directory, 'tensorflow')) ? path.join(directory, 'tensorflow') : directory,
  );
}
