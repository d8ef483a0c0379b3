/** Entry of a worker thread that quantises matrices to NF4 (bundled as `dist/packingWorker.js`). */
import { parentPort } from 'node:worker_threads';
import { toErrorData, type ErrorData } from '../../protocol/errors';
import { readFully } from '../tensorFiles';
import type { TensorEntry } from '../types';
import { packNf4From } from './nf4';
import type { Nf4Matrix } from './types';

export interface PackingJob {
  id: number;
  entry: TensorEntry;
  /** Of the entry's file; it belongs to the whole process. */
  descriptor: number;
  doubleQuant: boolean;
}

export type PackingResult = { id: number } & ({ matrix: Nf4Matrix } | { error: ErrorData });

parentPort?.on('message', ({ id, entry, descriptor, doubleQuant }: PackingJob) => {
  try {
    const source = {
      tensors: new Map([[entry.name, entry]]),
      readSlice: (_name: string, offset: number, target: Uint8Array): void =>
        readFully(descriptor, target, entry.offset + offset, entry.file),
    };
    const matrix = packNf4From(source, entry.name, doubleQuant);
    const { absmax } = matrix;
    const arrays = [
      matrix.codes,
      ...(absmax.kind === 'plain' ? [absmax.values] : [absmax.codes, absmax.scales]),
    ];
    reply(
      { id, matrix },
      arrays.map(({ buffer }) => buffer as ArrayBuffer),
    );
  } catch (error) {
    reply({ id, error: toErrorData(error) });
  }
});

function reply(result: PackingResult, transferred: ArrayBuffer[] = []): void {
  parentPort?.postMessage(result, transferred);
}
