import os from 'node:os';
import type { Backend } from './backend';
import { devices } from './context';
import { native } from './native';
import { NativeSession } from './session';
import { NativeTensor } from './tensor';
import { openTfjs, tfjsVersion } from './tfjs';

/** Every dtype, on every device the library has. */
export const libtensorflow: Backend = {
  kind: 'libtensorflow',
  openSession: () => new NativeSession(),
  stage: (shape, dtype) => NativeTensor.allocate(shape, dtype),
  devices,
  dtypes: ['float32', 'bfloat16', 'float16'],
  threads: os.availableParallelism(),
  versions: () => ({ libtensorflow: native().version() as string }),
  tfjsVersion,
  withEagerTfjs: async (f) => f(await openTfjs()),
  memory: () => null,
};
