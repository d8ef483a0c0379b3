import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { downloadRepository } from '../../../src/hub/download';
import { isWritablePath, requireSafePaths } from '../../../src/hub/paths';
import { requireRepository, requireRevision } from '../../../src/hub/repository';
import { resolveSource, resolveToken } from '../../../src/hub/source';
import { temporaryDirectory } from '../checkpoint/temporary';
import { REPOSITORY, startHub } from './hubServer';
import { modelRepository } from './repositories';

const OUTSIDE = [
  '../model.safetensors',
  '/etc/passwd',
  'a/../../b',
  'a\\..\\b',
  'C:\\a',
  '',
  'a//b',
  './a',
  'a\0b',
];

for (const hostile of OUTSIDE) {
  test(`a listing with ${JSON.stringify(hostile)} is refused as a whole`, async (context) => {
    const files = modelRepository();
    const extra = [{ type: 'file', path: hostile, size: 3, oid: 'a'.repeat(40) }];
    const hub = await startHub(context, { files, extra });
    const parent = temporaryDirectory(context);
    const download = downloadRepository({
      source: resolveSource(hub.endpoint, {}),
      repository: REPOSITORY,
      token: null,
      directory: path.join(parent, 'model'),
      include: [],
      exclude: [],
    });
    await assert.rejects(download, { code: 'hub.unsafePath' });
    assert.deepEqual(hub.contents, []);
    assert.deepEqual(fs.readdirSync(parent), []);
  });
}

test('names that cannot be written everywhere, or that mean something else', () => {
  const bad = [
    'CON',
    'con.txt',
    'a/NUL',
    'lpt1.bin',
    'a:b',
    'a?',
    'x.',
    'x ',
    ' x',
    '.git/config',
    '.GIT/a',
    '.glmtune-download/files.json',
    'a\nb',
    'a\u202eb',
    '\ud800',
    'x'.repeat(201),
    'a/'.repeat(16) + 'b',
  ];
  for (const name of bad) {
    assert.ok(!isWritablePath(name), JSON.stringify(name));
    assert.throws(() => requireSafePaths('a/b', [name]), { code: 'hub.unsafePath' });
  }
  for (const name of ['config.json', 'a/b.c', '.gitattributes', '模型.bin', 'console.txt', 'a b'])
    assert.ok(isWritablePath(name), name);
});

test('two names that are one on some systems, and a file that is also a directory', () => {
  for (const pair of [
    ['A.json', 'a.json'],
    ['a', 'a/b'],
    ['a/b', 'A'],
    ['\u00e9', 'e\u0301'],
    ['x', 'x'],
  ])
    assert.throws(() => requireSafePaths('a/b', pair), { code: 'hub.unsafePath' }, pair.join(' '));
  requireSafePaths('a/b', ['a/b', 'a/c', 'd']);
});

test('a link in the way is not followed', async (context) => {
  const files = new Map([['sub/config.json', Buffer.from('{}')]]);
  const hub = await startHub(context, { files });
  const parent = temporaryDirectory(context);
  const [outside, directory] = [path.join(parent, 'outside'), path.join(parent, 'model')];
  const download = () =>
    downloadRepository({
      source: resolveSource(hub.endpoint, {}),
      repository: REPOSITORY,
      token: null,
      directory,
      include: ['*'],
      exclude: [],
    });
  fs.mkdirSync(outside);
  fs.mkdirSync(directory);
  fs.symlinkSync(outside, path.join(directory, 'sub'));
  await assert.rejects(download(), { code: 'hub.notADirectory' });
  fs.renameSync(path.join(directory, 'sub'), path.join(directory, 'other'));
  fs.rmSync(path.join(directory, '.glmtune-download'), { recursive: true });
  fs.symlinkSync(outside, path.join(directory, '.glmtune-download'));
  await assert.rejects(download(), { code: 'hub.notADirectory' });
  assert.deepEqual(fs.readdirSync(outside), []);
});

test('sizes and answers that make no sense', async (context) => {
  const files = new Map([['model.safetensors', Buffer.from('abc')]]);
  const attempt = async (extra: object[]): Promise<unknown> => {
    const hub = await startHub(context, { files, extra });
    return downloadRepository({
      source: resolveSource(hub.endpoint, {}),
      repository: REPOSITORY,
      token: null,
      directory: temporaryDirectory(context),
      include: [],
      exclude: [],
      retryDelay: 1,
    });
  };
  for (const size of [-1, 1.5, '3', null, 2 ** 60])
    await assert.rejects(attempt([{ type: 'file', path: 'config.json', size }]), { code: 'hub.badResponse' });
  await assert.rejects(attempt([{ type: 'file', path: 7, size: 1 }]), { code: 'hub.badResponse' });
  await assert.rejects(attempt([{ type: 'file', path: 'config.json', size: 2 ** 40 }]), {
    code: 'hub.tooLarge',
  });
  await assert.rejects(attempt([{ type: 'file', path: 'adapter_model.bin', size: 2 ** 52 }]), {
    code: 'hub.noSpace',
  });
});

test('names that would make another address', () => {
  for (const name of ['', '..', 'a/..', 'a/b/c', 'a b', 'a?b', 'a/b#c', '%2e%2e/a', '-a/b', 'a/../b'])
    assert.throws(() => requireRepository(name), { code: 'hub.badRepository' }, name);
  assert.equal(requireRepository(' THUDM/chatglm3-6b '), 'THUDM/chatglm3-6b');
  for (const name of ['', '../x', 'a..b', 'a?b', 'a b', '-x'])
    assert.throws(() => requireRevision(name), { code: 'hub.badRevision' }, name);
  for (const name of ['main', 'refs/pr/1', 'v1.0', 'b098244a71fbe69ce149682d9072a7629f7e908c'])
    requireRevision(name);
});

test('which server, and whose token', async (context) => {
  const env = { HF_TOKEN: 'hf_1', MODELSCOPE_API_TOKEN: 'ms_1', HF_ENDPOINT: 'https://mirror.example/' };
  const hub = resolveSource('huggingface', env);
  assert.equal(hub.endpoint, 'https://mirror.example');
  assert.equal(await resolveToken(hub, undefined, env), 'hf_1');
  assert.equal(resolveSource('huggingface', {}).endpoint, 'https://huggingface.co');
  const other = resolveSource('https://other.example/hub/', env);
  assert.equal(other.endpoint, 'https://other.example/hub');
  assert.equal(
    await resolveToken(other, undefined, env),
    null,
    'a token is not given to an address it was not meant for',
  );
  const modelScope = resolveSource('https://www.modelscope.cn', env);
  assert.equal(modelScope.protocol, 'modelscope');
  assert.equal(await resolveToken(modelScope, undefined, env), 'ms_1');
  const file = path.join(temporaryDirectory(context), 'token');
  fs.writeFileSync(file, ' hf_2\n');
  assert.equal(await resolveToken(other, file, env), 'hf_2');
  fs.writeFileSync(file, 'two words');
  await assert.rejects(resolveToken(other, file, env), { code: 'hub.badToken' });
  for (const source of ['hf', 'ftp://a', 'https://u:p@a', 'https://a?b=1'])
    assert.throws(() => resolveSource(source, {}), { code: 'hub.badSource' }, source);
});
