/**
 * PiSSA (Meng et al. 2024, https://arxiv.org/abs/2404.02948): an adapter starts as the principal components of the weight W, and the
 * rest of W stays frozen. What is frozen is written as W − scale·B₀A₀ with the adapter's first values, never computed: nothing is lost
 * by rounding it, and it works over packed weights as well.
 */
import { loraTensorName, type LoraShape } from '../../checkpoint/lora';
import type { GraphBuilder } from '../backend/graphBuilder';
import type { Value } from '../backend/ops';
import type { Program, ProgramDefinition, Session } from '../backend/session';
import { Random } from '../random';
import { largestSingular, type MatrixProducts } from './subspace';

/** Keeps these random numbers apart from others of the same seed. */
const STREAM = 0x70697373;

/** Row-major factors with scale·B·A ≈ W. */
export interface PissaMatrices {
  /** [r, in] */
  a: Float32Array;
  /** [out, r] */
  b: Float32Array;
}

/**
 * The r largest singular components of W, the square root of each value on either side, as PEFT's `init_lora_weights: pissa`.
 * A rank beyond that of W leaves zeros.
 */
export async function pissaMatrices(
  matrix: MatrixProducts,
  rank: number,
  scale: number,
  random: Random,
): Promise<PissaMatrices> {
  const { values, left, right } = await largestSingular(matrix, rank, random);
  const a = new Float32Array(rank * matrix.inFeatures);
  const b = new Float32Array(matrix.outFeatures * rank);
  values.forEach((value, i) => {
    const root = Math.sqrt(value / scale);
    right[i].forEach((entry, column) => (a[i * matrix.inFeatures + column] = root * entry));
    left[i].forEach((entry, row) => (b[row * rank + i] = root * entry));
  });
  return { a, b };
}

/**
 * Initial values of an adapter by their names in files, layer by layer.
 * @param scaleOf the factor of B·A in a layer
 * @param weightOf the weight of a layer
 */
export async function initialPissa(
  shapes: readonly LoraShape[],
  scaleOf: (module: string) => number,
  weightOf: (shape: LoraShape) => MatrixProducts,
  seed: number,
): Promise<Map<string, Float32Array>> {
  const values = new Map<string, Float32Array>();
  for (const [layer, shape] of shapes.entries()) {
    const { module, a } = shape;
    const weight = weightOf(shape);
    const random = new Random(seed, STREAM + layer);
    const matrices = await pissaMatrices(weight, a[0], scaleOf(module), random);
    weight.release();
    values.set(loraTensorName(module, 'A'), matrices.a);
    values.set(loraTensorName(module, 'B'), matrices.b);
  }
  return values;
}

/**
 * Products with a matrix in the library's memory.
 * @param weightOf reads the matrix [out, in] in a function, in any dtype
 */
export function sessionProducts(
  session: Session,
  outFeatures: number,
  inFeatures: number,
  weightOf: (graph: GraphBuilder) => Value,
): MatrixProducts {
  const programs = new Map<string, Program>();
  const run = async (x: Float32Array, k: number, transposeB: boolean): Promise<Float32Array> => {
    const key = `${k} ${transposeB}`;
    const program = programs.get(key) ?? session.compile((graph) => product(graph, k, transposeB));
    programs.set(key, program);
    const [result] = (await program.run([x])) as Float32Array[];
    return result;
  };
  const product = (graph: GraphBuilder, k: number, transposeB: boolean): ProgramDefinition => {
    const input = graph.placeholder([k, transposeB ? inFeatures : outFeatures], 'float32');
    const weight = graph.cast(weightOf(graph), 'float32');
    return { inputs: [input], outputs: [graph.matMul(input, weight, { transposeB })], effects: [] };
  };
  return {
    outFeatures,
    inFeatures,
    forward: (x, k) => run(x, k, true),
    backward: (y, k) => run(y, k, false),
    release() {
      for (const program of programs.values()) program.dispose();
      programs.clear();
    },
  };
}
