import { GlmError, type ByteVocabularyProblem } from '../../protocol/errors';
import { PairMap } from '../sentencepiece/pairMap';
import type { AddedToken } from './addedTokens';
import { bytesOfToken } from './byteAlphabet';
import { ByteBpe } from './byteBpe';
import { ByteLevelTokenizer } from './byteLevelTokenizer';
import { asArray, asObject, type Fields } from './fields';
import { MAX_TOKEN_BYTES, MAX_TOKENS, makeVocabulary } from './rankFile';
import { GLM4_SPLIT } from './splitter';
import type { ByteVocabulary, MergeRules } from './vocabulary';
import { showValue } from '../load/showValue';

/** `key` of what is refused, as a path in the file, and its value. */
type Refuse = (key: string, value: unknown) => GlmError;

/**
 * Reads `tokenizer.json` of Hugging Face's tokenizers: byte-level BPE with GLM-4's split, added tokens and a template
 * that adds fixed tokens. A tokenizer of another kind is refused by the name of what differs, never approximated.
 * @param path for the error only
 * @throws GlmError `tokenizer.invalidJson`, `tokenizer.unsupportedJson`
 */
export function parseTokenizerJson(file: Uint8Array, path: string): ByteLevelTokenizer {
  const fail = (reason: ByteVocabularyProblem): GlmError =>
    new GlmError('tokenizer.invalidJson', { path, reason });
  const refuse: Refuse = (key, value) =>
    new GlmError('tokenizer.unsupportedJson', { path, key, value: showValue(value) });
  const root = parseObject(file, fail);
  const model = asObject(root.model);
  if (model === null) throw fail('malformed');
  requireKnownPipeline(root, model, refuse);

  const vocabulary = readVocabulary(asObject(model.vocab), fail);
  const merges = readMerges(asArray(model.merges), vocabulary, fail);
  const added = readAddedTokens(asArray(root.added_tokens) ?? [], vocabulary, fail, refuse);
  const bpe = new ByteBpe(vocabulary, merges, model.ignore_merges === true);
  const known = vocabulary.size + added.length;
  const isId = (id: unknown): id is number =>
    Number.isInteger(id) && (id as number) >= 0 && (id as number) < known;
  return new ByteLevelTokenizer(bpe, { added, ...readPostProcessor(root.post_processor, isId, refuse) });
}

function parseObject(file: Uint8Array, fail: (reason: ByteVocabularyProblem) => GlmError): Fields {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(file);
    const root = asObject(JSON.parse(text));
    if (root) return root;
  } catch {
    // Whatever is wrong, the file is none of the kind.
  }
  throw fail('malformed');
}

/** Everything but vocabulary and added tokens must be what the encoder does. */
function requireKnownPipeline(root: Fields, model: Fields, refuse: Refuse): void {
  if (model.type !== undefined && model.type !== 'BPE') throw refuse('model.type', model.type);
  for (const key of ['dropout', 'continuing_subword_prefix', 'end_of_word_suffix']) {
    if (model[key]) throw refuse(`model.${key}`, model[key]);
  }
  if (model.byte_fallback === true) throw refuse('model.byte_fallback', true);
  if (root.normalizer) throw refuse('normalizer', root.normalizer);
  const steps = pipeline(root.pre_tokenizer, 'pretokenizers');
  const [split, byteLevel] = steps;
  if (steps.length !== 2 || split?.type !== 'Split' || byteLevel?.type !== 'ByteLevel') {
    throw refuse('pre_tokenizer', root.pre_tokenizer);
  }
  const pattern = asObject(split.pattern)?.Regex;
  if (pattern !== GLM4_SPLIT) throw refuse('pre_tokenizer.pattern', pattern ?? split.pattern);
  if (split.behavior !== 'Isolated') throw refuse('pre_tokenizer.behavior', split.behavior);
  if (split.invert === true) throw refuse('pre_tokenizer.invert', true);
  if (byteLevel.add_prefix_space === true) throw refuse('pre_tokenizer.add_prefix_space', true);
  if (byteLevel.use_regex !== false) throw refuse('pre_tokenizer.use_regex', byteLevel.use_regex);
  const decoder = asObject(root.decoder);
  if (decoder?.type !== 'ByteLevel') throw refuse('decoder', root.decoder);
}

/** The members of a `Sequence`, or the one step there is. */
function pipeline(value: unknown, members: string): Fields[] {
  const step = asObject(value);
  if (!step) return [];
  if (step.type !== 'Sequence') return [step];
  return (asArray(step[members]) ?? []).map((member) => asObject(member) ?? {});
}

