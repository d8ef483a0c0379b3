/**
 * The native side of `@tensorflow/tfjs-node-gpu` (its `TFJSBinding`) over libtensorflow's eager C API. It replaces the package's
 * compiled addon, which is not in its tarball; the package's backend and kernels run on it unchanged. Dense tensors only: string
 * tensors and SavedModels are not used here.
 */
import type { TFJSBinding, TFEOpAttr, TensorMetadata } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding';
import { GlmError } from '../../protocol/errors';
import { devices, eagerContext } from './context';
import { checked, native, TF_DTYPE, type Pointer } from './native';

/** Numbers of `TF_AttrType`. */
const ATTR = { string: 0, int: 1, float: 2, bool: 3, type: 4, shape: 5, resource: 9 } as const;

type Numbers = Float32Array | Int32Array | Uint8Array | BigInt64Array;

export function createTfjsBinding(): TFJSBinding {
  return new EagerBinding() as unknown as TFJSBinding;
}

class EagerBinding {
  readonly TF_FLOAT = TF_DTYPE.float32;
  readonly TF_INT32 = TF_DTYPE.int32;
  readonly TF_INT64 = TF_DTYPE.int64;
  readonly TF_BOOL = TF_DTYPE.bool;
  readonly TF_COMPLEX64 = TF_DTYPE.complex64;
  readonly TF_STRING = TF_DTYPE.string;
  readonly TF_RESOURCE = TF_DTYPE.resource;
  readonly TF_UINT8 = TF_DTYPE.uint8;
  readonly TF_ATTR_STRING = ATTR.string;
  readonly TF_ATTR_INT = ATTR.int;
  readonly TF_ATTR_FLOAT = ATTR.float;
  readonly TF_ATTR_BOOL = ATTR.bool;
  readonly TF_ATTR_TYPE = ATTR.type;
  readonly TF_ATTR_SHAPE = ATTR.shape;
  readonly TF_ATTR_RESOURCE = ATTR.resource;
  readonly TF_Version = native().version() as string;
  private readonly context = eagerContext();
  private readonly handles = new Map<number, Pointer>();
  private nextId = 1;

  createTensor(shape: number[], dtype: number, values: ArrayLike<number> | Numbers): number {
    const api = native();
    const array = toArray(dtype, values);
    const dims = BigInt64Array.from(shape, BigInt);
    const tensor = api.allocateTensor(dtype, dims, dims.length, array.byteLength);
    if (!tensor) throw new GlmError('engine.outOfMemory', { detail: `${array.byteLength} bytes` });
    if (array.byteLength > 0) api.memcpy(api.tensorData(tensor), array, array.byteLength);
    const handle = checked((status) => api.newHandle(tensor, status));
    api.deleteTensor(tensor);
    return this.keep(handle);
  }

  private keep(handle: Pointer): number {
    this.handles.set(this.nextId, handle);
    return this.nextId++;
  }

  private handle(id: number): Pointer {
    const handle = this.handles.get(id);
    if (!handle) throw new Error(`tensor ${id} is gone`);
    return handle;
  }

  deleteTensor(id: number): void {
    native().deleteHandle(this.handle(id));
    this.handles.delete(id);
  }

  tensorDataSync(id: number): Numbers {
    const api = native();
    const tensor = checked((status) => api.resolveHandle(this.handle(id), status));
    const bytes = Number(api.tensorByteSize(tensor));
    const array = newArray(api.handleType(this.handle(id)) as number, bytes);
    if (bytes > 0) api.memcpy(array, api.tensorData(tensor), bytes);
    api.deleteTensor(tensor);
    return array;
  }

  executeOp(name: string, attrs: TFEOpAttr[], inputIds: number[], outputCount: number): TensorMetadata[] {
    const api = native();
    const op = checked((status) => api.newOp(this.context, name, status));
    try {
      for (const id of inputIds) checked((status) => api.addInput(op, this.handle(id), status));
      for (const attr of attrs) setAttr(op, attr);
      const results = new Array<Pointer>(outputCount).fill(null);
      const count = [outputCount];
      checked((status) => api.execute(op, results, count, status));
      return results.slice(0, count[0]).map((handle) => this.describe(handle));
    } finally {
      api.deleteOp(op);
    }
  }

  private describe(handle: Pointer): TensorMetadata {
    const api = native();
    const rank = checked((status) => api.handleRank(handle, status)) as number;
    const shape = Array.from({ length: rank }, (_, i) =>
      Number(checked((status) => api.handleDim(handle, i, status))),
    );
    return { id: this.keep(handle), shape, dtype: api.handleType(handle) as number };
  }

  isUsingGpuDevice(): boolean {
    return devices().some(({ type }) => type === 'GPU');
  }

  getNumOfTensors(): number {
    return this.handles.size;
  }

  getNumOfSavedModels(): number {
    return 0;
  }
}

function toArray(dtype: number, values: ArrayLike<number> | Numbers): Numbers {
  if (dtype === TF_DTYPE.int64 && !(values instanceof BigInt64Array))
    return BigInt64Array.from(Array.from(values as ArrayLike<number>), BigInt);
  if (ArrayBuffer.isView(values)) return values;
  switch (dtype) {
    case TF_DTYPE.float32:
      return Float32Array.from(values);
    case TF_DTYPE.int32:
      return Int32Array.from(values);
    case TF_DTYPE.bool:
    case TF_DTYPE.uint8:
      return Uint8Array.from(values);
  }
  throw new Error(`tensors of type ${dtype} are not made here`);
}

function newArray(dtype: number, bytes: number): Numbers {
  switch (dtype) {
    case TF_DTYPE.float32:
    case TF_DTYPE.complex64:
      return new Float32Array(bytes / 4);
    case TF_DTYPE.int32:
      return new Int32Array(bytes / 4);
    case TF_DTYPE.int64:
      return new BigInt64Array(bytes / 8);
    case TF_DTYPE.bool:
    case TF_DTYPE.uint8:
      return new Uint8Array(bytes);
  }
  throw new Error(`tensors of type ${dtype} are not read here`);
}

function setAttr(op: Pointer, { name, type, value }: TFEOpAttr): void {
  const api = native();
  const longs = (values: readonly number[]): BigInt64Array => BigInt64Array.from(values, BigInt);
  switch (type) {
    case ATTR.type:
      return void api.setAttrType(op, name, value);
    case ATTR.bool:
      return void api.setAttrBool(op, name, value ? 1 : 0);
    case ATTR.int:
      if (Array.isArray(value)) return void api.setAttrIntList(op, name, longs(value), value.length);
      return void api.setAttrInt(op, name, value);
    case ATTR.float:
      return void api.setAttrFloat(op, name, value);
    case ATTR.string: {
      const bytes = Buffer.from(value as string);
      return void api.setAttrString(op, name, bytes, bytes.length);
    }
    case ATTR.shape: {
      const dims = value as number[];
      return void checked((status) => api.setAttrShape(op, name, longs(dims), dims.length, status));
    }
  }
  throw new Error(`attribute ${name} has type ${type}, which is not set here`);
}
