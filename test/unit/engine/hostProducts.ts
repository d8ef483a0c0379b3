import type { MatrixProducts } from '../../../src/engine/train/subspace';

/** Products with a matrix on the host, sums in float64: what those in the library are compared with. */
export function hostProducts(weight: Float32Array, outFeatures: number, inFeatures: number): MatrixProducts {
  return {
    outFeatures,
    inFeatures,
    async forward(x, k) {
      const result = new Float32Array(k * outFeatures);
      for (let row = 0; row < k; row++) {
        for (let out = 0; out < outFeatures; out++) {
          let sum = 0;
          for (let c = 0; c < inFeatures; c++) sum += x[row * inFeatures + c] * weight[out * inFeatures + c];
          result[row * outFeatures + out] = sum;
        }
      }
      return result;
    },
    async backward(y, k) {
      const result = new Float32Array(k * inFeatures);
      for (let row = 0; row < k; row++) {
        const sums = new Float64Array(inFeatures);
        for (let out = 0; out < outFeatures; out++) {
          const factor = y[row * outFeatures + out];
          for (let c = 0; c < inFeatures; c++) sums[c] += factor * weight[out * inFeatures + c];
        }
        result.set(sums, row * inFeatures);
      }
      return result;
    },
    release: () => undefined,
  };
}
