/** TensorFlow's graph message (tensorflow/core/framework/graph.proto), for sessions that are traced. */
import { encodeNode, type Attr, type NodeDef } from './functionDef';
import { TF_DTYPE } from './native';
import type { DType } from './ops';
import { ProtoWriter } from './protobuf';

/** Version of graphs that this library writes and reads (tensorflow/core/public/version.h). */
const PRODUCER = 1882;
const MIN_CONSUMER = 12;

/** A function as a graph calls it. */
export interface FunctionCall {
  function: string;
  inputs: readonly DType[];
  outputs: readonly DType[];
}

/** Names by which a run feeds and fetches the call of a function. */
export function callNames({ function: name, inputs, outputs }: FunctionCall): {
  feeds: string[];
  fetches: string[];
  node: string;
} {
  const node = `${name}/call`;
  return {
    feeds: inputs.map((_, i) => `${name}/input${i}`),
    fetches: outputs.map((_, i) => `${node}:${i}`),
    node,
  };
}

/** A graph that does nothing but call a function; `functions` are new ones that it needs. */
export function encodeCallGraph(call: FunctionCall, functions: readonly Uint8Array[]): Uint8Array {
  const { feeds, node } = callNames(call);
  const types = (dtypes: readonly DType[]): Attr => ({
    kind: 'types',
    values: dtypes.map((dtype) => TF_DTYPE[dtype]),
  });
  const writer = new ProtoWriter();
  feeds.forEach((name, i) => {
    const dtype: Attr = { kind: 'type', value: TF_DTYPE[call.inputs[i]] };
    writer.bytes(1, encodeNode(plainNode(name, 'Placeholder', [], { dtype })));
  });
  const attrs: Record<string, Attr> = {
    Tin: types(call.inputs),
    Tout: types(call.outputs),
    f: { kind: 'function', name: call.function },
  };
  writer.bytes(1, encodeNode(plainNode(node, 'StatefulPartitionedCall', feeds, attrs)));
  const library = new ProtoWriter();
  for (const definition of functions) library.bytes(1, definition);
  const versions = new ProtoWriter().varint(1, PRODUCER).varint(2, MIN_CONSUMER);
  return writer.bytes(2, library).bytes(4, versions).finish();
}

function plainNode(name: string, op: string, inputs: string[], attrs: Record<string, Attr>): NodeDef {
  return { name, op, inputs, attrs, operands: [], results: [] };
}

/** `RunOptions` that ask for everything the library can note. */
export function encodeTraceOptions(): Uint8Array {
  const FULL_TRACE = 3;
  return new ProtoWriter().varint(1, FULL_TRACE).finish();
}