function readVocabulary(
  vocab: Fields | null,
  fail: (reason: ByteVocabularyProblem) => GlmError,
): ByteVocabulary {
  const entries = Object.entries(vocab ?? {});
  if (entries.length > MAX_TOKENS) throw fail('tooMany');
  const tokens: string[] = [];
  for (const [text, id] of entries) {
    const bytes = bytesOfToken(text);
    if (bytes === null || bytes.length === 0 || bytes.length > MAX_TOKEN_BYTES) throw fail('malformed');
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0) throw fail('malformed');
    if (id >= entries.length) throw fail('holes');
    if (tokens[id] !== undefined) throw fail('duplicate');
    tokens[id] = bytes;
  }
  return makeVocabulary(tokens, () => fail('missingBytes'));
}

/** Merges as pairs or as two tokens with a space between; the earlier one comes first. */
function readMerges(
  merges: readonly unknown[] | null,
  { ids, tokens }: ByteVocabulary,
  fail: (reason: ByteVocabularyProblem) => GlmError,
): MergeRules {
  if (merges === null) throw fail('malformed');
  // A token of n bytes has n - 1 splits; real files have about two merges a token.
  if (merges.length > MAX_TOKENS * 4) throw fail('tooMany');
  const pairs = new PairMap(merges.length);
  const results = new Int32Array(merges.length);
  for (const [order, merge] of merges.entries()) {
    const halves: readonly unknown[] = typeof merge === 'string' ? merge.split(' ') : (asArray(merge) ?? []);
    const [left, right] = halves.map((half) => idOf(half, ids));
    if (halves.length !== 2 || left === undefined || right === undefined) throw fail('badMerge');
    const result = ids.get(tokens[left] + tokens[right]);
    if (result === undefined) throw fail('badMerge');
    results[order] = result;
    pairs.set(left, right, order);
  }
  return { pairs, results };
}

function idOf(half: unknown, ids: ReadonlyMap<string, number>): number | undefined {
  const bytes = typeof half === 'string' ? bytesOfToken(half) : null;
  return bytes === null ? undefined : ids.get(bytes);
}

function readAddedTokens(
  list: readonly unknown[],
  vocabulary: ByteVocabulary,
  fail: (reason: ByteVocabularyProblem) => GlmError,
  refuse: Refuse,
): AddedToken[] {
  if (list.length > MAX_ADDED) throw fail('tooMany');
  const added: AddedToken[] = [];
  const seen = new Set<unknown>();
  for (const entry of list) {
    const { id, content, special, ...options } = asObject(entry) ?? {};
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= MAX_TOKENS)
      throw fail('malformed');
    if (typeof content !== 'string' || content === '' || content.length > MAX_TOKEN_BYTES)
      throw fail('malformed');
    for (const key of ['single_word', 'lstrip', 'rstrip']) {
      if (options[key] === true) throw refuse(`added_tokens.${key}`, content);
    }
    if (seen.has(id) || seen.has(content)) throw fail('duplicate');
    seen.add(id).add(content);
    // An id below the vocabulary's size must be that very token there.
    if (id < vocabulary.size && idOf(content, vocabulary.ids) !== id) throw fail('duplicate');
    added.push({ id, text: content, special: special === true });
  }
  return added;
}

/** Fixed tokens before and after a text; byte-level steps only touch offsets. */
function readPostProcessor(
  value: unknown,
  isId: (id: unknown) => id is number,
  refuse: Refuse,
): { prefix: number[]; suffix: number[] } {
  const prefix: number[] = [];
  const suffix: number[] = [];
  const steps = pipeline(value, 'processors').filter((step) => step.type !== 'ByteLevel');
  if (steps.length > 1 || (steps.length === 1 && steps[0].type !== 'TemplateProcessing')) {
    throw refuse('post_processor', value);
  }
  let target = prefix;
  for (const item of asArray(steps[0]?.single) ?? []) {
    const token = asObject(asObject(item)?.SpecialToken);
    if (token) {
      const ids = asArray(asObject(asObject(steps[0].special_tokens)?.[String(token.id)])?.ids);
      if (!ids?.every(isId)) throw refuse('post_processor.special_tokens', token.id);
      target.push(...ids);
    } else if (asObject(asObject(item)?.Sequence)?.id === 'A' && target === prefix) {
      target = suffix;
    } else {
      throw refuse('post_processor.single', item);
    }
  }
  return { prefix, suffix };
}

/** GLM-4 has 14. */
const MAX_ADDED = 4096;
