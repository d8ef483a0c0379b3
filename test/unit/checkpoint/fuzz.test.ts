import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headerLength, parseHeader } from '../../../src/checkpoint/safetensorsHeader';
import { GlmError } from '../../../src/protocol/errors';
import { safetensorsBytes, seededRandom, soundHeader } from './hostile';

const ROUNDS = 20_000;
const values = [
  -1,
  0,
  1,
  2,
  16,
  24,
  2 ** 31,
  2 ** 53,
  1e308,
  0.5,
  null,
  true,
  'F32',
  'BF16',
  [],
  {},
  [0, 8],
  [16, 24],
  [2, [2]],
  '__proto__',
];

function parse(bytes: Uint8Array): 'accepted' | 'refused' {
  try {
    const length = headerLength(bytes.subarray(0, 8), 'f', bytes.byteLength);
    const { entries } = parseHeader(bytes.subarray(8, 8 + length), 'f', bytes.byteLength);
    // Whatever was accepted must be readable: inside the file and of the size its shape says.
    let end = 8 + length;
    for (const entry of entries) {
      assert.equal(entry.offset, end);
      end += entry.byteLength;
    }
    assert.equal(end, bytes.byteLength);
    return 'accepted';
  } catch (error) {
    assert.ok(error instanceof GlmError, `${String(error)} for ${Buffer.from(bytes).toString('latin1')}`);
    return 'refused';
  }
}

test(`${ROUNDS} damaged headers are either accepted as sound or refused in words`, () => {
  const random = seededRandom(20231122);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  const counts = { accepted: 0, refused: 0 };
  const heapBefore = process.memoryUsage().heapUsed;
  for (let round = 0; round < ROUNDS; round++) {
    const header: Record<string, unknown> = { ...soundHeader() };
    if (random() < 0.6) {
      const tensor = pick(Object.keys(header));
      const key = pick(['dtype', 'shape', 'data_offsets', 'more']);
      header[tensor] = { ...(header[tensor] as object), [key]: pick(values) };
    }
    if (random() < 0.1) header[pick(['__metadata__', '', '__proto__x'])] = pick(values);
    const bytes = safetensorsBytes(JSON.stringify(header), pick([24, 24, 24, 24, 0, 23, 25, 1000]));
    for (let flips = random() < 0.5 ? 0 : 1 + random() * 4; flips > 1; flips--) {
      bytes[Math.floor(random() * bytes.byteLength)] = Math.floor(random() * 256);
    }
    counts[parse(random() < 0.1 ? bytes.subarray(0, Math.floor(random() * bytes.byteLength)) : bytes)]++;
  }
  assert.ok(counts.accepted > 500, `${counts.accepted} accepted`);
  assert.ok(counts.refused > 10_000, `${counts.refused} refused`);
  assert.ok(process.memoryUsage().heapUsed - heapBefore < 200e6);
});

test('a header whose values nest without end is refused', () => {
  const deep = '['.repeat(200_000) + ']'.repeat(200_000);
  for (const header of [
    `{"a": {"dtype": ${deep}, "shape": [], "data_offsets": [0, 0]}}`,
    `{"a": {"dtype": "F32", "shape": ${deep}, "data_offsets": [0, 0]}}`,
    `{"__metadata__": {"a": ${deep}}}`,
    deep,
  ]) {
    assert.equal(parse(safetensorsBytes(header, 0)), 'refused');
  }
});
