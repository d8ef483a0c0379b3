/** Many small float32 tensors in one variable: one optimiser update and one gradient instead of hundreds. */
import { elements } from '../../checkpoint/modelTensors';
import type { GraphBuilder, Variable } from '../backend/graphBuilder';
import type { Value } from '../backend/ops';

/** A tensor inside a flat variable; `name` is the one it has in files. */
export interface FlatPart {
  name: string;
  shape: readonly number[];
}

export interface FlatGroup {
  /** float32 [total] */
  variable: Variable;
  parts: readonly FlatPart[];
  /** Weight decay applies to it: matrices, not biases and magnitudes. */
  isMatrix: boolean;
  /** Factor of the run's learning rate (LoRA+). */
  lrFactor: number;
}

export function flatGroup(
  name: string,
  parts: readonly FlatPart[],
  options: { isMatrix: boolean; lrFactor?: number },
): FlatGroup {
  const total = parts.reduce((sum, { shape }) => sum + elements(shape), 0);
  const variable: Variable = { name, shape: [total], dtype: 'float32' };
  return { variable, parts, isMatrix: options.isMatrix, lrFactor: options.lrFactor ?? 1 };
}

/** The parts of a group by name, each in its shape. */
export function readParts(graph: GraphBuilder, { variable, parts }: FlatGroup): Map<string, Value> {
  const flat = graph.split(
    graph.read(variable),
    parts.map(({ shape }) => elements(shape)),
    0,
  );
  return new Map(parts.map(({ name, shape }, i) => [name, graph.reshape(flat[i], shape)]));
}

/** The values of a group's parts as views of its flat values. */
export function viewParts({ parts }: FlatGroup, flat: Float32Array): Map<string, Float32Array> {
  const views = new Map<string, Float32Array>();
  let offset = 0;
  for (const { name, shape } of parts) {
    const end = offset + elements(shape);
    views.set(name, flat.subarray(offset, end));
    offset = end;
  }
  return views;
}

/** The flat values of a group from those of its parts. */
export function joinParts(
  { variable, parts }: FlatGroup,
  values: (part: FlatPart) => Float32Array,
): Float32Array {
  const flat = new Float32Array(variable.shape[0]);
  let offset = 0;
  for (const part of parts) {
    const value = values(part);
    if (value.length !== elements(part.shape)) throw new Error(`${part.name} has ${value.length} values`);
    flat.set(value, offset);
    offset += value.length;
  }
  return flat;
}
