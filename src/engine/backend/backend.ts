/** What computes in this process: libtensorflow, or the portable engine where there is no libtensorflow. */
import type { ComputeDType } from '../types';
import { libtensorflow } from './libtensorflow';
import type { Session } from './session';
import type { Tfjs } from './tfjs';

export interface Backend {
  readonly kind: 'libtensorflow' | 'portable';
  openSession(): Session;
  /** Type and name of every device. */
  devices(): { type: string; name: string }[];
  /** The formats weights may lie in. */
  readonly dtypes: readonly ComputeDType[];
  /** The format of the arithmetic where weights lie in `dtype`, one of `dtypes`. */
  computesIn(dtype: ComputeDType): ComputeDType;
  /** Threads it computes with. */
  readonly threads: number;
  /** Versions of what it computes with, by name. */
  versions(): { libtensorflow?: string; tfjs?: string };
  /** Name of tfjs's backend, and version of tfjs. */
  tfjsVersion(): Promise<string>;
  /** Calls f with tfjs on a backend that the results of programs can be compared with. */
  withEagerTfjs<T>(f: (tf: typeof Tfjs) => T): Promise<T>;
  /** Bytes that tensors may take and take now; null where nothing but the machine's memory limits them. */
  memory(): { limit: number; used: number } | null;
}

let active: Backend = libtensorflow;

/** libtensorflow, unless another one was chosen. */
export function backend(): Backend {
  return active;
}

/** The format of weights that are not trained, where `dtype` is asked for. */
export function storedDType(dtype: ComputeDType): ComputeDType {
  return active.dtypes.includes(dtype) ? dtype : 'float32';
}

/** The format of activations and products, where `dtype` is asked for. */
export function computeDType(dtype: ComputeDType): ComputeDType {
  return active.computesIn(storedDType(dtype));
}

/** Chooses what computes; before anything is computed. */
export function useBackend(chosen: Backend): void {
  active = chosen;
}
