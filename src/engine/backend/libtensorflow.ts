import type { Backend } from './backend';
import { devices } from './context';
import { NativeSession } from './session';
import { NativeTensor } from './tensor';

/** Every dtype, on every device the library has. */
export const libtensorflow: Backend = {
  kind: 'libtensorflow',
  openSession: () => new NativeSession(),
  stage: (shape, dtype) => NativeTensor.allocate(shape, dtype),
  devices,
  computeDType: (dtype) => dtype,
  memory: () => null,
};
