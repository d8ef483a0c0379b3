/** The work of a node, from shapes alone: floating-point operations of matrix products, bytes that have to move. */
import type { NodeDef } from '../backend/functionDef';
import { sizeOf, type DType, type Value } from '../backend/ops';

export interface Work {
  flops: number;
  /** What they are computed in. */
  dtype: DType;
  bytes: number;
}

const DTYPE_BYTES: Record<DType, number> = {
  float32: 4,
  bfloat16: 2,
  float16: 2,
  int32: 4,
  bool: 1,
  uint8: 1,
  int8: 1,
  uint16: 2,
};

/** Nodes that only pass on or name what is there. */
const FREE = new Set([
  'Const',
  'Identity',
  'Reshape',
  'VarHandleOp',
  'ReadVariableOp',
  'DestroyResourceOp',
  'Bitcast',
]);

/** Reads of a table touch the rows that are asked for, not the table. */
const GATHERS = new Set(['GatherV2', 'GatherNd', 'Slice', 'ResourceGather']);

/** Updates of variables: how often the bytes of the value (the last operand) move. A variable takes over a value it is assigned. */
const UPDATES: Record<string, number> = {
  AssignVariableOp: 0,
  AssignAddVariableOp: 3,
  ResourceApplyGradientDescent: 3,
  ResourceApplyAdam: 7,
};

export function workOf(node: NodeDef): Work {
  if (!isProduct(node.op)) return { flops: 0, dtype: 'float32', bytes: bytesOf(node) };
  return { flops: productFlops(node), dtype: node.operands[0].dtype, bytes: bytesOf(node) };
}

export function isProduct(op: string): boolean {
  return op === 'MatMul' || op === 'BatchMatMulV2';
}

/** 2·m·n·k for each product of a batch. */
function productFlops({ op, attrs, operands: [a], results: [c] }: NodeDef): number {
  const transposed = attrs[op === 'MatMul' ? 'transpose_a' : 'adj_x'];
  const isTransposed = transposed?.kind === 'bool' && transposed.value;
  const inner = a.shape[a.shape.length - (isTransposed ? 2 : 1)];
  return 2 * sizeOf(c.shape) * inner;
}

function bytesOf({ op, operands, results }: NodeDef): number {
  if (FREE.has(op)) return 0;
  if (op in UPDATES) return UPDATES[op] * valueBytes(operands[operands.length - 1]);
  const written = total(results);
  if (GATHERS.has(op)) return 2 * written;
  return total(operands) + written;
}

function total(values: readonly Value[]): number {
  return values.reduce((sum, value) => sum + valueBytes(value), 0);
}

export function valueBytes({ shape, dtype }: Value): number {
  return sizeOf(shape) * DTYPE_BYTES[dtype];
}
