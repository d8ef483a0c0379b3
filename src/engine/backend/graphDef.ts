/** TensorFlow's GraphDef messages (tensorflow/core/framework/{graph,node_def,attr_value,tensor}.proto). */
import { ProtoWriter } from './protobuf';

/** An attribute of a node; numbers of `type` are `TF_DataType`s. */
export type Attr =
  | { kind: 'type'; value: number }
  | { kind: 'int'; value: number }
  | { kind: 'float'; value: number }
  | { kind: 'bool'; value: boolean }
  | { kind: 'string'; value: string }
  | { kind: 'shape'; value: readonly number[] }
  | { kind: 'types'; value: readonly number[] }
  | { kind: 'ints'; value: readonly number[] }
  | { kind: 'tensor'; dtype: number; shape: readonly number[]; bytes: Uint8Array };

/** `inputs` are `node`, `node:output` or `^node` (control). */
export interface NodeDef {
  name: string;
  op: string;
  inputs: string[];
  attrs: Record<string, Attr>;
}

/** Graph version of TensorFlow 2.21: it decides which attribute defaults are filled in on import. */
const PRODUCER = 1882;
const MIN_CONSUMER = 12;

export function encodeGraphDef(nodes: readonly NodeDef[]): Uint8Array {
  const graph = new ProtoWriter();
  for (const node of nodes) graph.bytes(1, encodeNode(node));
  return graph.bytes(4, new ProtoWriter().varint(1, PRODUCER).varint(2, MIN_CONSUMER)).finish();
}

function encodeNode(node: NodeDef): ProtoWriter {
  const writer = new ProtoWriter().bytes(1, node.name).bytes(2, node.op);
  for (const input of node.inputs) writer.bytes(3, input);
  for (const [name, attr] of Object.entries(node.attrs))
    writer.bytes(5, new ProtoWriter().bytes(1, name).bytes(2, encodeAttr(attr)));
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
    case 'shape':
      return writer.bytes(7, encodeShape(attr.value));
    case 'tensor':
      return writer.bytes(
        8,
        new ProtoWriter().varint(1, attr.dtype).bytes(2, encodeShape(attr.shape)).bytes(4, attr.bytes),
      );
    case 'types':
      return writer.bytes(1, new ProtoWriter().packed(6, attr.value));
    case 'ints':
      return writer.bytes(1, new ProtoWriter().packed(3, attr.value));
  }
}

/** ConfigProto: `threads` 0 leaves the choice to the library; GPU memory grows as it is needed. */
export function encodeSessionConfig(threads: number): Uint8Array {
  const config = new ProtoWriter();
  if (threads > 0) config.varint(2, threads).varint(5, threads);
  return config.bytes(6, new ProtoWriter().bool(4, true)).bool(7, true).finish();
}
