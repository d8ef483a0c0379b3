/** Names of the outputs of the operations that are emitted, as TensorFlow's op registry has them: functions refer to them. */

const BY_OUTPUT: Record<string, string> = {
  output:
    'Const BatchMatMulV2 BiasAdd Sum Mean Max ArgMax Reshape Slice SplitV ConcatV2 GatherV2 GatherNd UnsortedSegmentSum ' +
    'All SelectV2 StatelessRandomUniform Identity Fill PartitionedCall',
  product: 'MatMul',
  z: 'AddV2 Sub Mul RealDiv LessEqual Equal LogicalAnd',
  y: 'Neg Sign IsFinite Exp Log Sqrt Rsqrt Square Sigmoid Tanh Cos Sin Transpose Cast',
  softmax: 'Softmax',
  resource: 'VarHandleOp',
  value: 'ReadVariableOp',
};

const OUTPUT = new Map(
  Object.entries(BY_OUTPUT).flatMap(([output, ops]) => ops.split(' ').map((op) => [op, output] as const)),
);

/** How a function body refers to output `index` of a node. */
export function outputReference(op: string, node: string, index: number): string {
  // The only operation used whose outputs have names of their own.
  if (op === 'TopKV2') return `${node}:${index === 0 ? 'values' : 'indices'}:0`;
  const output = OUTPUT.get(op);
  if (!output) throw new Error(`the output of ${op} has no name here`);
  return `${node}:${output}:${index}`;
}
