/** The portable engine's memory is 4 GiB, whatever the machine has: what cannot fit is refused before it is read. */
import { elements } from '../checkpoint/modelTensors';
import { structureOf } from '../checkpoint/structure';
import type { ModelConfig } from '../checkpoint/types';
import { GlmError } from '../protocol/errors';
import { backend } from './backend/backend';

const DENSE_BYTES = 4;
/** Two codes of 4 bits stand in an int32 there, scales beside them. */
const PACKED_BYTES = 2.1;

/** Bytes of a model's parameters there; `packed` has those that stay packed. */
export function portableBytes(config: ModelConfig, packed: { has(name: string): boolean }): number {
  return structureOf(config).tensors.reduce(
    (sum, { name, shape }) => sum + elements(shape) * (packed.has(name) ? PACKED_BYTES : DENSE_BYTES),
    0,
  );
}

/** Throws `engine.portableTooLarge` where the engine that computes cannot hold so many bytes. */
export function requireHeap(path: string, bytes: number): void {
  const heap = backend().memory();
  if (!heap || bytes <= heap.limit) return;
  const gigabytes = (n: number): number => Number((n / 1e9).toFixed(1));
  throw new GlmError('engine.portableTooLarge', {
    path,
    needed: gigabytes(bytes),
    limit: gigabytes(heap.limit),
  });
}
