import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runFileSchema } from '../../../src/protocol/run';
import { runKeys } from '../../../src/text/runKeys';
import { runSchema, type JsonSchema } from '../../../src/text/runSchema';
import { t } from './support';

/** Every subschema with its description. */
function* walk(schema: JsonSchema): Generator<JsonSchema> {
  yield schema;
  for (const child of [
    ...Object.values(schema.properties ?? {}),
    ...(schema.oneOf ?? []),
    ...(schema.anyOf ?? []),
    ...(schema.items ? [schema.items] : []),
  ])
    yield* walk(child);
}

const schema = runSchema(t);

test('every key has a sentence, and every sentence has a key', () => {
  const texts = runKeys(t);
  const sentences = new Set(Object.values(texts).map(({ description }) => description));
  const used = new Set<string>();
  for (const { properties = {} } of walk(schema))
    for (const [key, property] of Object.entries(properties)) {
      if (key === 'type') continue;
      const holder = property.description ? property : (property.anyOf ?? [])[0];
      assert.ok(holder?.description && sentences.has(holder.description), `${key} has no sentence`);
      used.add(holder.description);
      assert.ok(property.markdownDescription ?? holder.markdownDescription, key);
    }
  for (const { description } of walk(schema)) if (description) used.add(description);
  for (const [key, { description }] of Object.entries(texts))
    assert.ok(used.has(description), `${key} is unused`);
});

test('only what has no default is required', () => {
  assert.deepEqual(schema.required, ['name', 'model', 'dataset', 'method']);
  assert.deepEqual(schema.properties?.dataset?.required, ['train']);
  assert.equal(schema.properties?.training?.required, undefined);
});

test('unknown keys are errors in the editor as they are in the validator', () => {
  for (const name of ['dataset', 'training', 'evaluation', 'checkpoints'])
    assert.equal(schema.properties?.[name]?.additionalProperties, false, name);
  assert.equal(schema.additionalProperties, false);
});

test('choices say what they mean', () => {
  const scheduler = schema.properties?.training?.properties?.lr_scheduler_type;
  assert.deepEqual(scheduler?.enum?.slice(0, 3), ['cosine', 'linear', 'constant']);
  assert.equal(scheduler?.markdownEnumDescriptions?.length, scheduler?.enum?.length);
  assert.match(scheduler?.markdownDescription ?? '', /`cosine`: .+\n/);
  assert.match(scheduler?.markdownDescription ?? '', /Default: `"cosine"`/);
});

test('every choice of every key says what it means', () => {
  let choices = 0;
  for (const { enum: values, markdownEnumDescriptions: meanings } of walk(schema)) {
    if (!values) continue;
    choices += 1;
    assert.equal(meanings?.length, values.length, values.join());
    assert.ok(
      meanings?.every((meaning) => meaning !== ''),
      values.join(),
    );
  }
  assert.ok(choices >= 7, `${choices}`);
});

test('the schema has the defaults of the validator', () => {
  const { training } = runFileSchema.parse({
    name: 'a',
    model: 'm',
    dataset: { train: 't' },
    method: { type: 'full' },
  });
  // Null in the file: the method decides.
  const written = { ...training, learning_rate: null };
  for (const [key, value] of Object.entries(written))
    assert.deepEqual(schema.properties?.training?.properties?.[key]?.default, value, key);
});
