/** The JSON schema of a run file, in the reader's language: completion, hovers and errors in the editor. */
import { z } from 'zod';
import { runFileSchema } from '../protocol/run';
import { runKeys, type KeyText } from './runKeys';
import type { Translate } from './translate';

/** The parts of a JSON schema that are touched here. */
export interface JsonSchema {
  title?: string;
  description?: string;
  markdownDescription?: string;
  markdownEnumDescriptions?: string[];
  enum?: unknown[];
  default?: unknown;
  properties?: Record<string, JsonSchema>;
  oneOf?: JsonSchema[];
  anyOf?: JsonSchema[];
  items?: JsonSchema;
  [keyword: string]: unknown;
}

/** The schema of what a person writes: every key with a default may be left out. Draft 7, which VS Code understands fully. */
export function runSchema(t: Translate): JsonSchema {
  const schema = z.toJSONSchema(runFileSchema, { io: 'input', target: 'draft-7' }) as JsonSchema;
  const texts = runKeys(t);
  describe(t, schema, texts);
  return {
    ...schema,
    title: t('ChatGLM run file'),
    description: t('A fine-tuning run: model, data, method and every hyper-parameter.'),
  };
}

/** Replaces the key names that zod carries as descriptions by sentences, everywhere below. */
function describe(t: Translate, schema: JsonSchema, texts: Record<string, KeyText>): void {
  const text = schema.description === undefined ? undefined : texts[schema.description];
  if (text) {
    schema.description = text.description;
    schema.markdownDescription = markdown(t, schema, text);
    describeValues(schema, text);
  }
  for (const child of children(schema)) describe(t, child, texts);
}

function children(schema: JsonSchema): JsonSchema[] {
  return [
    ...Object.values(schema.properties ?? {}),
    ...(schema.oneOf ?? []),
    ...(schema.anyOf ?? []),
    ...(schema.items ? [schema.items] : []),
  ];
}

function markdown(t: Translate, schema: JsonSchema, text: KeyText): string {
  const values = Object.entries(text.values ?? {}).map(([value, meaning]) => `- \`${value}\`: ${meaning}`);
  const scalar = schema.default !== undefined && typeof schema.default !== 'object';
  const lines = [text.description, ...(values.length > 0 ? ['', ...values] : [])];
  if (scalar) lines.push('', t('Default: {value}', { value: `\`${JSON.stringify(schema.default)}\`` }));
  return lines.join('\n');
}

function describeValues(schema: JsonSchema, text: KeyText): void {
  const { values } = text;
  // A key that may also be null has its choices one level below.
  const holder = [schema, ...(schema.anyOf ?? [])].find((candidate) => candidate.enum);
  if (!values || !holder?.enum) return;
  holder.markdownEnumDescriptions = holder.enum.map((value) => values[String(value)] ?? '');
}
