/** The portable engine: tfjs on WebAssembly, for small models where libtensorflow cannot be had. */
import { GlmError } from '../../../protocol/errors';
import type { Backend } from '../backend';
import type { Tfjs } from '../tfjs';
import { StagedBytes } from './feeds';
import { createKernels } from './kernels';
import { PortableSession, type PortableRuntime } from './session';

/** Memory of 32-bit WebAssembly, less what its runtime takes itself. */
const HEAP_LIMIT = 4 * 2 ** 30 - 64 * 2 ** 20;

export interface PortableOptions {
  tf: typeof Tfjs;
}

export function portableBackend({ tf }: PortableOptions): Backend {
  const runtime: PortableRuntime = { tf, kernels: createKernels(tf), toGlmError };
  return {
    kind: 'portable',
    openSession: () => new PortableSession(runtime),
    stage: (shape, dtype) => new StagedBytes(shape, dtype),
    devices: () => [{ type: 'WebAssembly', name: tf.getBackend() }],
    // tfjs has no narrower numbers.
    computeDType: () => 'float32',
    memory: () => ({ limit: HEAP_LIMIT, used: tf.memory().numBytes }),
  };
}

/** Running out of memory ends in an abort of the module, in a failed allocation or in an array that cannot be made. */
function toGlmError(error: unknown): GlmError {
  const detail = error instanceof Error ? error.message : String(error);
  const full =
    /abort|OOM|out of memory|memory access out of bounds|allocation failed|offset is out of bounds/i;
  return new GlmError(full.test(detail) ? 'engine.outOfMemory' : 'engine.runFailed', { detail });
}
