import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { makeDirectories } from '../../../src/checkpoint/atomic';
import { toErrorData } from '../../../src/protocol/errors';
import { describeThrown } from '../../../src/text/errors';
import { temporaryDirectory } from '../cli/support';

const t = (template: string, args: Record<string, unknown> = {}): string =>
  template.replace(/\{(\w+)\}/g, (_, name: string) => String(args[name]));

test('directories are made, and those above them', () => {
  using directory = temporaryDirectory();
  const deep = path.join(directory.path, 'a', 'b', 'c');
  makeDirectories(deep);
  makeDirectories(deep);
  assert.ok(fs.statSync(deep).isDirectory());
});

test('a file in the way is named, in words', () => {
  using directory = temporaryDirectory();
  const file = path.join(directory.path, 'file');
  fs.writeFileSync(file, '');
  for (const wanted of [file, path.join(file, 'run')]) {
    let thrown: unknown;
    try {
      makeDirectories(wanted);
    } catch (error) {
      thrown = error;
    }
    assert.equal(toErrorData(thrown).code, 'system.io');
    const { message } = describeThrown(t, thrown);
    assert.equal(message, `${file} would have to be a directory, but a file is in its place.`);
  }
});
