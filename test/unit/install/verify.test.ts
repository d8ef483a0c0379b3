import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { damagedFiles } from '../../../src/install';
import { temporaryDirectory } from '../cli/support';

test('a file that kept its size and changed its content is found', async () => {
  using directory = temporaryDirectory();
  const members = ['lib.so.2', 'LICENSE'].map((name) => {
    fs.writeFileSync(path.join(directory.path, name), name);
    return { path: name, bytes: name.length, sha256: createHash('sha256').update(name).digest('hex') };
  });
  const manifest = { variant: 'cpu', version: '1', source: 'x', members };
  fs.writeFileSync(path.join(directory.path, 'manifest.json'), JSON.stringify(manifest));
  const engine = { directory: directory.path, variant: 'cpu', version: '1' } as const;
  assert.deepEqual(await damagedFiles(engine), []);
  const library = path.join(directory.path, 'lib.so.2');
  fs.writeFileSync(library, 'lib.sX.2');
  assert.deepEqual(await damagedFiles(engine), [library]);
});
