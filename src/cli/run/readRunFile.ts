/** Reads a run file: strict JSON, every problem at once, paths made absolute and looked up. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { readConfig } from '../../checkpoint/config';
import { targetableNames, unknownTargets } from '../../checkpoint/lora';
import type { JsonPath } from '../../dataset/json';
import { JsonPositions } from '../../dataset/jsonl/positions';
import { findSyntaxFault } from '../../dataset/jsonl/syntax';
import { syntaxRule } from '../../dataset/rules';
import { GlmError } from '../../protocol/errors';
import { parseRunFile, type RunFile } from '../../protocol/run';
import { checkRun, type RunCheck } from '../../protocol/runChecks';
import {
  ADAPTER_CONFIGS,
  ADAPTER_FILES,
  adoptAdapter,
  checkStartingAdapter,
  summariseAdapter,
  type AdapterSummary,
} from '../../protocol/startingAdapter';
import { describeRunCheck } from '../../text/runChecks';
import { describeRunProblem } from '../../text/runProblems';
import type { Translate } from '../../text/translate';

/** A run file is a page of text; anything much larger is a mistake in the path. */
const MAX_BYTES = 1_000_000;

interface Problem {
  key: string;
  sentence: string;
}

export interface RunReading {
  /** Defaults filled in, paths absolute, sizes of the starting adapter taken over. */
  run: RunFile;
  /** What the user should know, one line each with its place; the run can start all the same. */
  warnings: string[];
}

/**
 * The run described by `file`.
 * Throws GlmError `run.fileNotFound`, `run.notJson` or `run.invalidFile`, the last with all problems and their places.
 */
export function readRunFile(t: Translate, file: string): RunReading {
  const absolute = path.resolve(file);
  const text = readText(absolute);
  const written: unknown = JSON.parse(text);
  const parsed = parseRunFile(written);
  const refuse = (problems: Problem[]): never => {
    const lines = problems.map((problem) => problemLine(absolute, text, problem));
    throw new GlmError('run.invalidFile', { path: absolute, problems: lines.join('\n') });
  };
  if ('problems' in parsed)
    return refuse(
      parsed.problems.map((problem) => ({ key: problem.key, sentence: describeRunProblem(t, problem) })),
    );
  const run = resolvePaths(parsed.run, path.dirname(absolute));
  const adapter = run.adapter === null ? null : readAdapterSummary(run.adapter);
  const checks = [...checkRun(run), ...(adapter ? checkStartingAdapter(run, written, adapter) : [])];
  const told = (severity: RunCheck['severity']): Problem[] =>
    checks
      .filter((check) => check.severity === severity)
      .map((check) => ({ key: check.key, sentence: describeRunCheck(t, check) }));
  const problems = [...told('error'), ...missingFiles(t, run), ...unknownLayers(t, run)];
  if (problems.length > 0) return refuse(problems);
  return {
    run: adapter ? adoptAdapter(run, adapter) : run,
    warnings: told('warning').map((problem) => problemLine(absolute, text, problem)),
  };
}

/** What an adapter directory says about itself; null where nothing readable is there, which loading it explains better. */
function readAdapterSummary(directory: string): AdapterSummary | null {
  const file = ADAPTER_CONFIGS.map((name) => path.join(directory, name)).find((name) => existsSync(name));
  if (!file || !statSync(file).isFile() || statSync(file).size > MAX_BYTES) return null;
  try {
    return summariseAdapter(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}

/** The text of the file, which is valid JSON. */
function readText(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (!stats?.isFile() || stats.size > MAX_BYTES) throw new GlmError('run.fileNotFound', { path: file });
  const text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  try {
    JSON.parse(text);
    return text;
  } catch {
    const fault = findSyntaxFault(text) ?? { cause: 'unexpected', start: 0, end: text.length };
    const { message, args, start } = syntaxRule(fault.cause).check(text, fault);
    throw new GlmError('run.notJson', { ...args, path: file, ...placeAt(text, start), finding: message });
  }
}

/** 1-based line and column (in UTF-16 units) of an offset. */
function placeAt(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

/** `file:line:column: key: sentence`; a missing key is placed at the section it belongs in. */
function problemLine(file: string, text: string, problem: Problem): string {
  const { line, column } = placeAt(text, keyOffset(text, problem.key));
  const where = `${path.basename(file)}:${line}:${column}: `;
  return problem.key ? `${where}${problem.key}: ${problem.sentence}` : `${where}${problem.sentence}`;
}

/** Offset of the key in the file, or of the nearest section around it that is there. */
function keyOffset(text: string, key: string): number {
  const positions = new JsonPositions(text);
  const parts: JsonPath = key.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  for (let length = parts.length; length > 0; length -= 1) {
    const range = positions.key(parts.slice(0, length));
    if (range) return range.start;
  }
  return positions.root().start;
}

/** A copy with every path absolute; relative ones are relative to `directory`, that of the run file. */
export function resolvePaths(run: RunFile, directory: string): RunFile {
  const absolute = (given: string): string => path.resolve(directory, given);
  const optional = (given: string | null): string | null => (given === null ? null : absolute(given));
  return {
    ...run,
    model: absolute(run.model),
    adapter: optional(run.adapter),
    output_dir: optional(run.output_dir),
    dataset: {
      ...run.dataset,
      train: absolute(run.dataset.train),
      validation: optional(run.dataset.validation),
    },
  };
}

/** What the run needs and is not there; also asked before a run is resumed. */
export function missingFiles(t: Translate, run: RunFile): Problem[] {
  const problems: Problem[] = [];
  const expectDirectory = (key: string, directory: string, files: readonly string[]): void => {
    if (!isDirectory(directory))
      problems.push({ key, sentence: t('there is no directory {path}', { path: directory }) });
    else if (!files.some((file) => existsSync(path.join(directory, file))))
      problems.push({ key, sentence: t('{path} has no {file}', { path: directory, file: files[0] ?? '' }) });
  };
  const expectFile = (key: string, file: string): void => {
    if (!existsSync(file)) problems.push({ key, sentence: t('there is no file {path}', { path: file }) });
    else if (isDirectory(file))
      problems.push({ key, sentence: t('{path} is a directory, not a file', { path: file }) });
    // Reading a pipe or a device could last for ever.
    else if (!statSync(file).isFile())
      problems.push({ key, sentence: t('{path} is not an ordinary file', { path: file }) });
  };
  expectDirectory('model', run.model, ['config.json']);
  if (run.adapter !== null) expectDirectory('adapter', run.adapter, ADAPTER_FILES);
  expectFile('dataset.train', run.dataset.train);
  if (run.dataset.validation !== null) expectFile('dataset.validation', run.dataset.validation);
  return problems;
}

/** Layers to train that the model does not have; another family's names are an easy mistake. */
function unknownLayers(t: Translate, { model, adapter, method }: RunFile): Problem[] {
  if (method.type !== 'lora' || adapter !== null) return [];
  try {
    const config = readConfig(model);
    const unknown = unknownTargets(config, method.target_modules);
    if (unknown.length === 0) return [];
    const names = { names: unknown.join(', '), known: targetableNames(config).join(', ') };
    return [
      {
        key: 'method.target_modules',
        sentence: t('the model has no linear layer {names}. It has {known}', names),
      },
    ];
  } catch {
    // Loading the model explains better what is wrong with its configuration.
    return [];
  }
}

function isDirectory(candidate: string): boolean {
  // What cannot be followed (a circle of links) does not exist; `statSync` would throw.
  return existsSync(candidate) && statSync(candidate).isDirectory();
}
