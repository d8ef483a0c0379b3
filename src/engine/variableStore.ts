/** Values of a session's variables, moved to and from the host. */
import { backend } from './backend/backend';
import type { Variable } from './backend/graphBuilder';

export class VariableStore {
  readonly session = backend().openSession();

  /** Assigns a variable from float32 values. */
  async write(variable: Variable, values: Float32Array): Promise<void> {
    await this.session.assign(variable, 'float32', values);
  }

  /** Assigns variables from float32 values, which are asked for one after the other. */
  async writeAll(
    variables: readonly Variable[],
    values: (variable: Variable) => Float32Array,
  ): Promise<void> {
    for (const variable of variables) await this.write(variable, values(variable));
  }

  /** The values of a variable, widened to float32. */
  async read(variable: Variable): Promise<Float32Array> {
    return this.session.read(variable);
  }

  /** The values of variables, widened to float32. */
  async readAll(variables: readonly Variable[]): Promise<[Variable, Float32Array][]> {
    const result: [Variable, Float32Array][] = [];
    for (const variable of variables) result.push([variable, await this.read(variable)]);
    return result;
  }

  async close(): Promise<void> {
    await this.session.close();
  }
}
