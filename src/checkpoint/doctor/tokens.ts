/** Findings about token ids: configuration against vocabulary, tokenizer and `generation_config.json`. */
import type { CodedFinding } from '../../protocol/modelReport';
import { structureOf } from '../structure';
import type { ModelConfig } from '../types';

/** What the doctor needs to know of a tokenizer, which this room does not load itself. */
export interface TokenizerFacts {
  /** Number of ids. */
  tokens: number;
  /** Prompt format. */
  template: string;
  /** Special tokens by their text. */
  specialTokens: ReadonlyMap<string, number>;
  /** Ids that end an answer in the prompt format. */
  stopIds: readonly number[];
  /** How an id is written. */
  piece: (id: number) => string;
}

type Json = Readonly<Record<string, unknown>>;

const TOKEN_KEYS = [
  'bos_token_id',
  'eos_token_id',
  'pad_token_id',
  'mask_token_id',
  'gmask_token_id',
  'sep_token_id',
  'decoder_start_token_id',
] as const;

/** Texts of ChatGLM-6B's tokens. Positions and mask are computed from the first three. */
const CHATGLM_TOKENS: readonly [key: string, text: string, isEssential: boolean][] = [
  ['bos_token_id', '<sop>', true],
  ['mask_token_id', '[MASK]', true],
  ['gmask_token_id', '[gMASK]', true],
  ['eos_token_id', '<eop>', false],
  ['pad_token_id', '<pad>', false],
];

/** Prompt formats that can be right for a network. */
const TEMPLATES: Readonly<Record<ModelConfig['architecture'], readonly string[]>> = {
  chatglm: ['chatglm'],
  chatglm2: ['chatglm2', 'chatglm3', 'glm4', 'jinja'],
  glm: ['jinja', 'glm4'],
  glm4: ['jinja', 'glm4'],
};

/** Fewer ids than this part of the rows: the embedding belongs to another tokenizer. Released models have 0.99 and more. */
const LEAST_FILLED = 0.9;

/** Ids of one file that lie outside the vocabulary. The engine looks none of them up, other tools do. */
export function rangeFindings(json: Json, file: string, rows: number): CodedFinding[] {
  return TOKEN_KEYS.flatMap((key) =>
    ids(json[key])
      .filter((token) => token >= rows)
      .map((token) => ({ severity: 'warning', code: 'tokenOutside', args: { file, key, token, rows } })),
  );
}

/** Where `generation_config.json` says something else than `config.json`. */
export function generationFindings(config: Json, generation: Json): CodedFinding[] {
  return TOKEN_KEYS.flatMap((key) => {
    const [first, second] = [ids(config[key]), ids(generation[key])];
    // The configuration names one end token, generation several: it is enough that the one is among them.
    const isSame = first.every((id) => second.includes(id));
    if (first.length === 0 || second.length === 0 || isSame) return [];
    const args = { key, config: first.join(', '), generation: second.join(', ') };
    return [{ severity: 'warning', code: 'generationDiffers', args }];
  });
}

/** Whether tokenizer, prompt format and configuration belong together. */
export function tokenizerFindings(
  config: ModelConfig,
  json: Json,
  tokenizerConfig: Json,
  facts: TokenizerFacts,
): CodedFinding[] {
  return [
    ...sizeFindings(structureOf(config).vocabSize, facts.tokens),
    ...templateFindings(config, facts),
    ...(config.architecture === 'chatglm'
      ? chatGlmFindings(config, facts)
      : [...namedTokenFindings(json, tokenizerConfig, facts), ...stopFindings(json, facts)]),
  ];
}

function sizeFindings(rows: number, tokens: number): CodedFinding[] {
  const args = { tokens, rows };
  if (tokens > rows) return [{ severity: 'error', code: 'vocabularyTooSmall', args }];
  if (tokens < rows * LEAST_FILLED) return [{ severity: 'warning', code: 'vocabularyTooLarge', args }];
  return tokens === rows ? [] : [{ severity: 'note', code: 'unusedRows', args }];
}

function templateFindings({ architecture }: ModelConfig, { template }: TokenizerFacts): CodedFinding[] {
  const usable = TEMPLATES[architecture];
  if (usable.includes(template)) return [];
  return [{ severity: 'error', code: 'templateFamily', args: { template, usable: usable.join(', ') } }];
}

function chatGlmFindings(config: ModelConfig, facts: TokenizerFacts): CodedFinding[] {
  const configured = config as unknown as Record<string, number>;
  return CHATGLM_TOKENS.flatMap(([key, text, isEssential]) =>
    differing(key, [configured[key]], text, isEssential ? 'error' : 'warning', facts),
  );
}

/** `eos_token`, `pad_token`, `bos_token` of `tokenizer_config.json`, where the tokenizer has them as special tokens. */
function namedTokenFindings(json: Json, tokenizerConfig: Json, facts: TokenizerFacts): CodedFinding[] {
  return ['bos_token', 'eos_token', 'pad_token'].flatMap((name) => {
    const text = tokenText(tokenizerConfig[name]);
    const key = `${name}_id`;
    return text === null ? [] : differing(key, ids(json[key]), text, 'warning', facts);
  });
}

function differing(
  key: string,
  found: readonly number[],
  text: string,
  severity: 'error' | 'warning',
  facts: TokenizerFacts,
): CodedFinding[] {
  const expected = facts.specialTokens.get(text);
  if (expected === undefined || found.length === 0 || found.includes(expected)) return [];
  const args = { key, found: describeIds(found, facts), expected: describeIds([expected], facts) };
  return [{ severity, code: 'tokenDiffers', args }];
}

function stopFindings(json: Json, facts: TokenizerFacts): CodedFinding[] {
  const found = ids(json.eos_token_id);
  if (found.length === 0 || found.some((id) => facts.stopIds.includes(id))) return [];
  const args = { found: describeIds(found, facts), expected: describeIds(facts.stopIds, facts) };
  return [{ severity: 'warning', code: 'stopTokensDiffer', args }];
}

/** Such as `2 "</s>", 7 "a"`. */
function describeIds(list: readonly number[], { tokens, piece }: TokenizerFacts): string {
  return list.map((id) => (id < tokens ? `${id} ${JSON.stringify(piece(id))}` : String(id))).join(', ');
}

/** A token in `tokenizer_config.json` is a text, or an object with its text as `content`. */
function tokenText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  const content = (value as { content?: unknown } | null | undefined)?.content;
  return typeof content === 'string' ? content : null;
}

/** The ids of a key: one, a list, or none; negative ones mean none. */
function ids(value: unknown): number[] {
  const list: unknown[] = Array.isArray(value) ? value.slice(0, 100) : [value];
  return list.filter((id): id is number => Number.isSafeInteger(id) && (id as number) >= 0);
}
