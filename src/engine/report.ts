/** What the engine can do on this machine. */
import os from 'node:os';
import { native } from './backend/native';
import { Session } from './backend/session';
import { tfjsVersion } from './backend/tfjs';
import { selfTest } from './selfTest';
import type { EngineReport } from './types';

/** Needs an open engine. Throws `engine.*` where the library cannot run at all. */
export async function engineReport(): Promise<EngineReport> {
  const session = new Session();
  const devices = session.devices();
  await session.close();
  return {
    libtensorflow: native().version() as string,
    devices: devices.map(({ type, name }) =>
      type === 'CPU' ? 'CPU' : `${type} ${name.replace(/^.*:/, '')}`,
    ),
    dtypes: ['float32', 'bfloat16'],
    threads: os.availableParallelism(),
    tfjs: await tfjsVersion(),
    selfTest: await selfTest(),
  };
}
