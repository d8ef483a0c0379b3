/** The largest singular values of a big matrix, by randomised subspace iteration (Halko et al. 2011, https://arxiv.org/abs/0909.4061). */
import type { Random } from '../random';

/** A matrix W [out, in] known through its products. Blocks hold k vectors one after the other. */
export interface MatrixProducts {
  outFeatures: number;
  inFeatures: number;
  /** x [k, in] -> x Wᵀ [k, out] */
  forward(x: Float32Array, k: number): Promise<Float32Array>;
  /** y [k, out] -> y W [k, in] */
  backward(y: Float32Array, k: number): Promise<Float32Array>;
  /** Frees what the products took besides W. */
  release(): void;
}

/** W ≈ Σ values[i] · left[i] right[i]ᵀ, largest first; the vectors have length 1. */
export interface SingularTriples {
  values: number[];
  /** [out] each */
  left: Float64Array[];
  /** [in] each */
  right: Float64Array[];
}

/** Vectors beyond those wanted. */
const OVERSAMPLING = 10;
/** Passes over W end when the part of W in the subspace grows by less than this; its error is the square of the vectors'. */
const STEADY = 1e-8;
/**
 * Otherwise after this many: a big weight gets as many as PEFT's quick variant makes, a small one those that make the vectors exact. What
 * is taken out of a weight need not be exact, as it is put back.
 */
const PASSES = { least: 8, most: 24, multiplications: 2e9 };
/** Jacobi's sweeps converge quadratically; nothing needs this many. */
const MOST_SWEEPS = 40;
const CONVERGED = 1e-14;

/** The `count` largest singular values with their vectors. The same numbers for the same state of `random`. */
export async function largestSingular(
  matrix: MatrixProducts,
  count: number,
  random: Random,
): Promise<SingularTriples> {
  const { outFeatures, inFeatures } = matrix;
  const k = Math.min(count + OVERSAMPLING, outFeatures, inFeatures);
  const through = async (rows: Float64Array[]): Promise<Float64Array[]> =>
    unpack(await matrix.forward(pack(rows), k), k);
  const back = async (rows: Float64Array[]): Promise<Float64Array[]> =>
    unpack(await matrix.backward(pack(rows), k), k);
  const affordable = Math.floor(PASSES.multiplications / (outFeatures * inFeatures * k));
  const passes = Math.min(PASSES.most, Math.max(PASSES.least, affordable));
  let right: Float64Array[] = Array.from({ length: k }, () =>
    Float64Array.from({ length: inFeatures }, () => random.normal()),
  );
  let left = await through(right);
  for (let pass = 0, before = 0; pass < passes; pass++) {
    const part = left.reduce((sum, row) => sum + dot(row, row), 0);
    if (pass > 1 && part - before <= STEADY * part) break;
    before = part;
    orthonormalise(left);
    right = await back(left);
    orthonormalise(right);
    left = await through(right);
  }
  orthonormalise(left);
  // Qᵀ W has the singular values of W in the subspace that Q spans.
  const projected = await back(left);
  const { rotation, values } = leftRotation(projected);
  const order = values.map((_, i) => i).sort((a, b) => values[b] - values[a]);
  const wanted = order.slice(0, Math.min(count, k));
  return {
    values: wanted.map((i) => values[i]),
    left: wanted.map((i) => combine(rotation[i], left)),
    right: wanted.map((i) => scaleToUnit(combine(rotation[i], projected))),
  };
}

/** Makes vectors orthonormal in place (Gram & Schmidt, twice, which is as good as any), and returns the lower triangle L of X = L Q. */
export function orthonormalise(rows: readonly Float64Array[]): Float64Array[] {
  const triangle = rows.map(() => new Float64Array(rows.length));
  rows.forEach((row, i) => {
    const before = Math.sqrt(dot(row, row));
    for (let round = 0; round < 2; round++) {
      for (let j = 0; j < i; j++) {
        const share = dot(row, rows[j]);
        triangle[i][j] += share;
        addScaled(row, rows[j], -share);
      }
    }
    const length = Math.sqrt(dot(row, row));
    // What is left of a dependent vector is rounding noise: it spans nothing.
    const isNoise = length <= before * CONVERGED;
    triangle[i][i] = isNoise ? 0 : length;
    for (let c = 0; c < row.length; c++) row[c] = isNoise ? 0 : row[c] / length;
  });
  return triangle;
}

/** Rotation J for which J·X has orthogonal rows, and their lengths: one-sided Jacobi on the triangle of X. */
function leftRotation(rows: readonly Float64Array[]): { rotation: Float64Array[]; values: number[] } {
  const triangle = orthonormalise(rows.map((row) => row.slice()));
  const rotation = triangle.map((_, i) => Float64Array.from(triangle, (_, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    if (!jacobiSweep(triangle, rotation)) break;
  }
  return { rotation, values: triangle.map((row) => Math.sqrt(dot(row, row))) };
}

/** Makes every pair of rows orthogonal once; false where all of them were. */
function jacobiSweep(rows: readonly Float64Array[], rotation: readonly Float64Array[]): boolean {
  let turned = false;
  for (let i = 0; i < rows.length; i++) {
    for (let j = i + 1; j < rows.length; j++) {
      const [a, b, c] = [dot(rows[i], rows[i]), dot(rows[j], rows[j]), dot(rows[i], rows[j])];
      if (Math.abs(c) <= CONVERGED * Math.sqrt(a * b)) continue;
      turned = true;
      const zeta = (b - a) / (2 * c);
      const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
      const cosine = 1 / Math.sqrt(1 + tangent * tangent);
      turn(rows[i], rows[j], cosine, cosine * tangent);
      turn(rotation[i], rotation[j], cosine, cosine * tangent);
    }
  }
  return turned;
}

function turn(x: Float64Array, y: Float64Array, cosine: number, sine: number): void {
  for (let c = 0; c < x.length; c++) {
    const [before, other] = [x[c], y[c]];
    x[c] = cosine * before - sine * other;
    y[c] = sine * before + cosine * other;
  }
}

function combine(weights: Float64Array, rows: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(rows[0].length);
  rows.forEach((row, i) => addScaled(sum, row, weights[i]));
  return sum;
}

function scaleToUnit(row: Float64Array): Float64Array {
  const length = Math.sqrt(dot(row, row));
  return length > 0 ? row.map((value) => value / length) : row;
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let c = 0; c < x.length; c++) sum += x[c] * y[c];
  return sum;
}

function addScaled(target: Float64Array, source: Float64Array, factor: number): void {
  for (let c = 0; c < target.length; c++) target[c] += factor * source[c];
}

function pack(rows: readonly Float64Array[]): Float32Array {
  const width = rows[0].length;
  const packed = new Float32Array(rows.length * width);
  rows.forEach((row, i) => packed.set(row, i * width));
  return packed;
}

function unpack(packed: Float32Array, k: number): Float64Array[] {
  const width = packed.length / k;
  return Array.from({ length: k }, (_, i) => Float64Array.from(packed.subarray(i * width, (i + 1) * width)));
}
