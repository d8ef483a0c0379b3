/** What computes in this process: libtensorflow, or the portable engine where there is no libtensorflow. */
import type { ComputeDType } from '../types';
import { libtensorflow } from './libtensorflow';
import type { DType } from './ops';
import type { Session } from './session';
import type { StagedTensor } from './tensor';

export interface Backend {
  readonly kind: 'libtensorflow' | 'portable';
  openSession(): Session;
  /** A tensor to be filled and fed to a program; uninitialised. */
  stage(shape: readonly number[], dtype: DType): StagedTensor;
  /** Type and name of every device. */
  devices(): { type: string; name: string }[];
  /** What is computed in where `dtype` is asked for. */
  computeDType(dtype: ComputeDType): ComputeDType;
  /** Bytes that tensors may take and take now; null where nothing but the machine's memory limits them. */
  memory(): { limit: number; used: number } | null;
}

let active: Backend = libtensorflow;

/** libtensorflow, unless another one was chosen. */
export function backend(): Backend {
  return active;
}

/** Chooses what computes; before anything is computed. */
export function useBackend(chosen: Backend): void {
  active = chosen;
}
