import type { Ops, Value } from '../backend/ops';

/** Rows of a table [vocab, hidden] by ids int32 [b, t] -> the residual stream's start, float32 [b·t, hidden]. */
export function embedTokens(ops: Ops, table: Value, ids: Value): Value {
  const [batch, length] = ids.shape;
  const [, hidden] = table.shape;
  return ops.cast(ops.reshape(ops.gather(table, ids), [batch * length, hidden]), 'float32');
}
