/**
 * tfjs on WebAssembly: a bundle of its own (`dist/tfjsWasm.js`), loaded where libtensorflow cannot be had. One thread: the package's
 * threads do not start in Node (tfjs#3830).
 */
import * as tfjs from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-cpu';
import { setWasmPaths, type BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import path from 'node:path';
import type { Tfjs } from '../tfjs';
import { registerMatMul } from './matMul';

/**
 * tfjs with the backend `wasm` active and `cpu` beside it; `directory` holds the package's .wasm files. Throws where they cannot be
 * loaded.
 */
export async function openTfjsWasm(directory: string): Promise<typeof Tfjs> {
  const tf = tfjs;
  // Without it tfjs recommends its other packages on standard error.
  tf.enableProdMode();
  setWasmPaths(path.join(directory, path.sep));
  if (!(await tf.setBackend('wasm'))) throw new Error(`tfjs could not start WebAssembly from ${directory}`);
  const wasm = tf.backend() as unknown as BackendWasm;
  registerMatMul(tf, wasm);
  return tf;
}
