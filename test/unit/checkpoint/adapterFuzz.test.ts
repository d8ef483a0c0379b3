import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { checkAdapter, openAdapter } from '../../../src/checkpoint/adapter';
import { readConfig } from '../../../src/checkpoint/config';
import { loraShapes } from '../../../src/checkpoint/lora';
import { GlmError } from '../../../src/protocol/errors';
import { fixture } from '../fixtures';
import { seededRandom } from './hostile';
import { temporaryDirectory } from './temporary';

const ROUNDS = 1500;
const VALUES = [
  -1,
  0,
  1,
  8,
  2 ** 24,
  2 ** 53,
  0.5,
  1e308,
  null,
  true,
  '',
  'x',
  '(a+)+$',
  '.*',
  '(',
  [],
  {},
  ['dense'],
  [1],
  { dense: 4 },
  { '(a|a)*': 1e9 },
  { '': -1 },
  'PREFIX_TUNING',
  'LORA',
];

for (const [directory, model] of [
  ['adapters/chatglm3-train-lora-all', 'models/chatglm3'],
  ['adapters/glm-hf-train-prefix', 'models/glm-hf'],
  ['adapters-extra/glm-hf-patterns', 'models/glm-hf'],
] as const) {
  test(`${directory}: ${ROUNDS} damaged configurations are used or refused in words`, (context) => {
    const place = temporaryDirectory(context);
    const source = fixture(directory);
    fs.copyFileSync(
      path.join(source, 'adapter_model.safetensors'),
      path.join(place, 'adapter_model.safetensors'),
    );
    const sound = JSON.parse(fs.readFileSync(path.join(source, 'adapter_config.json'), 'utf8')) as object;
    const config = readConfig(fixture(model));
    const random = seededRandom(77);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
    const counts = { used: 0, refused: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const damaged: Record<string, unknown> = { ...sound };
      for (let change = 0; change <= round % 3; change++) damaged[pick(Object.keys(sound))] = pick(VALUES);
      fs.writeFileSync(path.join(place, 'adapter_config.json'), JSON.stringify(damaged));
      try {
        const adapter = openAdapter(place);
        try {
          checkAdapter(adapter, config);
          counts.used++;
        } finally {
          adapter.reader.close();
        }
      } catch (error) {
        assert.ok(error instanceof GlmError, `${String(error)} for ${JSON.stringify(damaged)}`);
        counts.refused++;
      }
    }
    assert.ok(counts.used > 50 && counts.refused > 50, JSON.stringify(counts));
  });
}

test('a file full of expensive patterns ends within its budget', () => {
  const config = readConfig(fixture('models/glm-hf'));
  const expensive = Array.from({ length: 4000 }, (_, i) => [`((.*){40}){40}${i}`, 2] as const);
  const lora = { r: 4, use_dora: false, target_modules: 'all-linear' };
  const started = process.cpuUsage();
  assert.throws(() => loraShapes(config, { ...lora, rank_pattern: Object.fromEntries(expensive) }), {
    code: 'adapter.badPattern',
  });
  // Of this process: others on the machine do not count.
  assert.ok(process.cpuUsage(started).user < 20e6);
});
