/** Prompt formats of tokenizers with byte-level BPE: the checkpoint's own template, or that of GLM-4's Python code. */
import path from 'node:path';
import { GlmError } from '../../protocol/errors';
import type { ByteLevelTokenizer } from '../bytelevel/byteLevelTokenizer';
import { asArray, asObject } from '../bytelevel/fields';
import { JinjaChatTemplate } from '../jinja/chatTemplate';
import { GLM4_SPECIALS, Glm4Template } from '../templates/glm4';
import { JinjaTemplate, type JinjaStops } from '../templates/jinja';
import type { ChatTemplate, TemplateId } from '../types';
import { findChatTemplate } from './chatTemplateSource';
import type { TokenizerFiles } from './loader';

export const BYTE_LEVEL_TEMPLATES: readonly TemplateId[] = ['glm4', 'jinja'];

/** Tokens that end an answer of GLM, besides those that the configuration names. */
const GLM_STOPS = ['<|endoftext|>', '<|user|>', '<|observation|>'] as const;

/** The checkpoint's own template is used where there is one. */
export async function detectByteLevelTemplate(files: TokenizerFiles): Promise<TemplateId> {
  return (await findChatTemplate(files)) === null ? 'glm4' : 'jinja';
}

/** @throws GlmError `tokenizer.badSpecialToken`, `tokenizer.noChatTemplate`, `tokenizer.badChatTemplate` */
export async function byteLevelTemplate(
  files: TokenizerFiles,
  tokenizer: ByteLevelTokenizer,
  templateId: TemplateId,
  vocabSize: number,
): Promise<ChatTemplate> {
  if (templateId === 'glm4') {
    const missing = GLM4_SPECIALS.find((token) => tokenizer.special(token) < 0);
    if (missing !== undefined) throw badSpecialToken(files, missing);
    return new Glm4Template(tokenizer, vocabSize);
  }
  const source = await findChatTemplate(files);
  if (source === null) throw new GlmError('tokenizer.noChatTemplate', { path: files.directory });
  const template = new JinjaChatTemplate(source, namedTokens(files));
  return new JinjaTemplate(tokenizer, template, findStops(files, tokenizer), vocabSize);
}

export function badSpecialToken(files: TokenizerFiles, token: string): GlmError {
  const named = files.kind === 'ranks' ? path.join(files.directory, 'tokenizer_config.json') : files.path;
  return new GlmError('tokenizer.badSpecialToken', { path: named, token });
}

/** `bos_token` and so on, written as a text or as an object with `content`. */
function namedTokens({ tokenizerConfig }: TokenizerFiles): Map<string, string> {
  const named = new Map<string, string>();
  for (const key of ['bos_token', 'eos_token', 'pad_token', 'unk_token']) {
    const value = tokenizerConfig[key];
    const text = typeof value === 'string' ? value : asObject(value)?.content;
    if (typeof text === 'string') named.set(key, text);
  }
  return named;
}

/**
 * Stop ids: the end of text, those of `config.json`, and GLM's role tokens that begin somebody else's turn. Where the
 * template writes nothing after an answer, a conversation is closed with `<|user|>`, else with the end of text.
 */
function findStops(files: TokenizerFiles, tokenizer: ByteLevelTokenizer): JinjaStops {
  const ids = asArray(files.config.eos_token_id) ?? [files.config.eos_token_id];
  const configured = ids.filter(
    (id): id is number => Number.isInteger(id) && (id as number) >= 0 && (id as number) < tokenizer.vocabSize,
  );
  const named = namedTokens(files).get('eos_token');
  const known = [...(named === undefined ? [] : [named]), ...GLM_STOPS].map((token) =>
    tokenizer.special(token),
  );
  const [eosId, ...others] = known.filter((id) => id >= 0);
  const stopIds = [...new Set([eosId ?? configured[0], ...configured, ...others])];
  if (stopIds[0] === undefined) throw badSpecialToken(files, named ?? '<|endoftext|>');
  const userId = tokenizer.special('<|user|>');
  return { stopIds, closingId: userId >= 0 ? userId : stopIds[0] };
}
