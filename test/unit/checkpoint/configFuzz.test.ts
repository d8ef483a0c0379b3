import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../../src/checkpoint/config';
import { structureOf } from '../../../src/checkpoint/structure';
import type { ModelConfig } from '../../../src/checkpoint/types';
import { GlmError } from '../../../src/protocol/errors';
import { seededRandom } from './hostile';
import { RELEASED } from './released';

const ROUNDS = 5000;
const values: unknown[] = [
  -1,
  0,
  1,
  2,
  3,
  5,
  1.5,
  1e-320,
  2 ** 24,
  2 ** 31,
  2 ** 53,
  1e308,
  NaN,
  null,
  undefined,
  true,
  '',
  '4096',
  'x'.repeat(1000),
  [],
  [[]],
  [2 ** 60],
  {},
  { rope_type: 5 },
  { rope_theta: -1 },
  { partial_rotary_factor: 1e9 },
  { __proto__: null, rope_theta: 'x' },
];

/** What was accepted has a structure of sane sizes. */
function checkStructure(config: ModelConfig): void {
  const { tensors, linears, layers, heads, groups, headDim, embedding, outputWeight } = structureOf(config);
  assert.ok(layers >= 1 && layers <= 1024);
  assert.ok([heads, groups, headDim].every((size) => Number.isInteger(size) && size >= 1));
  assert.equal(heads % groups, 0);
  for (const { name, shape } of tensors)
    assert.ok(
      shape.every((size) => Number.isSafeInteger(size) && size >= 1),
      name,
    );
  const names = new Set(tensors.map(({ name }) => name));
  assert.equal(names.size, tensors.length);
  const weights = linears.map(({ module }) => `${module}.weight`);
  assert.ok([embedding, outputWeight, ...weights].every((name) => names.has(name)));
}

test(`${ROUNDS} damaged configurations are either accepted as sound or refused in words`, () => {
  const random = seededRandom(20230314);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  const keys = [
    ...Object.values(RELEASED).flatMap((json) => Object.keys(json)),
    'rope_parameters',
    'rope_scaling',
  ];
  const counts = { accepted: 0, refused: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const json: Record<string, unknown> = { ...pick(Object.values(RELEASED)) };
    for (let changes = 1 + Math.floor(random() * 3); changes > 0; changes--) json[pick(keys)] = pick(values);
    try {
      checkStructure(parseConfig(json, 'config.json'));
      counts.accepted++;
    } catch (error) {
      assert.ok(error instanceof GlmError, `${String(error)} for ${JSON.stringify(json)}`);
      assert.match((error as GlmError).code, /^checkpoint\.(badConfig|unsupportedArchitecture)$/);
      counts.refused++;
    }
  }
  assert.ok(counts.accepted > ROUNDS / 20 && counts.refused > ROUNDS / 20, JSON.stringify(counts));
});
