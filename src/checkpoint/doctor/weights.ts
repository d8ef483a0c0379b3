/** Findings about the tensors of a checkpoint. */
import path from 'node:path';
import type { ModelFinding } from '../../protocol/modelReport';
import { findModelProblems, isPrefixTensor, type ModelProblem } from '../modelDoctor';
import { prefixTensorName } from '../prefix';
import { structureOf, type ModelStructure } from '../structure';
import type { ModelConfig, TensorEntry, TensorReader } from '../types';

/** Bytes compared at the beginning, in the middle and at the end of two tensors that should be equal. */
const SAMPLE_BYTES = 64 * 1024;

export function weightFindings(config: ModelConfig, reader: TensorReader): ModelFinding[] {
  return [
    ...findModelProblems(config, reader.tensors).map(fromProblem),
    ...tiedFindings(structureOf(config), reader),
    ...prefixFindings(config, reader.tensors),
  ];
}

function fromProblem(problem: ModelProblem): ModelFinding {
  const severity = 'error';
  switch (problem.kind) {
    case 'missing':
      return {
        severity,
        code: 'missingTensor',
        args: { tensor: problem.tensor, expected: shapeText(problem.expected) },
      };
    case 'shape':
      return {
        severity,
        code: 'wrongShape',
        args: {
          ...place(problem),
          found: shapeText(problem.found),
          expected: shapeText(problem.expected),
        },
      };
    case 'dtype':
      return {
        severity,
        code: 'wrongDType',
        args: { ...place(problem), found: problem.found, expected: (problem.expected ?? []).join(' / ') },
      };
    case 'extra':
      return {
        severity,
        code: 'extraTensor',
        args: { ...place(problem), found: shapeText(problem.found) },
      };
    case 'vocabulary':
      return {
        severity,
        code: 'vocabularyTooSmall',
        args: { tokens: problem.tokenizer, rows: problem.rows },
      };
  }
}

function place({ tensor, file }: { tensor: string; file: string }): { tensor: string; file: string } {
  return { tensor, file: path.basename(file) };
}

function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

/** A tied parameter may be stored twice; the copy is not read. */
function tiedFindings({ optional, embedding }: ModelStructure, reader: TensorReader): ModelFinding[] {
  const original = reader.tensors.get(embedding);
  const copies = optional.flatMap(({ name }) => reader.tensors.get(name) ?? []);
  return copies.map((copy) => {
    const isEqual = original !== undefined && samplesEqual(reader, original, copy);
    const args = { tensor: copy.name, parameter: embedding };
    return isEqual
      ? { severity: 'note', code: 'tiedCopy', args }
      : { severity: 'warning', code: 'tiedCopyDiffers', args };
  });
}

function samplesEqual(reader: TensorReader, a: TensorEntry, b: TensorEntry): boolean {
  if (a.dtype !== b.dtype || a.byteLength !== b.byteLength) return false;
  const length = Math.min(SAMPLE_BYTES, a.byteLength);
  const last = a.byteLength - length;
  return [0, Math.floor(last / 2), last].every((offset) => {
    const [left, right] = [a, b].map(({ name }) => {
      const sample = Buffer.alloc(length);
      reader.readSlice(name, offset, sample);
      return sample;
    });
    return left.equals(right);
  });
}

/** A prefix encoder inside a checkpoint is an adapter of its own; training and chat use it only when it is named as one. */
function prefixFindings(config: ModelConfig, tensors: ReadonlyMap<string, TensorEntry>): ModelFinding[] {
  const configured = 'pre_seq_len' in config ? config.pre_seq_len : undefined;
  const table = prefixTensorName('thudm', 'embedding');
  const found = [...tensors.keys()].find((name) => isPrefixTensor(name) && table.endsWith(name));
  if (found !== undefined) {
    const entries = tensors.get(found)?.shape[0] ?? 0;
    return [{ severity: 'note', code: 'prefixInside', args: { entries } }];
  }
  if (configured === undefined) return [];
  return [{ severity: 'warning', code: 'prefixMissing', args: { entries: configured } }];
}
