import os from 'node:os';
import type { Backend } from './backend';
import { devices } from './context';
import { multipliesBfloat16 } from './cpu';
import { isLoaded, native } from './native';
import { NativeSession } from './session';
import { openTfjs, tfjsVersion } from './tfjs';

/** Every dtype, on every device the library has; bfloat16 is widened where the processor has no instructions for it. */
export const libtensorflow: Backend = {
  kind: 'libtensorflow',
  openSession: () => new NativeSession(),
  devices,
  dtypes: ['float32', 'bfloat16', 'float16'],
  computesIn: (dtype) => (dtype === 'bfloat16' && !hasBfloat16() ? 'float32' : dtype),
  threads: os.availableParallelism(),
  versions: () => ({ libtensorflow: native().version() as string }),
  tfjsVersion,
  withEagerTfjs: async (f) => f(await openTfjs()),
  memory: () => null,
};

/** Before the library is loaded, when a run is only planned, nothing is known of GPUs. */
function hasBfloat16(): boolean {
  return multipliesBfloat16() || (isLoaded() && devices().some(({ type }) => type === 'GPU'));
}
