/** What the library noted of a traced run (tensorflow/core/framework/step_stats.proto). */
import { readFields, readSigned, readText } from './protobufReader';

/** Memory that a node asked for (bytes above 0) or that was given back (below 0). */
export interface AllocationRecord {
  /** Microseconds, on the clock of `NodeRun.start`. */
  at: number;
  bytes: number;
}

/** One execution of one node. */
export interface NodeRun {
  /** As `/job:localhost/replica:0/task:0/device:CPU:0`; streams of a GPU are devices of their own. */
  device: string;
  /** Name of the node in its function. */
  node: string;
  /** The operation that ran, which the library may have put in place of the one in the function; '' where it does not say. */
  op: string;
  /** Microseconds since the first node of the run began. */
  start: number;
  end: number;
  allocations: AllocationRecord[];
}

/** Decodes a `RunMetadata` message. Throws RangeError where it is damaged. */
export function decodeRunMetadata(message: Uint8Array): NodeRun[] {
  const runs: RawRun[] = [];
  for (const metadata of readFields(message)) {
    if (metadata.field !== 1) continue;
    for (const stepStats of readFields(metadata.bytes)) {
      if (stepStats.field === 1) runs.push(...decodeDevice(stepStats.bytes));
    }
  }
  const first = runs.reduce<bigint | null>(
    (least, { startNanos }) => (least === null || startNanos < least ? startNanos : least),
    null,
  );
  return runs.map((run) => relativeTo(first ?? 0n, run));
}

/** Times since the epoch, which are beyond what a number holds exactly. */
interface RawRun {
  device: string;
  node: string;
  label: string;
  startNanos: bigint;
  endNanos: bigint;
  allocations: { micros: bigint; bytes: bigint }[];
}

function relativeTo(
  first: bigint,
  { device, node, label, startNanos, endNanos, allocations }: RawRun,
): NodeRun {
  return {
    device,
    node,
    op: operationOf(label),
    start: Number(startNanos - first) / 1000,
    end: Number(endNanos - first) / 1000,
    allocations: allocations.map(({ micros, bytes }) => ({
      at: Number(micros - first / 1000n),
      bytes: Number(bytes),
    })),
  };
}

/** Labels read `[cpu 4.0MB 4.0MB] name = Operation(input, ...)`. */
function operationOf(label: string): string {
  return / = (\w+)\(/.exec(label)?.[1] ?? '';
}

function decodeDevice(message: Uint8Array): RawRun[] {
  let device = '';
  const runs: RawRun[] = [];
  for (const field of readFields(message)) {
    if (field.field === 1) device = readText(field);
    else if (field.field === 2) runs.push(decodeNode(field.bytes));
  }
  return runs.map((run) => ({ ...run, device }));
}

function decodeNode(message: Uint8Array): RawRun {
  const run: RawRun = { device: '', node: '', label: '', startNanos: 0n, endNanos: 0n, allocations: [] };
  // Older fields count microseconds, newer ones nanoseconds; not every device fills in both.
  const micros = { all: 0n, opStart: 0n, opEnd: 0n };
  const nanos = { all: 0n, opStart: 0n, opEnd: 0n };
  for (const field of readFields(message)) {
    const { integer } = field;
    if (field.field === 1) run.node = readText(field);
    else if (field.field === 2) micros.all = integer;
    else if (field.field === 3) micros.opStart = integer;
    else if (field.field === 4) micros.opEnd = integer;
    else if (field.field === 6) run.allocations.push(...decodeMemory(field.bytes));
    else if (field.field === 8) run.label = readText(field);
    else if (field.field === 13) nanos.all = integer;
    else if (field.field === 14) nanos.opStart = integer;
    else if (field.field === 15) nanos.opEnd = integer;
  }
  const all = nanos.all || micros.all * 1000n;
  run.startNanos = all + (nanos.opStart || micros.opStart * 1000n);
  run.endNanos = all + (nanos.opEnd || micros.opEnd * 1000n);
  return run;
}

/** `AllocatorMemoryUsed`: every allocation and release that the node was the cause of. */
function decodeMemory(message: Uint8Array): { micros: bigint; bytes: bigint }[] {
  const records: { micros: bigint; bytes: bigint }[] = [];
  for (const used of readFields(message)) {
    if (used.field !== 6) continue;
    const record = { micros: 0n, bytes: 0n };
    for (const field of readFields(used.bytes)) {
      if (field.field === 1) record.micros = readSigned(field);
      else if (field.field === 2) record.bytes = readSigned(field);
    }
    records.push(record);
  }
  return records;
}
