/** Does a checkpoint hold the tensors its configuration calls for? */
import { GlmError } from '../protocol/errors';
import { isFloating } from './dtype';
import { storedTensors, type StoredSpec } from './packed/stored';
import { structureOf } from './structure';
import type { ModelConfig, StoredDType, TensorEntry, TensorReader } from './types';

/** One thing that does not fit. */
export type ModelProblem =
  | { kind: 'missing'; tensor: string; expected: readonly number[] }
  | { kind: 'shape'; tensor: string; expected: readonly number[]; found: readonly number[]; file: string }
  /** `expected`: the formats a part of a quantised matrix may have; left out where any floating-point one will do. */
  | { kind: 'dtype'; tensor: string; expected?: readonly StoredDType[]; found: StoredDType; file: string }
  | { kind: 'extra'; tensor: string; found: readonly number[]; file: string }
  | { kind: 'vocabulary'; tokenizer: number; rows: number };

const MOST_PROBLEMS = 20;

/** Buffers that checkpoints carry and the model computes for itself. */
const IGNORED = /(^|\.)(rotary_pos_emb|rotary_emb)\.inv_freq$/;

/** A P-Tuning v2 encoder that was saved with its model: an adapter of its own, no part of the network. */
const PREFIX = /^(transformer\.)?prefix_encoder\./;

export function isPrefixTensor(name: string): boolean {
  return PREFIX.test(name);
}

/**
 * Compares the tensors of a checkpoint with what its configuration calls for.
 * @param path the directory, for the message
 * @param tokenizerVocabulary number of ids the tokenizer can produce; more than the model's rows cannot be embedded
 * @throws GlmError `checkpoint.doesNotFit` with all problems at once
 */
export function checkModel(
  path: string,
  config: ModelConfig,
  reader: TensorReader,
  tokenizerVocabulary?: number,
): void {
  throwProblems(path, findModelProblems(config, reader.tensors, tokenizerVocabulary));
}

/** Throws GlmError `checkpoint.doesNotFit` if there is any problem; `of` is what lies at `path`. */
export function throwProblems(
  path: string,
  problems: readonly ModelProblem[],
  of: 'model' | 'adapter' = 'model',
): void {
  if (problems.length === 0) return;
  throw new GlmError('checkpoint.doesNotFit', {
    path,
    of,
    count: problems.length,
    problems: JSON.stringify(problems.slice(0, MOST_PROBLEMS)),
  });
}

/** Every problem of a model, in the order of its layers, unexpected tensors last. */
export function findModelProblems(
  config: ModelConfig,
  tensors: ReadonlyMap<string, TensorEntry>,
  tokenizerVocabulary?: number,
): ModelProblem[] {
  const { tensors: dense, optional, linears, vocabSize: rows } = structureOf(config);
  const matrices = new Set(linears.map(({ module }) => `${module}.weight`));
  const expected = dense.flatMap((spec) => (matrices.has(spec.name) ? storedTensors(spec, tensors) : [spec]));
  const copies = optional.filter(({ name }) => tensors.has(name));
  const problems = findProblems([...expected, ...copies], tensors).filter(
    (problem) => problem.kind !== 'extra' || !isPrefixTensor(problem.tensor),
  );
  if (tokenizerVocabulary !== undefined && tokenizerVocabulary > rows) {
    problems.push({ kind: 'vocabulary', tokenizer: tokenizerVocabulary, rows });
  }
  return problems;
}

/** Differences between the tensors that are called for and those that are there. */
export function findProblems(
  expected: readonly StoredSpec[],
  tensors: ReadonlyMap<string, TensorEntry>,
): ModelProblem[] {
  const problems = expected.flatMap((spec) => tensorProblems(spec, tensors.get(spec.name)));
  const names = new Set(expected.map((spec) => spec.name));
  for (const entry of tensors.values()) {
    if (names.has(entry.name) || IGNORED.test(entry.name)) continue;
    problems.push({ kind: 'extra', tensor: entry.name, found: entry.shape, file: entry.file });
  }
  return problems;
}

function tensorProblems(spec: StoredSpec, entry: TensorEntry | undefined): ModelProblem[] {
  if (!entry && spec.optional) return [];
  if (!entry) return [{ kind: 'missing', tensor: spec.name, expected: spec.shape }];
  const { name: tensor, shape: found, dtype, file } = entry;
  if (found.length !== spec.shape.length || found.some((size, axis) => size !== spec.shape[axis])) {
    return [{ kind: 'shape', tensor, expected: spec.shape, found, file }];
  }
  if (spec.dtypes && !spec.dtypes.includes(dtype))
    return [{ kind: 'dtype', tensor, expected: spec.dtypes, found: dtype, file }];
  if (!spec.dtypes && !isFloating(dtype)) return [{ kind: 'dtype', tensor, found: dtype, file }];
  return [];
}
