/** Rows of `score` and `generate` as token ids. */
import { hasKey, isJsonObject, type JsonValue } from '../../dataset/json';
import { normaliseRecord } from '../../dataset/formats';
import type { Message, Role, ToolDescription, TrainingRecord } from '../../dataset/types';
import { readConfig } from '../../checkpoint/config';
import type { LanguageModel } from '../../engine';
import { GlmError } from '../../protocol/errors';
import type { ChatTemplate, TokenizerBundle } from '../../tokenizer/types';
import { badRow, type Row } from './readRows';

/** The model's side of encoding. */
export interface RowEncoder {
  /** Read only where a row is text. */
  bundle(): Promise<TokenizerBundle>;
  /** Longest row in tokens. */
  maxLength: number;
  /** Number of ids the model can embed; more than the tokenizer has, as the matrix is padded. */
  vocabSize: number;
  /** Ids that a row of ChatGLM-6B cannot do without; null for the other families. */
  markers: ContextMarkers | null;
}

interface ContextMarkers {
  /** `<sop>`, behind which the answer begins. */
  sop: number;
  /** `[gMASK]` and `[MASK]`, one of which stands where the answer goes. */
  masks: readonly [number, number];
}

/** @param directory of the model, whose configuration names the markers */
export function rowEncoder(model: LanguageModel, directory: string): RowEncoder {
  const config = readConfig(directory);
  return {
    bundle: () => model.bundle(),
    maxLength: model.maxLength,
    vocabSize: model.vocabSize,
    markers:
      config.architecture === 'chatglm'
        ? { sop: config.bos_token_id, masks: [config.gmask_token_id, config.mask_token_id] }
        : null,
  };
}

export const SCORE_SHAPES =
  'input_ids, text, messages, conversations, prompt + response, instruction + output, ...';
export const GENERATE_SHAPES = 'input_ids, prompt, messages, text, conversations, instruction, ...';

/** Token ids and labels of a row to score; `labels` is null where every token but the first counts. */
export async function encodeScoreRow(
  row: Row,
  model: RowEncoder,
): Promise<{ inputIds: number[]; labels: number[] | null; paddingBefore?: number }> {
  if (hasKey(row.value, 'input_ids')) {
    const { ids: inputIds, real, paddingBefore } = tokenIds(row, model);
    const labels = hasKey(row.value, 'labels') ? labelIds(row, real.length, model) : null;
    const kept = labels && labels.filter((_, i) => real[i]);
    return { inputIds, labels: kept, ...(paddingBefore > 0 && { paddingBefore }) };
  }
  const record = trainingRecord(row, SCORE_SHAPES);
  const { template } = await model.bundle();
  // A text is scored as it stands, without the stop token that training would teach after it.
  if (record.kind === 'text')
    return { inputIds: continuedText(row, record, template, model.maxLength), labels: null };
  const sample = template.encodeRecord(record, {
    maxLength: model.maxLength,
    maskHistory: false,
  });
  if ('dropped' in sample)
    throw new GlmError('input.dropped', { path: row.path, line: row.line, reason: sample.dropped });
  if (sample.truncated > 0) throw tooLong(row, sample.inputIds.length + sample.truncated, model.maxLength);
  return { inputIds: [...sample.inputIds], labels: [...sample.labels] };
}

/** Token ids after which the model goes on. */
export async function encodePromptRow(row: Row, model: RowEncoder): Promise<number[]> {
  const ids = await promptIds(row, model);
  if (ids.length >= model.maxLength) throw tooLong(row, ids.length, model.maxLength);
  return ids;
}

async function promptIds(row: Row, model: RowEncoder): Promise<number[]> {
  const { value } = row;
  if (hasKey(value, 'input_ids')) return tokenIds(row, model).ids;
  const { template } = await model.bundle();
  if (Array.isArray(value.messages))
    return template.encodePrompt(withoutEndingAnswer(chatMessages(row)), tools(row));
  if (typeof value.prompt === 'string' && !hasHistory(value.history))
    return template.encodePrompt([{ role: 'user', content: value.prompt }]);
  if (hasKey(value, 'prompt') && typeof value.prompt !== 'string') throw badField(row, 'prompt', 'string');
  const record = trainingRecord(row, GENERATE_SHAPES);
  switch (record.kind) {
    case 'conversation':
      return template.encodePrompt(withoutLastAnswer(record.messages), record.tools);
    case 'tokens':
      return record.input_ids;
    case 'text':
      return continuedText(row, record, template, model.maxLength);
  }
}

/** A conversation that ends with an answer asks for that answer again. */
function withoutEndingAnswer(messages: Message[]): Message[] {
  return messages.at(-1)?.role === 'assistant' ? messages.slice(0, -1) : messages;
}

/** The ids of a text without the stop token that training puts at its end. */
function continuedText(
  row: Row,
  record: TrainingRecord,
  template: ChatTemplate,
  maxLength: number,
): number[] {
  const sample = template.encodeRecord(record, { maxLength, maskHistory: false });
  if ('dropped' in sample)
    throw new GlmError('input.dropped', { path: row.path, line: row.line, reason: sample.dropped });
  if (sample.truncated > 0) throw tooLong(row, sample.inputIds.length + sample.truncated, maxLength);
  const ids = [...sample.inputIds];
  while (ids.length > 1 && template.stopIds.includes(ids.at(-1) ?? -1)) ids.pop();
  return ids;
}

