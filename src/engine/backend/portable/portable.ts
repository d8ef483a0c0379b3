/** The portable engine: tfjs on WebAssembly, for small models where libtensorflow cannot be had. */
import { GlmError } from '../../../protocol/errors';
import type { Backend } from '../backend';
import type { Tfjs } from '../tfjs';
import { createKernels } from './kernels';
import { PortableSession, type PortableRuntime } from './session';

/** Memory of 32-bit WebAssembly, less what its runtime takes itself. */
const HEAP_LIMIT = 4 * 2 ** 30 - 64 * 2 ** 20;

/** `tf` has the backend that is to compute active, and the backend `cpu` registered. */
export function portableBackend(tf: typeof Tfjs): Backend {
  /** Plain JavaScript: another implementation of every operation. */
  const withEagerTfjs = async <T>(f: (eager: typeof Tfjs) => T): Promise<T> => {
    const used = tf.getBackend();
    await tf.setBackend('cpu');
    try {
      return f(tf);
    } finally {
      await tf.setBackend(used);
    }
  };
  const version = `${tf.getBackend()} ${tf.version['tfjs-core']}`;
  const runtime: PortableRuntime = { tf, kernels: createKernels(tf), toGlmError };
  return {
    kind: 'portable',
    openSession: () => new PortableSession(runtime),
    devices: () => [{ type: 'WebAssembly', name: '' }],
    // tfjs has no narrower numbers.
    dtypes: ['float32'],
    computesIn: () => 'float32',
    threads: 1,
    versions: () => ({ tfjs: version }),
    tfjsVersion: () => Promise.resolve(version),
    withEagerTfjs,
    memory: () => ({ limit: HEAP_LIMIT, used: tf.memory().numBytes }),
  };
}

/** Running out of memory ends in an abort of the module, in a failed allocation or in an array that cannot be made. */
function toGlmError(error: unknown): GlmError {
  const detail = error instanceof Error ? error.message : String(error);
  const full =
    /abort|OOM|out of memory|memory access out of bounds|allocation failed|offset is out of bounds|invalid (typed )?array length/i;
  return new GlmError(full.test(detail) ? 'engine.outOfMemory' : 'engine.runFailed', { detail });
}
