import type { MemoryPlan } from '../../protocol/events';
import type { Translate } from '../../text/translate';
import { formatBytes } from '../format';

/** A memory plan as one line. */
export function memoryLine(t: Translate, plan: MemoryPlan): string {
  const { weights, gradients, optimizer, activations, overhead, total, available } = plan;
  return t(
    'Memory: about {total} of {available} (weights {weights}, gradients {gradients}, optimiser {optimizer}, activations {activations}, process {overhead})',
    {
      total: formatBytes(total),
      available: formatBytes(available),
      weights: formatBytes(weights),
      gradients: formatBytes(gradients),
      optimizer: formatBytes(optimizer),
      activations: formatBytes(activations),
      overhead: formatBytes(overhead),
    },
  );
}
