import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../../src/engine/random';
import { initialPissa, pissaMatrices } from '../../../src/engine/train/pissa';
import { largestSingular, orthonormalise } from '../../../src/engine/train/subspace';
import { hostProducts } from './hostProducts';

function randomMatrix(rows: number, columns: number, seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: rows * columns }, () => random.normal());
}

/** Eigenvalues and vectors of WᵀW by the two-sided Jacobi method: an independent way to the same decomposition. */
function eigen(w: Float32Array, rows: number, n: number): { values: number[]; vectors: number[][] } {
  const gram = Array.from({ length: n }, (_, i) =>
    Array.from({ length: n }, (_, j) => {
      let sum = 0;
      for (let r = 0; r < rows; r++) sum += w[r * n + i] * w[r * n + j];
      return sum;
    }),
  );
  const vectors: number[][] = gram.map((_, i) => gram.map((_, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < 60; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(gram[p][q]) < 1e-300) continue;
        const angle = 0.5 * Math.atan2(2 * gram[p][q], gram[q][q] - gram[p][p]);
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        for (let k = 0; k < n; k++) {
          const [x, y] = [gram[k][p], gram[k][q]];
          gram[k][p] = c * x - s * y;
          gram[k][q] = s * x + c * y;
        }
        for (let k = 0; k < n; k++) {
          const [x, y] = [gram[p][k], gram[q][k]];
          gram[p][k] = c * x - s * y;
          gram[q][k] = s * x + c * y;
          const [u, v] = [vectors[k][p], vectors[k][q]];
          vectors[k][p] = c * u - s * v;
          vectors[k][q] = s * u + c * v;
        }
      }
    }
  }
  const order = gram.map((_, i) => i).sort((a, b) => gram[b][b] - gram[a][a]);
  return {
    values: order.map((i) => Math.sqrt(Math.max(0, gram[i][i]))),
    vectors: order.map((i) => vectors.map((row) => row[i])),
  };
}

/** Best rank-r approximation W V Vᵀ of a matrix [rows, n]. */
function truncated(w: Float32Array, rows: number, n: number, rank: number): number[] {
  const { vectors } = eigen(w, rows, n);
  const result = new Array<number>(rows * n).fill(0);
  for (const v of vectors.slice(0, rank)) {
    for (let r = 0; r < rows; r++) {
      let along = 0;
      for (let c = 0; c < n; c++) along += w[r * n + c] * v[c];
      for (let c = 0; c < n; c++) result[r * n + c] += along * v[c];
    }
  }
  return result;
}

function product(b: Float32Array, a: Float32Array, rows: number, rank: number, columns: number): number[] {
  const result: number[] = [];
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += b[r * rank + k] * a[k * columns + c];
      result.push(sum);
    }
  }
  return result;
}

for (const [rows, columns, rank] of [
  [24, 17, 4],
  [17, 24, 4],
  [60, 50, 8],
  [9, 9, 9],
  [5, 40, 2],
] as const) {
  test(`the ${rank} largest singular values of a ${rows}×${columns} matrix, against its Gram matrix`, async () => {
    const w = randomMatrix(rows, columns, 7 * rows + columns);
    const found = await largestSingular(hostProducts(w, rows, columns), rank, new Random(1));
    const { values } = eigen(w, rows, columns);
    found.values.forEach((value, i) =>
      assert.ok(Math.abs(value / values[i] - 1) < 1e-4, `${value} ${values[i]}`),
    );
  });

  test(`PiSSA of a ${rows}×${columns} matrix is its best approximation of rank ${rank}`, async () => {
    const scale = 2.5;
    const w = randomMatrix(rows, columns, 3 * rows + columns);
    const { a, b } = await pissaMatrices(hostProducts(w, rows, columns), rank, scale, new Random(5));
    const best = truncated(w, rows, columns, rank);
    const made = product(b, a, rows, rank, columns);
    const norm = Math.sqrt(best.reduce((sum, value) => sum + value * value, 0));
    const error = Math.sqrt(made.reduce((sum, value, i) => sum + (scale * value - best[i]) ** 2, 0));
    assert.ok(error / norm < 1e-2, `${error / norm}`);
    // The square root of each value is on either side.
    for (let k = 0; k < rank; k++) {
      const length = (values: number[]): number => values.reduce((sum, value) => sum + value * value, 0);
      const right = length(Array.from(a.subarray(k * columns, (k + 1) * columns)));
      const left = length(Array.from({ length: rows }, (_, r) => b[r * rank + k]));
      assert.ok(Math.abs(left / right - 1) < 1e-5);
    }
  });
}

test('a matrix of low rank is found exactly, and the same seed gives the same numbers', async () => {
  const [left, right] = [randomMatrix(30, 3, 1), randomMatrix(3, 20, 2)];
  const w = Float32Array.from(product(left, right, 30, 3, 20));
  const make = () => pissaMatrices(hostProducts(w, 30, 20), 5, 1, new Random(8));
  const { a, b } = await make();
  product(b, a, 30, 5, 20).forEach((value, i) => assert.ok(Math.abs(value - w[i]) < 1e-5));
  // Beyond the rank of W nothing is left but rounding.
  assert.ok([...a.subarray(3 * 20)].every((value) => Math.abs(value) < 1e-2));
  assert.deepEqual(await make(), { a, b });
});

test('Gram and Schmidt: orthonormal rows, a triangle that gives back the input, nothing made of a dependent row', () => {
  const random = new Random(3);
  const rows = Array.from({ length: 4 }, () => Float64Array.from({ length: 9 }, () => random.normal()));
  rows[2] = rows[0].map((value, i) => value - 2 * rows[1][i]);
  const before = rows.map((row) => row.slice());
  const triangle = orthonormalise(rows);
  const dot = (x: Float64Array, y: Float64Array): number =>
    x.reduce((sum, value, i) => sum + value * y[i], 0);
  rows.forEach((x, i) =>
    rows.forEach((y, j) => assert.ok(Math.abs(dot(x, y) - (i === j && i !== 2 ? 1 : 0)) < 1e-12)),
  );
  before.forEach((row, i) =>
    row.forEach((value, c) => {
      const again = rows.reduce((sum, q, j) => sum + triangle[i][j] * q[c], 0);
      assert.ok(Math.abs(again - value) < 1e-12);
    }),
  );
});

test('every layer gets matrices of its own under the names of the adapter file', async () => {
  const shape = (module: string) => ({
    module,
    inFeatures: 6,
    outFeatures: 5,
    bias: false,
    a: [2, 6] as const,
    b: [5, 2] as const,
    magnitude: null,
  });
  const weights = new Map([
    ['x.q', randomMatrix(5, 6, 1)],
    ['x.k', randomMatrix(5, 6, 2)],
  ]);
  const values = await initialPissa(
    [shape('x.q'), shape('x.k')],
    () => 1,
    ({ module }) => hostProducts(weights.get(module)!, 5, 6),
    42,
  );
  assert.deepEqual(
    [...values.keys()],
    [
      'base_model.model.x.q.lora_A.weight',
      'base_model.model.x.q.lora_B.weight',
      'base_model.model.x.k.lora_A.weight',
      'base_model.model.x.k.lora_B.weight',
    ],
  );
  assert.equal(values.get('base_model.model.x.k.lora_B.weight')!.length, 10);
});
