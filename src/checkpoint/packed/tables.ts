/** The tables of NF4 and of the 8-bit format its scales are stored in. */
import { quantizationMap } from './quantizationMap';

/** Quantiles of the normal distribution, scaled to [-1, 1] (Dettmers et al. 2023, appendix E). */
export const NF4_LEVELS = Float32Array.of(
  -1,
  -0.6961928009986877,
  -0.5250730514526367,
  -0.39491748809814453,
  -0.28444138169288635,
  -0.18477343022823334,
  -0.09105003625154495,
  0,
  0.07958029955625534,
  0.16093020141124725,
  0.24611230194568634,
  0.33791524171829224,
  0.44070982933044434,
  0.5626170039176941,
  0.7229568362236023,
  1,
);

/** Code of the level 0, also what pads an odd number of values. */
export const NF4_ZERO = 7;

export const NF4_MAP = quantizationMap(NF4_LEVELS);

const DECADES = 7;

/**
 * The signed "dynamic" 8-bit map (Dettmers 2015, https://arxiv.org/abs/1511.04561): seven decades, the larger the magnitude the
 * finer; 256 sorted values.
 */
export const DYNAMIC_LEVELS = dynamicLevels();

export const DYNAMIC_MAP = quantizationMap(DYNAMIC_LEVELS);

/** Code of the level 0 of the dynamic map. */
export const DYNAMIC_ZERO = DYNAMIC_LEVELS.indexOf(0);

function dynamicLevels(): Float32Array {
  const levels = [0, 1];
  for (let decade = 0; decade < DECADES; decade++) {
    const points = linspace(0.1, 1, 2 ** decade + 1);
    const power = Math.fround(10 ** (decade - DECADES + 1));
    for (let i = 1; i < points.length; i++) {
      const middle = Math.fround(Math.fround(points[i - 1] + points[i]) / 2);
      const level = Math.fround(power * middle);
      levels.push(level, -level);
    }
  }
  return Float32Array.from(levels).sort();
}

/** Equally spaced points, each rounded once; each half is counted from its own end, as torch does. */
function linspace(start: number, end: number, count: number): Float32Array {
  const first = Math.fround(start);
  const step = Math.fround(Math.fround(end - first) / (count - 1));
  return Float32Array.from({ length: count }, (_, i) =>
    i < Math.floor(count / 2) ? first + step * i : end - step * (count - 1 - i),
  );
}
