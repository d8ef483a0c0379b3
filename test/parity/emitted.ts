/** Every operation that the engine puts into its programs: a backend that takes notes, and work that reaches all of the engine. */
import type { Attr, NodeDef } from '../../src/engine/backend/functionDef';
import { useBackend } from '../../src/engine/backend/backend';
import type { GraphBuilder } from '../../src/engine/backend/graphBuilder';
import { libtensorflow } from '../../src/engine/backend/libtensorflow';
import { TF_DTYPE } from '../../src/engine/backend/native';
import { readFields, readText } from '../../src/engine/backend/protobufReader';
import { NativeSession, type Program, type ProgramDefinition } from '../../src/engine/backend/session';

/** An operation with the types it was asked for, such as `T: float32`. */
export interface Emitted {
  op: string;
  types: Record<string, string>;
  /** A scope and node it was seen in. */
  where: string;
}

const TYPE_NAMES = new Map<number, string>(Object.entries(TF_DTYPE).map(([name, type]) => [type, name]));

/** Makes every session note what is compiled in it; 16 bits are computed in 16 bits, as on a GPU. */
export function recordEmitted(): Map<string, Emitted> {
  const emitted = new Map<string, Emitted>();
  const note = (op: string, types: Record<string, string>, where: string): void => {
    const key = `${op} ${JSON.stringify(Object.entries(types).sort())}`;
    if (!emitted.has(key)) emitted.set(key, { op, types, where });
  };
  useBackend({
    ...libtensorflow,
    computesIn: (dtype) => dtype,
    openSession: () => new RecordingSession(note),
  });
  return emitted;
}

class RecordingSession extends NativeSession {
  constructor(private readonly note: (op: string, types: Record<string, string>, where: string) => void) {
    super();
  }

  override compile(build: (graph: GraphBuilder) => ProgramDefinition): Program {
    return super.compile((graph) => {
      const definition = build(graph);
      for (const node of graph.nodes) this.note(node.op, typesOf(node), node.name);
      for (const [name, body] of graph.fused)
        for (const { op, types } of bodyNodes(body)) this.note(op, types, name);
      return definition;
    });
  }
}

function typesOf({ attrs }: NodeDef): Record<string, string> {
  const types = Object.entries(attrs).filter(
    (entry): entry is [string, Attr & { kind: 'type' }] => entry[1].kind === 'type',
  );
  return Object.fromEntries(types.map(([name, { value }]) => [name, TYPE_NAMES.get(value)!]));
}

/** The nodes of an encoded function: where there is no XLA they run one by one. */
function bodyNodes(definition: Uint8Array): { op: string; types: Record<string, string> }[] {
  return [...readFields(definition)]
    .filter(({ field }) => field === 3)
    .map(({ bytes }) => {
      let op = '';
      const types: Record<string, string> = {};
      for (const part of readFields(bytes)) {
        if (part.field === 2) op = readText(part);
        if (part.field !== 5) continue;
        const [key, value] = [...readFields(part.bytes)];
        for (const attr of readFields(value.bytes))
          if (attr.field === 6) types[readText(key)] = TYPE_NAMES.get(Number(attr.integer))!;
      }
      return { op, types };
    });
}
