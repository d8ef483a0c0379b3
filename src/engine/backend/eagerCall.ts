/** Calls of single operations and of functions. */
import { promisify } from 'node:util';
import { eagerContext } from './context';
import type { Attr } from './functionDef';
import { checked, native, throwOnError, type Pointer } from './native';

export interface EagerCall {
  /** Name of an operation or a function. */
  op: string;
  inputs: readonly Pointer[];
  attrs?: Readonly<Record<string, Attr>>;
  outputs: number;
}

/** Runs it on this thread; for what takes no time. The caller owns the handles on both sides. */
export function callNow(call: EagerCall): Pointer[] {
  const op = newOp(call);
  try {
    const results = new Array<Pointer>(call.outputs).fill(null);
    checked((status) => native().execute(op, results, [call.outputs], status));
    return results;
  } finally {
    native().deleteOp(op);
  }
}

/** Runs it off the JavaScript thread. The caller owns the handles on both sides. */
export async function callAside(call: EagerCall): Promise<Pointer[]> {
  const api = native();
  const op = newOp(call);
  const status = api.newStatus();
  try {
    const results = new Array<Pointer>(call.outputs).fill(null);
    const execute = promisify<unknown[], unknown>(api.execute.async) as (
      ...args: unknown[]
    ) => Promise<unknown>;
    await execute(op, results, [call.outputs], status);
    throwOnError(status);
    return results;
  } finally {
    api.deleteOp(op);
    api.deleteStatus(status);
  }
}

function newOp({ op: name, inputs, attrs = {} }: EagerCall): Pointer {
  const api = native();
  const op = checked((status) => api.newOp(eagerContext(), name, status));
  try {
    for (const input of inputs) checked((status) => api.addInput(op, input, status));
    for (const [attr, value] of Object.entries(attrs)) setAttr(op, attr, value);
    return op;
  } catch (error) {
    api.deleteOp(op);
    throw error;
  }
}

function setAttr(op: Pointer, name: string, attr: Attr): void {
  const api = native();
  switch (attr.kind) {
    case 'type':
      return void api.setAttrType(op, name, attr.value);
    case 'string': {
      const bytes = Buffer.from(attr.value);
      return void api.setAttrString(op, name, bytes, bytes.length);
    }
    case 'shape': {
      const dims = BigInt64Array.from(attr.value, BigInt);
      return void checked((status) => api.setAttrShape(op, name, dims, dims.length, status));
    }
  }
  throw new Error(`attribute ${name} has type ${attr.kind}, which is not set here`);
}
