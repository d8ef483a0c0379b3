/** tfjs on libtensorflow: the backend and kernels of `@tensorflow/tfjs-node-gpu`. Loaded only when it is asked for. */
import './shim';
import type * as Tfjs from '@tensorflow/tfjs';
import { createTfjsBinding } from './tfjsBinding';

export type { Tfjs };

let opened: Promise<typeof Tfjs> | undefined;

/** tfjs with the backend `tensorflow` active. Needs an open engine. */
export function openTfjs(): Promise<typeof Tfjs> {
  opened ??= open();
  return opened;
}

async function open(): Promise<typeof Tfjs> {
  const tf = await import('@tensorflow/tfjs');
  await import('@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js');
  const { NodeJSKernelBackend } = await import('@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js');
  const backend = new NodeJSKernelBackend(createTfjsBinding(), '@tensorflow/tfjs-node-gpu');
  tf.registerBackend('tensorflow', () => backend, 3);
  await tf.setBackend('tensorflow');
  return tf;
}

export async function tfjsVersion(): Promise<string> {
  const tf = await openTfjs();
  return `${tf.getBackend()} ${tf.version['tfjs-core']}`;
}
