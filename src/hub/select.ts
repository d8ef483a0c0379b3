/** Which files of a repository are wanted. */
import { GlmError } from '../protocol/errors';
import type { RemoteFile } from './listing';

/** Patterns that are compared with whole paths: `*` stands for any characters, `?` for one. */
export interface Choice {
  /** Instead of what a checkpoint needs; none: what a checkpoint needs. */
  include: readonly string[];
  exclude: readonly string[];
}

/** What models and adapters are made of besides weights. Code is read as text by the detection of families, never run. */
const SMALL_FILES = new Set([
  'config.json',
  'configuration.json',
  'generation_config.json',
  'tokenizer_config.json',
  'tokenizer.json',
  'tokenizer.model',
  'ice_text.model',
  'vocab.json',
  'merges.txt',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'chat_template.json',
  'modeling_chatglm.py',
  'tokenization_chatglm.py',
  'adapter_config.json',
  'prefix_config.json',
]);

/** A file of this kind beyond it is not what its name says; bytes. */
const MOST_SMALL_BYTES = 256 * 1024 * 1024;

/** Weights of one kind: the layout that is read first when several are there. */
const WEIGHTS: readonly (readonly RegExp[])[] = [
  [
    /^model\.safetensors$/,
    /^model-\d+-of-\d+\.safetensors$|^model\.safetensors\.index\.json$/,
    /^pytorch_model\.bin$/,
    /^pytorch_model-\d+-of-\d+\.bin$|^pytorch_model\.bin\.index\.json$/,
  ],
  [/^adapter_model\.safetensors$/, /^adapter_model\.bin$/],
  [/^prefix_encoder\.safetensors$/],
];

/**
 * The files to fetch, in the order of their paths, small ones first.
 * Throws GlmError `hub.noCheckpoint`, `hub.nothingChosen` or `hub.tooLarge`.
 */
export function selectFiles(
  repository: string,
  files: readonly RemoteFile[],
  { include, exclude }: Choice,
): RemoteFile[] {
  const excluded = new Set(filesLike(files, exclude));
  const left = files.filter((file) => !excluded.has(file));
  const chosen = include.length > 0 ? filesLike(left, include) : checkpointFiles(repository, left);
  if (chosen.length === 0) throw new GlmError('hub.nothingChosen', { repository });
  return chosen.toSorted((a, b) => a.bytes - b.bytes || (a.path < b.path ? -1 : 1));
}

function filesLike(files: readonly RemoteFile[], patterns: readonly string[]): RemoteFile[] {
  const expressions = patterns.map(expressionOf);
  return files.filter(({ path }) => expressions.some((expression) => expression.test(path)));
}

function expressionOf(pattern: string): RegExp {
  const text = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${text}$`, 's');
}

function checkpointFiles(repository: string, files: readonly RemoteFile[]): RemoteFile[] {
  const chosen = files.filter(({ path }) => SMALL_FILES.has(path));
  const weights = WEIGHTS.flatMap((formats) => preferred(files, formats));
  if (weights.length === 0) throw new GlmError('hub.noCheckpoint', { repository });
  const tooLarge = chosen.find(({ bytes }) => bytes > MOST_SMALL_BYTES);
  if (tooLarge) {
    const [megabytes, limit] = [tooLarge.bytes, MOST_SMALL_BYTES].map((bytes) => Math.round(bytes / 1e6));
    throw new GlmError('hub.tooLarge', { path: tooLarge.path, megabytes, limit });
  }
  return [...chosen, ...weights];
}

/** The files of the first layout that is there. */
function preferred(files: readonly RemoteFile[], formats: readonly RegExp[]): RemoteFile[] {
  for (const format of formats) {
    const found = files.filter(({ path }) => format.test(path));
    // An index alone is no weights.
    if (found.some(({ path }) => !path.endsWith('.json'))) return found;
  }
  return [];
}