/** A dataset record asks for its last answer. */
function withoutLastAnswer(messages: readonly Message[]): Message[] {
  const last = messages.findLastIndex((message) => message.role === 'assistant');
  return last < 0 ? [...messages] : messages.slice(0, last);
}

const ROLES: readonly Role[] = ['system', 'user', 'assistant', 'observation'];

function chatMessages(row: Row): Message[] {
  const list = row.value.messages as JsonValue[];
  if (list.length === 0) throw badField(row, 'messages', 'messages');
  return list.map((entry, index) => {
    const field = `messages[${index}]`;
    if (!isJsonObject(entry)) throw badField(row, field, 'message');
    const role = entry.role === 'tool' ? 'observation' : entry.role;
    if (!ROLES.includes(role as Role)) throw badField(row, `${field}.role`, 'role');
    if (typeof entry.content !== 'string') throw badField(row, `${field}.content`, 'string');
    const metadata = typeof entry.metadata === 'string' ? { metadata: entry.metadata } : {};
    return { role: role as Role, content: entry.content, ...metadata };
  });
}

function tools(row: Row): ToolDescription[] | undefined {
  const { value } = row;
  if (!hasKey(value, 'tools')) return undefined;
  if (!Array.isArray(value.tools) || !value.tools.every((tool) => isJsonObject(tool)))
    throw badField(row, 'tools', 'objects');
  return value.tools;
}

function hasHistory(history: JsonValue | undefined): boolean {
  return Array.isArray(history) && history.length > 0;
}

function trainingRecord(row: Row, expected: string): TrainingRecord {
  const normalised = normaliseRecord(row.value);
  if ('record' in normalised) return normalised.record;
  if (normalised.format !== null) throw badRow(row.path, row.line, row.text);
  throw new GlmError('input.unknownRow', { path: row.path, line: row.line, expected });
}

/** A list of token ids of the model's vocabulary, not empty. */
function tokenIds(row: Row, model: RowEncoder): { ids: number[]; real: boolean[]; paddingBefore: number } {
  const field = 'input_ids';
  const padded = integers(row, field);
  const real = realTokens(row, padded.length);
  const ids = padded.filter((_, i) => real[i]);
  if (ids.length === 0) throw badField(row, field, 'tokenIds');
  const size = model.vocabSize;
  const foreign = ids.find((id) => id < 0 || id >= size);
  if (foreign !== undefined)
    throw new GlmError('input.tokenRange', { path: row.path, line: row.line, token: foreign, size });
  if (ids.length > model.maxLength) throw tooLong(row, ids.length, model.maxLength);
  if (model.markers) requireMarkers(row, ids, model.markers);
  return { ids, real, paddingBefore: real.indexOf(true) };
}

/** Which tokens an `attention_mask` of 0 and 1 beside the ids leaves; all where there is none. */
function realTokens(row: Row, length: number): boolean[] {
  if (!hasKey(row.value, 'attention_mask')) return Array<boolean>(length).fill(true);
  const mask = integers(row, 'attention_mask');
  if (mask.length !== length) throw badField(row, 'attention_mask', 'sameLength');
  return mask.map((real) => real !== 0);
}

/** Throws `input.noMarker` where ChatGLM-6B could not tell the context from the answer. */
function requireMarkers(row: Row, ids: readonly number[], { sop, masks }: ContextMarkers): void {
  const { path, line } = row;
  if (!ids.includes(sop)) throw new GlmError('input.noMarker', { path, line, marker: '<sop>', token: sop });
  if (!masks.some((mask) => ids.includes(mask)))
    throw new GlmError('input.noMarker', { path, line, marker: '[gMASK]', token: masks[0] });
}

/** Labels beside `input_ids`: -100, or the token itself. */
function labelIds(row: Row, length: number, model: RowEncoder): number[] {
  const labels = integers(row, 'labels');
  if (labels.length !== length) throw badField(row, 'labels', 'sameLength');
  const size = model.vocabSize;
  const foreign = labels.find((id) => id !== -100 && (id < 0 || id >= size));
  if (foreign !== undefined)
    throw new GlmError('input.tokenRange', { path: row.path, line: row.line, token: foreign, size });
  return labels;
}

function integers(row: Row, field: string): number[] {
  const list = row.value[field];
  if (!Array.isArray(list) || !list.every((id) => Number.isInteger(id)))
    throw badField(row, field, 'tokenIds');
  return list as number[];
}

/** The row's own `max_new_tokens`, or the default. */
export function rowMaxNewTokens(row: Row, fallback: number): number {
  const own = row.value.max_new_tokens;
  if (own === undefined) return fallback;
  if (typeof own !== 'number' || !Number.isInteger(own) || own < 1)
    throw badField(row, 'max_new_tokens', 'positive');
  return own;
}

/** What a field must be; the sentences stand in `src/text/errors/input`. */
export type FieldExpectation =
  'string' | 'messages' | 'message' | 'role' | 'objects' | 'tokenIds' | 'sameLength' | 'positive';

function badField(row: Row, field: string, expected: FieldExpectation): GlmError {
  return new GlmError('input.badField', { path: row.path, line: row.line, field, expected });
}

function tooLong(row: Row, tokens: number, limit: number): GlmError {
  return new GlmError('input.tooLong', { path: row.path, line: row.line, tokens, limit });
}
