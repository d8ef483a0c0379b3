/** A tensor in a file, for those who bring it into a variable. */
import type { DType } from './ops';

export interface StoredTensor {
  dtype: DType;
  byteLength: number;
  /** The open file it lies in, and where. */
  file: { path: string; descriptor: number; position: number };
  /** Copies bytes from `offset` of the tensor. Throws GlmError. */
  read(offset: number, target: Uint8Array): void;
}

export interface LoadOptions {
  /** The variable will be changed: it needs memory of its own. */
  updated: boolean;
  /** Asked between pieces; throws to give up. */
  giveUp: () => void;
}
