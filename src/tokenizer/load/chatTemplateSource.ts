import path from 'node:path';
import { GlmError } from '../../protocol/errors';
import { asArray, asObject } from '../bytelevel/fields';
import type { TemplateSource } from '../jinja/chatTemplate';
import { readSmallFile } from './files';
import type { TokenizerFiles } from './loader';

/** A template of this name is for conversations with tools. */
const TOOL_USE = 'tool_use';

/**
 * The chat template of a checkpoint, or null: `chat_template.jinja` (further ones in `additional_chat_templates`), else
 * `chat_template` of `tokenizer_config.json`, a text or a list of named ones, else `chat_template.json`.
 */
export async function findChatTemplate(files: TokenizerFiles): Promise<TemplateSource | null> {
  const { directory, tokenizerConfig } = files;
  const file = path.join(directory, 'chat_template.jinja');
  const text = await readSmallFile(file);
  if (text !== null) {
    const toolText = await readSmallFile(
      path.join(directory, 'additional_chat_templates', `${TOOL_USE}.jinja`),
    );
    return { path: file, text, toolText };
  }
  const configured = fromConfig(path.join(directory, 'tokenizer_config.json'), tokenizerConfig.chat_template);
  return configured ?? (await fromOwnJson(path.join(directory, 'chat_template.json')));
}

function fromConfig(file: string, value: unknown): TemplateSource | null {
  if (typeof value === 'string') return { path: file, text: value, toolText: null };
  const named = new Map<unknown, unknown>(
    (asArray(value) ?? []).map((entry) => {
      const { name, template } = asObject(entry) ?? {};
      return [name, template];
    }),
  );
  const text = named.get('default') ?? (named.size === 1 ? [...named.values()][0] : undefined);
  if (typeof text !== 'string') return null;
  const toolText = named.get(TOOL_USE);
  return { path: file, text, toolText: typeof toolText === 'string' ? toolText : null };
}

async function fromOwnJson(file: string): Promise<TemplateSource | null> {
  const text = await readSmallFile(file);
  if (text === null) return null;
  try {
    return fromConfig(file, asObject(JSON.parse(text))?.chat_template);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new GlmError('tokenizer.invalidConfig', { path: file, detail }, { cause: error });
  }
}
