import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { openWeights } from '../../../src/checkpoint/checkpoint';
import { readConfig } from '../../../src/checkpoint/config';
import { examineModel } from '../../../src/checkpoint/doctor/report';
import { GlmError } from '../../../src/protocol/errors';
import { fixture } from '../fixtures';
import { seededRandom } from './hostile';
import { temporaryDirectory } from './temporary';

type Json = Record<string, unknown>;

const values: readonly unknown[] = [
  -1,
  -4096,
  0,
  1,
  3,
  7,
  2 ** 24,
  2 ** 24 + 1,
  2 ** 31,
  2 ** 53,
  -(2 ** 53),
  1e308,
  0.5,
  1e-320,
  null,
  true,
  false,
  '48',
  '__proto__',
  [],
  [2],
  [-1, 2 ** 53],
  {},
  { rope_theta: -1 },
];

const config = JSON.parse(fs.readFileSync(fixture('models/chatglm2/config.json'), 'utf8')) as Json;

test('texts that are no JSON, or JSON nested without end, are refused', (context) => {
  const directory = temporaryDirectory(context);
  const deep = '['.repeat(200_000) + ']'.repeat(200_000);
  for (const text of [
    '',
    'null',
    '[]',
    '{',
    '\u0000',
    `{"model_type": "glm", "hidden_size": ${deep}}`,
    `{"model_type": ${deep}}`,
  ]) {
    fs.writeFileSync(path.join(directory, 'config.json'), text);
    assert.throws(() => readConfig(directory), { code: 'checkpoint.badJson' }, text.slice(0, 40));
  }
});

const INDEX_ROUNDS = 400;
test(`${INDEX_ROUNDS} damaged indices name shards of their own directory or are refused`, (context) => {
  const random = seededRandom(20230625);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  const directory = temporaryDirectory(context);
  fs.cpSync(fixture('models/chatglm3'), directory, { recursive: true });
  const file = path.join(directory, 'model.safetensors.index.json');
  const sound = fs.readFileSync(file, 'utf8');
  const { weight_map: map } = JSON.parse(sound) as { weight_map: Record<string, string> };
  const shards = [
    ...new Set(Object.values(map)),
    '../chatglm2/model.safetensors',
    '/etc/passwd',
    '..',
    'a\\b.safetensors',
    'none.safetensors',
    'config.json',
    '',
    ...values,
  ];
  const counts = { accepted: 0, refused: 0 };
  for (let round = 0; round < INDEX_ROUNDS; round++) {
    let text = JSON.stringify({ weight_map: { ...map, [pick(Object.keys(map))]: pick(shards) } });
    if (random() < 0.1) text = JSON.stringify({ weight_map: pick(values) });
    if (random() < 0.1) text = text.slice(0, Math.floor(random() * text.length));
    fs.writeFileSync(file, text);
    try {
      const reader = openWeights(directory);
      assert.ok(reader.files.every((opened) => path.dirname(opened.file) === directory));
      reader.close();
      counts.accepted++;
    } catch (error) {
      assert.ok(error instanceof GlmError, String((error as Error).stack));
      counts.refused++;
    }
  }
  assert.ok(counts.accepted > 5, `${counts.accepted} accepted`);
  assert.ok(counts.refused > 200, `${counts.refused} refused`);
});

test('the doctor reports damaged directories and never throws', async (context) => {
  const random = seededRandom(20231206);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  const directory = temporaryDirectory(context);
  fs.cpSync(fixture('models/chatglm2-fp16'), directory, { recursive: true });
  const weights = fs.readFileSync(path.join(directory, 'pytorch_model.bin'));
  const counts = { sound: 0, damaged: 0 };
  for (let round = 0; round < 80; round++) {
    const key = pick(Object.keys(config));
    fs.writeFileSync(path.join(directory, 'config.json'), JSON.stringify({ ...config, [key]: pick(values) }));
    fs.writeFileSync(path.join(directory, 'generation_config.json'), JSON.stringify(pick(values)) ?? '');
    const cut = random() < 0.2 ? Math.floor(random() * weights.length) : weights.length;
    fs.writeFileSync(path.join(directory, 'pytorch_model.bin'), weights.subarray(0, cut));
    const { ok } = await examineModel(directory, { tokenizer: null });
    counts[ok ? 'sound' : 'damaged']++;
  }
  assert.ok(counts.damaged > 40, JSON.stringify(counts));
});
