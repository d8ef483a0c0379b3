/** What the engine can do on this machine. */
import { backend } from './backend/backend';
import { selfTest } from './selfTest';
import type { EngineReport } from './types';

/** Needs an open engine. Throws `engine.*` where the library cannot run at all. */
export async function engineReport(): Promise<EngineReport> {
  const engine = backend();
  return {
    kind: engine.kind,
    libtensorflow: engine.versions().libtensorflow ?? null,
    devices: engine
      .devices()
      .map(({ type, name }) => (type === 'GPU' ? `GPU ${name.replace(/^.*:/, '')}` : type)),
    dtypes: [...engine.dtypes],
    threads: engine.threads,
    tfjs: await engine.tfjsVersion(),
    selfTest: await selfTest(),
  };
}

/** What computes, by name: for the provenance of a run. Needs an open engine. */
export function engineVersions(): Record<string, string> {
  return backend().versions();
}
