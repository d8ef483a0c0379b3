/** Rows of an input file (or of standard input) as JSON objects, each with its line. */
import { existsSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { isJsonObject, type JsonObject, type JsonValue } from '../../dataset/json';
import { readLines } from '../../dataset/jsonl/reader';
import { lintLine } from '../../dataset/lint/lintLine';
import { GlmError } from '../../protocol/errors';

export interface Row {
  /** Path as the user gave it. */
  path: string;
  /** 1-based. */
  line: number;
  value: JsonObject;
  text: string;
}

/** Names standard input. */
const STDIN = '-';

/** Throws GlmError `input.notFound`, or `input.notAFile`: reading a pipe or a device could last for ever. */
export function requireFile(path: string): void {
  if (!existsSync(path)) throw new GlmError('input.notFound', { path });
  if (!statSync(path).isFile()) throw new GlmError('input.notAFile', { path });
}

/**
 * Reads the rows of `path`, or of standard input for `-`; blank lines are passed over.
 * Throws GlmError `input.notFound`, `input.notAFile`, `input.badRow`, `input.unknownRow`; `input.empty` where there is no row at all.
 */
export async function* readRows(path: string, expected: string): AsyncGenerator<Row, void, void> {
  let rows = 0;
  for await (const { line, text } of path === STDIN ? standardInput() : fileLines(path)) {
    if (text.trim() === '') continue;
    rows += 1;
    const json = line === 1 ? text.replace(/^\uFEFF/, '') : text;
    yield { path, line, value: parseRow(path, line, json, expected), text: json };
  }
  if (rows === 0) throw new GlmError('input.empty', { path });
}

async function* fileLines(path: string): AsyncGenerator<{ line: number; text: string }> {
  requireFile(path);
  for await (const { line, text } of readLines(path)) yield { line: line + 1, text };
}

async function* standardInput(): AsyncGenerator<{ line: number; text: string }> {
  let line = 0;
  for await (const text of createInterface({ input: process.stdin, crlfDelay: Infinity }))
    yield { line: ++line, text };
}

function parseRow(path: string, line: number, text: string, expected: string): JsonObject {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch {
    throw badRow(path, line, text);
  }
  if (!isJsonObject(value)) throw new GlmError('input.unknownRow', { path, line, expected });
  return value;
}

/** The first thing that the linter finds wrong with a row that cannot be used. */
export function badRow(path: string, line: number, text: string): GlmError {
  const finding = lintLine(text).findings.find(({ severity }) => severity === 'error');
  return new GlmError('input.badRow', {
    ...finding?.args,
    path,
    line,
    column: (finding?.start ?? 0) + 1,
    finding: finding?.message ?? 'unexpected',
  });
}
