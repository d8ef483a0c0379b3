/**
 * The mean of float32 values, added in the order in which torch adds them on a CPU with 256-bit vectors: an offset that differs
 * in its last bit would make codes that differ from bitsandbytes'.
 */

/** Sums kept side by side: 4 rows of vectors of 8. */
const LANES = 8;
const WIDTH = 4 * LANES;
const LEVELS = 4;

export function mean(values: Float32Array): number {
  return values.length === 0 ? 0 : Math.fround(sum(values) / values.length);
}

/** Partial sums cascade through levels, so that the rounding errors grow with the logarithm of the count. */
function sum(values: Float32Array): number {
  const groups = Math.floor(values.length / WIDTH);
  const power = Math.max(4, Math.floor(Math.ceil(Math.log2(Math.max(groups, 1))) / LEVELS));
  const levels = Array.from({ length: LEVELS }, () => new Float32Array(WIDTH));
  const whole = groups - (groups % (1 << power));
  let group = 0;
  while (group < whole) {
    for (const end = group + (1 << power); group < end; group++) addGroup(levels[0], values, group);
    carry(levels, group, power);
  }
  for (; group < groups; group++) addGroup(levels[0], values, group);
  for (const level of levels.slice(1)) add(levels[0], level);
  return sumLanes(levels[0], values, groups * WIDTH);
}

function addGroup(target: Float32Array, values: Float32Array, group: number): void {
  for (let i = 0; i < WIDTH; i++) target[i] += values[group * WIDTH + i];
}

function add(target: Float32Array, values: Float32Array): void {
  for (let i = 0; i < target.length; i++) target[i] += values[i];
}

/** Moves full levels up, as a counter does. */
function carry(levels: readonly Float32Array[], group: number, power: number): void {
  for (let level = 1; level < LEVELS; level++) {
    add(levels[level], levels[level - 1]);
    levels[level - 1].fill(0);
    if ((group & (((1 << power) - 1) << (level * power))) !== 0) return;
  }
}

/** Adds what is left over to the lanes, then the lanes to each other. */
function sumLanes(rows: Float32Array, values: Float32Array, start: number): number {
  const lanes = rows.slice(0, LANES);
  let place = start;
  for (; place + LANES <= values.length; place += LANES) add(lanes, values.subarray(place, place + LANES));
  for (let row = 1; row < WIDTH / LANES; row++) add(lanes, rows.subarray(row * LANES, (row + 1) * LANES));
  let total = 0;
  for (const value of values.subarray(place)) total = Math.fround(total + value);
  for (const lane of lanes) total = Math.fround(total + lane);
  return total;
}
