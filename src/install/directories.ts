/** Where engines live: one place per user, shared by the command line and the extension. */
import { homedir } from 'node:os';
import path from 'node:path';
import { ENGINE_VERSION, type EngineVariant } from './pins';

/** `GLMTUNE_HOME`, else `.glmtune` in the home directory. Absolute. */
export function glmtuneHome(env: NodeJS.ProcessEnv = process.env): string {
  const chosen = env.GLMTUNE_HOME ?? '';
  return path.resolve(chosen === '' ? path.join(homedir(), '.glmtune') : chosen);
}

/** The directory that holds all engines. */
export function enginesDirectory(home: string): string {
  return path.join(home, 'engine');
}

/** The directory of one engine, there or not. */
export function variantDirectory(home: string, variant: EngineVariant): string {
  return path.join(enginesDirectory(home), `libtensorflow-${ENGINE_VERSION}-${variant}-linux-x64`);
}
