/** The variables of a session. */
import type { Tensor } from '@tensorflow/tfjs';
import { GlmError } from '../../../protocol/errors';
import type { Tfjs } from '../tfjs';

export class VariableTensors {
  private readonly tensors = new Map<string, Tensor>();

  constructor(private readonly tf: typeof Tfjs) {}

  /** Throws `engine.runFailed` where nothing was assigned to it. */
  get(name: string): Tensor {
    const tensor = this.tensors.get(name);
    if (!tensor) throw new GlmError('engine.runFailed', { detail: `the variable ${name} has no value` });
    return tensor;
  }

  /** Values that are read already are not changed: tensors never are. */
  set(name: string, value: Tensor): void {
    const old = this.tensors.get(name);
    this.tensors.set(name, this.tf.keep(value.clone()));
    old?.dispose();
  }

  delete(name: string): void {
    this.tensors.get(name)?.dispose();
    this.tensors.delete(name);
  }

  clear(): void {
    for (const name of [...this.tensors.keys()]) this.delete(name);
  }
}
