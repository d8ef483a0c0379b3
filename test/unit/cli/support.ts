/** Shared by the tests of the command line. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import type { CommandContext } from '../../../src/cli/context';
import { Output } from '../../../src/cli/output';
import type { Translate } from '../../../src/text/translate';

/** English, with the arguments put in. */
export const t: Translate = (message, args = {}) =>
  message.replace(/\{(\w+)\}/g, (whole, name: string) => String(args[name] ?? whole));

/** A stream that keeps what is written to it. */
export class TextSink extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }
}

export interface TestContext extends CommandContext {
  stdout: TextSink;
  stderr: TextSink;
}

export function testContext(options: { json?: boolean } = {}): TestContext {
  const stdout = new TextSink();
  const stderr = new TextSink();
  const output = new Output({
    stdout,
    stderr,
    json: options.json ?? false,
    terminal: false,
  });
  return { output, t, language: 'en', root: process.cwd(), version: '0.0.0', stdout, stderr };
}

/** A temporary directory that is removed at the end of the block. */
export function temporaryDirectory(): { path: string; [Symbol.dispose](): void } {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'glmtune-test-'));
  return {
    path: directory,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** A model directory and a dataset that exist, and a run file beside them. */
export function writeProject(directory: string, change: Record<string, unknown> = {}): string {
  mkdirSync(path.join(directory, 'model'), { recursive: true });
  writeFileSync(path.join(directory, 'model', 'config.json'), '{}');
  writeFileSync(path.join(directory, 'train.jsonl'), '{"prompt": "a", "response": "b"}\n');
  const run = {
    name: 'first',
    model: 'model',
    dataset: { train: 'train.jsonl' },
    method: { type: 'lora' },
    ...change,
  };
  const file = path.join(directory, 'first.glmtune.json');
  writeFileSync(file, JSON.stringify(run, null, 2));
  return file;
}
