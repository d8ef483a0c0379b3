import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { parsePipConfig, resolveIndex } from '../../../src/install/indexUrl';
import { takeLock } from '../../../src/download/lock';
import { hrefInHtml } from '../../../src/install/packageIndex';
import { wheelPins } from '../../../src/install/pins';
import { unsupportedPlatform } from '../../../src/install/variant';
import { dataOffset, findEntries, type ByteSource } from '../../../src/install/zip';
import { temporaryDirectory } from '../checkpoint/temporary';
import { seededRandom } from '../checkpoint/hostile';
import { fakeEngine } from './fakeWheel';

const { signal } = new AbortController();

function memory(bytes: Buffer): ByteSource {
  const read = (offset: number, length: number): Promise<Buffer> => {
    assert.ok(offset >= 0 && offset + length <= bytes.length, 'a read outside the archive');
    return Promise.resolve(bytes.subarray(offset, offset + length));
  };
  return { name: 'a.whl', bytes: bytes.length, read };
}

for (const options of [{}, { zip64: true }, { comment: 'PK\x05\x06 is not the end' }]) {
  test(`entries are found in an archive with ${JSON.stringify(options)}`, async () => {
    const { wheel, contents } = fakeEngine(options);
    const source = memory(wheel);
    const entries = await findEntries(source, new Set(['fake/include/LICENSE', 'fake/lib.so.2']), signal);
    const stored = entries.get('fake/include/LICENSE')!;
    const offset = await dataOffset(source, stored, signal);
    assert.equal(stored.method, 0);
    assert.ok(wheel.subarray(offset, offset + stored.packedBytes).equals(contents.get('LICENSE')!));
    assert.equal(entries.get('fake/lib.so.2')!.bytes, 400_000);
    await assert.rejects(findEntries(source, new Set(['none']), signal), { code: 'install.badArchive' });
  });
}

test('damaged archives are refused in words, and never read outside', async () => {
  const random = seededRandom(7);
  let refused = 0;
  for (let round = 0; round < 600; round++) {
    const { wheel } = damageable[round % 2];
    const copy = Buffer.from(
      wheel.subarray(0, random() < 0.2 ? wheel.length - Math.floor(random() * 300) : undefined),
    );
    for (let i = 0; i < 4; i++)
      copy[copy.length - 1 - Math.floor(random() * 400)] = Math.floor(random() * 256);
    const source = memory(copy);
    try {
      const entries = await findEntries(source, new Set(['fake/lib.so.2']), signal);
      await dataOffset(source, entries.get('fake/lib.so.2')!, signal);
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'install.badArchive', String(error));
      refused++;
    }
  }
  assert.ok(refused > 100, `${refused} refused`);
});
const damageable = [fakeEngine(), fakeEngine({ zip64: true })];

test('the index is the option, else the environment, else the configuration of pip, else PyPI', (context) => {
  const home = temporaryDirectory(context);
  const pip = path.join(home, 'pip.conf');
  const env = { HOME: home, PIP_CONFIG_FILE: '/dev/null' };
  assert.equal(resolveIndex(undefined, env).url, 'https://pypi.org/simple/');
  fs.writeFileSync(pip, '[global]\nindex-url = https://pip.example/simple\n');
  const withPip = { HOME: home, PIP_CONFIG_FILE: pip };
  assert.equal(resolveIndex('', withPip).url, 'https://pip.example/simple/');
  assert.equal(
    resolveIndex('', { ...withPip, UV_INDEX_URL: 'https://uv.example' }).url,
    'https://uv.example/',
  );
  const both = { ...withPip, PIP_INDEX_URL: 'https://p.example/x/', GLMTUNE_INDEX_URL: 'http://g.example/s' };
  assert.equal(resolveIndex(undefined, both).url, 'http://g.example/s/');
  assert.equal(resolveIndex('https://o.example/simple', both).url, 'https://o.example/simple/');
  assert.equal(
    parsePipConfig('[global]\nindex-url: https://a/\n[install]\nindex_url = https://b/\n'),
    'https://b/',
  );
  assert.equal(parsePipConfig('[global]\nextra-index-url = https://a/\n'), null);
  for (const url of ['file:///x', 'no address']) {
    assert.throws(() => resolveIndex(url, env), { code: 'install.badIndexUrl' });
  }
});

test('anchors are read with either quotes, entities and encoded names', () => {
  const page = `<a data-x='1' href='a%2B1.whl?x=1&amp;y=2#sha256=0'>a+1.whl</a><a href="b.whl">other text</a >`;
  assert.equal(hrefInHtml(page, 'a+1.whl'), 'a%2B1.whl?x=1&y=2#sha256=0');
  assert.equal(hrefInHtml(page, 'b.whl'), 'b.whl');
  assert.equal(hrefInHtml(page, 'c.whl'), null);
});

test('the lock of a process that is gone is taken over, one that lives is waited for', async (context) => {
  const file = path.join(temporaryDirectory(context), 'install.lock');
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  fs.writeFileSync(file, JSON.stringify({ token: 'x', pid, host: hostname() }));
  const release = await takeLock('install', file, signal, () => assert.fail('waited'));
  const abort = new AbortController();
  const waiting = takeLock('install', file, abort.signal, () => abort.abort());
  await assert.rejects(waiting, { code: 'install.cancelled' });
  release();
  assert.ok(!fs.existsSync(file));
});

test('a lock that nobody touched for minutes is taken over', async (context) => {
  const file = path.join(temporaryDirectory(context), 'install.lock');
  fs.writeFileSync(file, '{"token":"x","pid":1,"host":"another machine"}');
  const longAgo = new Date(Date.now() - 10 * 60_000);
  fs.utimesSync(file, longAgo, longAgo);
  (await takeLock('install', file, signal, () => assert.fail('waited')))();
});

test('the pins are complete: hashes, sizes, and paths that stay inside', () => {
  for (const variant of ['cpu', 'cuda'] as const) {
    const members = wheelPins(variant).flatMap((wheel) => wheel.members);
    const paths = members.map((member) => member.path);
    assert.equal(new Set(paths).size, paths.length);
    for (const member of members) {
      assert.match(member.sha256, /^[0-9a-f]{64}$/);
      assert.ok(member.bytes > 0 && member.packedBytes > 0 && !member.path.split('/').includes('..'));
    }
    for (const file of [
      'tensorflow/libtensorflow_cc.so.2',
      'tensorflow/libtensorflow_framework.so.2',
      'LICENSE',
    ]) {
      assert.ok(paths.includes(file));
    }
  }
});

test('platforms without the library are named', () => {
  assert.equal(
    unsupportedPlatform('linux', 'x64', () => '2.36'),
    null,
  );
  assert.equal(unsupportedPlatform('darwin', 'arm64'), 'darwin-arm64');
  assert.equal(
    unsupportedPlatform('linux', 'x64', () => null),
    'linux-x64 (musl)',
  );
  assert.equal(
    unsupportedPlatform('linux', 'x64', () => '2.17'),
    'linux-x64 (glibc 2.17)',
  );
});
