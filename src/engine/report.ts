/** What the engine can do on this machine. */
import os from 'node:os';
import { devices } from './backend/context';
import { native } from './backend/native';
import { tfjsVersion } from './backend/tfjs';
import { selfTest } from './selfTest';
import type { EngineReport } from './types';

/** Needs an open engine. Throws `engine.*` where the library cannot run at all. */
export async function engineReport(): Promise<EngineReport> {
  return {
    libtensorflow: native().version() as string,
    devices: devices().map(({ type, name }) =>
      type === 'CPU' ? 'CPU' : `${type} ${name.replace(/^.*:/, '')}`,
    ),
    dtypes: ['float32', 'bfloat16', 'float16'],
    threads: os.availableParallelism(),
    tfjs: await tfjsVersion(),
    selfTest: await selfTest(),
  };
}
