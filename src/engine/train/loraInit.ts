import { Random } from '../random';
import { countLoraParameters, type LoraShape } from '../../checkpoint/lora';
import { elements } from '../../checkpoint/modelTensors';

/**
 * Initial values of an adapter, flat, A before B per layer. PEFT's default: A is Kaiming uniform with a = √5, which is
 * U(−1/√in, 1/√in); B is 0, so that training starts from the base model.
 */
export function initialLora(shapes: readonly LoraShape[], seed: number): Float32Array {
  const values = new Float32Array(countLoraParameters(shapes));
  let offset = 0;
  shapes.forEach(({ a, b, inFeatures }, layer) => {
    const random = new Random(seed, 0x6c6f7261 + layer);
    const bound = 1 / Math.sqrt(inFeatures);
    const end = offset + elements(a);
    for (; offset < end; offset++) values[offset] = (2 * random.uniform() - 1) * bound;
    offset += elements(b);
  });
  return values;
}
