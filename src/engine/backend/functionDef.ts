/** TensorFlow's function messages (tensorflow/core/framework/{function,op_def,node_def,attr_value}.proto). */
import { TF_DTYPE } from './native';
import type { Value } from './ops';
import { ProtoWriter } from './protobuf';

/** An attribute of a node; numbers of `type` are `TF_DataType`s. */
export type Attr =
  | { kind: 'type'; value: number }
  | { kind: 'types'; values: readonly number[] }
  | { kind: 'function'; name: string }
  | { kind: 'int'; value: number }
  | { kind: 'float'; value: number }
  | { kind: 'bool'; value: boolean }
  | { kind: 'string'; value: string }
  | { kind: 'shape'; value: readonly number[] }
  | { kind: 'tensor'; dtype: number; shape: readonly number[]; bytes: Uint8Array };

/** `inputs` are argument names, `node:output:index` or `^node` (control). */
export interface NodeDef {
  name: string;
  op: string;
  inputs: string[];
  attrs: Record<string, Attr>;
  /** What it takes and gives, for counting its work. */
  operands: readonly Value[];
  results: readonly Value[];
}

export interface FunctionDefinition {
  name: string;
  nodes: readonly NodeDef[];
  inputs: readonly { name: string; dtype: keyof typeof TF_DTYPE }[];
  /** `reference` is written as a node's input is. */
  outputs: readonly { reference: string; dtype: keyof typeof TF_DTYPE }[];
  /** Nodes that run for their effect. */
  effects: readonly string[];
  /** Compiled into one kernel by XLA wherever it is called. */
  isFused?: boolean;
}

/** Marks a function, and a call of one, for XLA. */
export const MUST_COMPILE = '_XlaMustCompile';

export function encodeFunction(definition: FunctionDefinition): Uint8Array {
  const { name, nodes, inputs, outputs, effects, isFused = false } = definition;
  const signature = new ProtoWriter().bytes(1, name);
  for (const input of inputs) signature.bytes(2, argument(input.name, input.dtype));
  outputs.forEach(({ dtype }, i) => signature.bytes(3, argument(`output${i}`, dtype)));
  // A call of a function with effects must neither be merged with another nor left out.
  signature.bool(17, !isFused);
  effects.forEach((_, i) => signature.bytes(20, `effect${i}`));
  const writer = new ProtoWriter().bytes(1, signature);
  for (const node of nodes) writer.bytes(3, encodeNode(node));
  if (isFused) writer.bytes(5, entry(MUST_COMPILE, encodeAttr({ kind: 'bool', value: true })));
  outputs.forEach(({ reference }, i) => writer.bytes(4, entry(`output${i}`, reference)));
  effects.forEach((node, i) => writer.bytes(6, entry(`effect${i}`, node)));
  return writer.finish();
}

function argument(name: string, dtype: keyof typeof TF_DTYPE): ProtoWriter {
  return new ProtoWriter().bytes(1, name).varint(3, TF_DTYPE[dtype]);
}

/** An entry of a map<string, ...>. */
function entry(key: string, value: string | ProtoWriter): ProtoWriter {
  return new ProtoWriter().bytes(1, key).bytes(2, value);
}

export function encodeNode(node: NodeDef): ProtoWriter {
  const writer = new ProtoWriter().bytes(1, node.name).bytes(2, node.op);
  for (const input of node.inputs) writer.bytes(3, input);
  for (const [name, attr] of Object.entries(node.attrs)) writer.bytes(5, entry(name, encodeAttr(attr)));
  return writer;
}

function encodeShape(shape: readonly number[]): ProtoWriter {
  const writer = new ProtoWriter();
  for (const size of shape) writer.bytes(2, new ProtoWriter().varint(1, size));
  return writer;
}

function encodeAttr(attr: Attr): ProtoWriter {
  const writer = new ProtoWriter();
  switch (attr.kind) {
    case 'string':
      return writer.bytes(2, attr.value);
    case 'int':
      return writer.varint(3, attr.value);
    case 'float':
      return writer.float(4, attr.value);
    case 'bool':
      return writer.bool(5, attr.value);
    case 'type':
      return writer.varint(6, attr.value);
    case 'types':
      return writer.bytes(1, new ProtoWriter().packed(6, attr.values));
    case 'function':
      return writer.bytes(10, new ProtoWriter().bytes(1, attr.name));
    case 'shape':
      return writer.bytes(7, encodeShape(attr.value));
    case 'tensor': {
      const shape = encodeShape(attr.shape);
      return writer.bytes(8, new ProtoWriter().varint(1, attr.dtype).bytes(2, shape).bytes(4, attr.bytes));
    }
  }
}

/**
 * ConfigProto of the context: operations may fall back to another device; a GPU's memory grows as it is needed, up to `limit`
 * megabytes where one is given (the first GPU alone then, as a device of that size).
 */
export function encodeContextConfig(limit: number | null): Uint8Array {
  const gpu = new ProtoWriter().bool(4, true);
  // GPUOptions.experimental.virtual_devices.memory_limit_mb
  if (limit !== null) gpu.bytes(9, new ProtoWriter().bytes(1, new ProtoWriter().float(1, limit)));
  return new ProtoWriter().bytes(6, gpu).bool(7, true).finish();
}
