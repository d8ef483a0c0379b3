/**
 * The order in which the nodes of a program run, and when each value is needed for the last time. Nodes stand in the order they were
 * written, after everything they need, so that order is kept; those that nothing wants are left out.
 */
import type { NodeDef } from '../functionDef';
import type { GraphValue } from '../graphOps';
import { TF_DTYPE } from '../native';
import type { DType, Value } from '../ops';
import { decode, type TensorValues } from './feeds';
import { attrOf, type Kernel } from './kernels';

/** Where an input of a node comes from. */
export type Operand =
  | { kind: 'value'; slot: number }
  | { kind: 'variable'; name: string }
  | { kind: 'numbers'; numbers: number[] };

export interface Step {
  node: NodeDef;
  kernel: Kernel;
  operands: Operand[];
  /** Slot of each result; null where nothing wants it. */
  results: (number | null)[];
  /** Slots that nothing needs after this step. */
  release: number[];
}

/** A constant that is used as a tensor. */
export interface ConstantTensor {
  slot: number;
  shape: readonly number[];
  dtype: DType;
  values: TensorValues;
}

export interface Schedule {
  steps: Step[];
  constants: ConstantTensor[];
  /** Slot of each argument of the program; null where nothing wants it. */
  inputs: (number | null)[];
  outputs: number[];
  slots: number;
}

const DTYPES = new Map<number, DType>(
  Object.entries(TF_DTYPE).map(([name, number]) => [number, name as DType]),
);

/** The dtype with a number of `TF_DataType`. */
export function dtypeOf(number: number): DType {
  return DTYPES.get(number)!;
}

/** Throws where a node has no kernel. */
export function scheduleOf(
  nodes: readonly NodeDef[],
  inputs: readonly GraphValue[],
  outputs: readonly Value[],
  effects: readonly string[],
  kernels: ReadonlyMap<string, Kernel>,
): Schedule {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const wanted = wantedNodes(nodes, byName, outputs, effects, kernels);
  const slots = new SlotTable();
  const constants = new Map<string, ConstantTensor>();
  const operandOf = (reference: string, asNumbers: boolean): Operand => {
    const source = byName.get(nodeOf(reference));
    if (source?.op === 'VarHandleOp')
      return { kind: 'variable', name: attrOf(source.attrs, 'shared_name', 'string').value };
    if (source?.op === 'Const') {
      const { dtype, shape, bytes } = attrOf(source.attrs, 'value', 'tensor');
      const values = decode(bytes, dtypeOf(dtype));
      if (asNumbers) return { kind: 'numbers', numbers: Array.from(values) };
      const slot = slots.of(reference);
      if (!constants.has(reference)) constants.set(reference, { slot, shape, dtype: dtypeOf(dtype), values });
      return { kind: 'value', slot };
    }
    if (asNumbers) throw new Error(`${reference} is not a constant`);
    return { kind: 'value', slot: slots.of(reference) };
  };
  const steps = nodes
    .filter(({ name, op }) => wanted.has(name) && op !== 'Const' && op !== 'VarHandleOp')
    .map((node): Step => {
      const kernel = kernels.get(node.op);
      if (!kernel) throw new Error(`the portable engine has no ${node.op}`);
      const data = node.inputs.filter((input) => !input.startsWith('^'));
      const asNumbers = new Set(kernel.constants?.map((i) => (i < 0 ? data.length + i : i)));
      const operands = data.map((input, i) => operandOf(input, asNumbers.has(i)));
      return { node, kernel, operands, results: [], release: [] };
    });
  const outputSlots = outputs.map((value) => {
    const operand = operandOf((value as GraphValue).reference, false);
    if (operand.kind !== 'value') throw new Error('a variable is not a result');
    return operand.slot;
  });
  // Results get a slot only where something refers to them, which is known by now.
  for (const step of steps)
    step.results = step.node.results.map((_, i) => slots.known(`${step.node.name}:${i}`));
  const kept = new Set([...outputSlots, ...Array.from(constants.values(), ({ slot }) => slot)]);
  releaseEarly(steps, kept);
  return {
    steps,
    constants: [...constants.values()],
    inputs: inputs.map(({ reference }) => slots.known(reference)),
    outputs: outputSlots,
    slots: slots.count,
  };
}

/** Values by how they are referred to: `node:index`, whatever the name of the output is; arguments by their name. */
class SlotTable {
  private readonly slots = new Map<string, number>();

  get count(): number {
    return this.slots.size;
  }

  of(reference: string): number {
    const key = keyOf(reference);
    const slot = this.slots.get(key) ?? this.slots.size;
    this.slots.set(key, slot);
    return slot;
  }

  known(key: string): number | null {
    return this.slots.get(key) ?? null;
  }
}

/** `node:output:index` -> `node:index`. */
function keyOf(reference: string): string {
  const [node, output, index] = reference.split(':');
  if (index === undefined) return node;
  // The outputs of this operation have names of their own.
  return `${node}:${output === 'indices' ? 1 : index}`;
}

function nodeOf(reference: string): string {
  return reference.startsWith('^') ? reference.slice(1) : reference.split(':', 1)[0];
}

/** Nodes that results or effects need. */
function wantedNodes(
  nodes: readonly NodeDef[],
  byName: ReadonlyMap<string, NodeDef>,
  outputs: readonly Value[],
  effects: readonly string[],
  kernels: ReadonlyMap<string, Kernel>,
): Set<string> {
  const always = nodes.filter(({ op }) => kernels.get(op)?.isEffect).map(({ name }) => name);
  const pending = [...effects, ...always, ...outputs.map((value) => nodeOf((value as GraphValue).reference))];
  const wanted = new Set<string>();
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const node = byName.get(name);
    if (!node || wanted.has(name)) continue;
    wanted.add(name);
    pending.push(...node.inputs.map(nodeOf));
  }
  return wanted;
}

/** Notes at each step which values nothing needs after it; those of `kept` stay. */
function releaseEarly(steps: readonly Step[], kept: ReadonlySet<number>): void {
  const seen = new Set(kept);
  for (const step of steps.toReversed()) {
    const used = step.operands.flatMap((operand) => (operand.kind === 'value' ? [operand.slot] : []));
    for (const slot of [...used, ...step.results])
      if (slot !== null && !seen.has(slot)) {
        seen.add(slot);
        step.release.push(slot);
      }
  }
}
