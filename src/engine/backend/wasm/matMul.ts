/**
 * Matrix products on WebAssembly at the speed of XNNPACK. The package's kernel uses it only for a single product without transposition
 * and falls back to a plain loop for everything else, which is the whole backward pass: 10 to 20 times slower. This one transposes
 * explicitly and calls it once for every product of a batch, on parts of the tensors' memory, without copies.
 */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs';
import type { Tfjs } from '../tfjs';

const BYTES_PER_FLOAT = 4;

/** Name of the kernel in tfjs, and of the function in the package's C++ code. */
const BATCH_MAT_MUL = 'BatchMatMul';

/** a id, a shape, its length, b id, b shape, its length, transpose a, transpose b, result id. */
type NativeMatMul = (
  a: number,
  aShape: Uint8Array,
  aRank: number,
  b: number,
  bShape: Uint8Array,
  bRank: number,
  transposeA: number,
  transposeB: number,
  out: number,
) => void;

interface MatMulArguments {
  inputs: { a: TensorInfo; b: TensorInfo };
  attrs: { transposeA: boolean; transposeB: boolean };
}

/** Takes the place of the package's kernel. */
export function registerMatMul(tf: typeof Tfjs, backend: BackendWasm): void {
  const kernel = new MatMulKernel(tf, backend);
  const config: KernelConfig = {
    kernelName: BATCH_MAT_MUL,
    backendName: 'wasm',
    kernelFunc: (call) => kernel.run(call as unknown as MatMulArguments),
  };
  tf.unregisterKernel(BATCH_MAT_MUL, 'wasm');
  tf.registerKernel(config);
}

/** What the package's types leave out of its Emscripten module. */
interface EmscriptenModule {
  cwrap(name: string, result: null, types: readonly string[]): unknown;
}

function moduleOf({ wasm }: BackendWasm): EmscriptenModule {
  return wasm as unknown as EmscriptenModule;
}

class MatMulKernel {
  private readonly multiply: NativeMatMul;

  constructor(
    private readonly tf: typeof Tfjs,
    private readonly backend: BackendWasm,
  ) {
    const types = ['number', 'array', 'number', 'number', 'array', 'number', 'number', 'number', 'number'];
    this.multiply = moduleOf(backend).cwrap(BATCH_MAT_MUL, null, types) as NativeMatMul;
  }

  run({ inputs, attrs }: MatMulArguments): TensorInfo {
    const temporary: TensorInfo[] = [];
    const plain = (x: TensorInfo, transposed: boolean): TensorInfo => {
      if (!transposed) return x;
      const copy = this.transposed(x);
      temporary.push(copy);
      return copy;
    };
    const result = this.product(plain(inputs.a, attrs.transposeA), plain(inputs.b, attrs.transposeB));
    for (const { dataId } of temporary) this.backend.disposeData(dataId);
    return result;
  }

  /** A copy with its last two axes swapped. */
  private transposed(x: TensorInfo): TensorInfo {
    const perm = Array.from(x.shape.keys());
    const rank = perm.length;
    [perm[rank - 2], perm[rank - 1]] = [rank - 1, rank - 2];
    const transpose = this.tf.getKernel('Transpose', 'wasm').kernelFunc;
    return transpose({ inputs: { x }, attrs: { perm }, backend: this.backend }) as TensorInfo;
  }

  /** [..., m, k] x [..., k, n] -> [..., m, n]; leading axes broadcast as a whole: equal, or all 1 on one side. */
  private product(a: TensorInfo, b: TensorInfo): TensorInfo {
    const { backend, tf } = this;
    const [m, k] = a.shape.slice(-2);
    const n = b.shape[b.shape.length - 1];
    const [batchA, batchB] = [a, b].map(({ shape }) => shape.slice(0, -2));
    const batch = tf.broadcast_util.assertAndGetBroadcastShape(batchA, batchB);
    const [countA, countB, count] = [batchA, batchB, batch].map((shape) => tf.util.sizeFromShape(shape));
    const out = backend.makeOutput([...batch, m, n], 'float32');
    const shapeA = shapeBytes([1, m, k]);
    const shapeB = shapeBytes([1, k, n]);
    for (let i = 0; i < count; i++) {
      const parts = [
        this.part(a, i % countA, m * k, countA),
        this.part(b, i % countB, k * n, countB),
        this.part(out, i, m * n, count),
      ];
      const [idA, idB, idOut] = parts.map(({ id }) => id);
      this.multiply(idA, shapeA, 3, idB, shapeB, 3, 0, 0, idOut);
      for (const { id, isAlias } of parts) if (isAlias) backend.wasm.tfjs.disposeData(id);
    }
    return out;
  }

  /** The id of the `index`-th matrix of a tensor: an alias into its memory, or the tensor itself where it is a single one. */
  private part(x: TensorInfo, index: number, size: number, count: number): { id: number; isAlias: boolean } {
    const { backend } = this;
    const data = backend.dataIdMap.get(x.dataId);
    if (count === 1) return { id: data.id, isAlias: false };
    const id = backend['dataIdNextNumber']++;
    backend.wasm.tfjs.registerTensor(id, size, data.memoryOffset + index * size * BYTES_PER_FLOAT);
    return { id, isAlias: true };
  }
}

/** A shape as the package's C++ code reads it. */
function shapeBytes(shape: readonly number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(shape).buffer);
}
