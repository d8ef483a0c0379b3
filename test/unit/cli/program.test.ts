import assert from 'node:assert/strict';
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { build } from 'esbuild';
import { temporaryDirectory, writeProject } from './support';

/** The bundle as `esbuild.mjs` makes it, without an engine beside it. */
const CLI = path.resolve('out/cli-test/dist/cli.js');

before(async () => {
  mkdirSync(path.dirname(CLI), { recursive: true });
  writeFileSync(path.resolve('out/cli-test/package.json'), '{"version":"9.9.9"}');
  const options = { bundle: true, platform: 'node', format: 'cjs', target: 'node20' } as const;
  await build({ entryPoints: ['src/cli/main.ts'], outfile: CLI, logLevel: 'silent', ...options });
  const parts = readdirSync('l10n/parts').filter((name) => name.endsWith('.zh-cn.json'));
  const { readFileSync } = await import('node:fs');
  const sentences = parts.map(
    (name) => JSON.parse(readFileSync(path.join('l10n/parts', name), 'utf8')) as object,
  );
  mkdirSync('out/cli-test/l10n', { recursive: true });
  writeFileSync('out/cli-test/l10n/bundle.l10n.zh-cn.json', JSON.stringify(Object.assign({}, ...sentences)));
});

function cli(
  arguments_: string[],
  environment: NodeJS.ProcessEnv = {},
  input = '',
): SpawnSyncReturns<string> {
  const env = { PATH: process.env.PATH, LANG: 'C', GLMTUNE_HOME: '/nonexistent', ...environment };
  return spawnSync(process.execPath, [CLI, ...arguments_], { encoding: 'utf8', env, input });
}

test('help names every command and loads no engine', () => {
  const { status, stdout, stderr } = cli(['--help']);
  assert.equal(status, 0);
  assert.equal(stderr, '');
  for (const name of ['lint', 'train', 'resume', 'chat', 'generate', 'score', 'doctor', 'install-engine'])
    assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
  assert.doesNotMatch(stdout, /schema/);
});

test('help speaks Chinese when asked to', () => {
  for (const result of [cli(['--help', '--lang', 'zh-cn']), cli(['--help'], { GLMTUNE_LANG: 'zh_CN' })])
    assert.match(result.stdout, /用法：[^]*微调[^]*选项：/);
});

test('the version is that of the package', () => {
  assert.equal(cli(['--version']).stdout, '9.9.9\n');
});

test('a wrong command line is exit code 2 with one clear error', () => {
  const cases: [string[], RegExp][] = [
    [['lint', '--wrong', 'a'], /There is no option --wrong/],
    [['trian'], /There is no command trian.*train/],
    [['train'], /The option --config <file> is missing/],
    [['train', '--config'], /The option --config <file> needs a value/],
    [['lint'], /The argument file is missing/],
    [
      ['score', '--model', 'm', '--input', 'i', '--dtype', 'int8'],
      /--dtype.*int8.*float32, bfloat16, float16/,
    ],
    [['generate', '--model', 'm', '--input', 'i', '--top-k', '-1'], /--top-k.*-1.*at least 0/],
    [['generate', '--model', 'm', '--input', 'i', '--max-new-tokens', '1.5'], /whole number of at least 1/],
    [['chat'], /The option --model <dir> is missing/],
  ];
  for (const [arguments_, expected] of cases) {
    const { status, stdout, stderr } = cli(arguments_);
    assert.equal(status, 2, arguments_.join(' '));
    assert.match(stderr, expected);
    assert.equal(stdout, '');
  }
});

test('lint writes places, rules and counts; errors are exit code 1', () => {
  using directory = temporaryDirectory();
  const good = path.join(directory.path, 'good.jsonl');
  const bad = path.join(directory.path, 'bad.jsonl');
  writeFileSync(good, '{"prompt": "a", "response": "b"}\n');
  writeFileSync(bad, '{"prompt": "a", "response": "b"}\n{"prompt": "c" "response": "d"}\n');
  assert.equal(cli(['lint', good]).status, 0);
  const text = cli(['lint', good, bad]);
  assert.equal(text.status, 1);
  assert.match(text.stdout, /bad\.jsonl:2:16: error: .*comma.* \[glm\/json-syntax\]/);
  assert.match(text.stdout, /bad\.jsonl: 2 lines, 1 usable .*1 errors/);
  const json = cli(['lint', '--json', bad]);
  const records = json.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    records.map(({ type }) => type),
    ['finding', 'summary'],
  );
  assert.equal(records[0]?.line, 2);
  assert.equal(records[0]?.column, 16);
  assert.deepEqual(records[1]?.counts, { error: 1, warning: 0, information: 0 });
});

test('a missing file is one error with a remedy, as text and as JSON', () => {
  const text = cli(['lint', '/nonexistent/a.jsonl']);
  assert.equal(text.status, 1);
  assert.equal(text.stderr, 'Error: There is no file at /nonexistent/a.jsonl.\nCheck the path.\n');
  const json = cli(['lint', '--json', '/nonexistent/a.jsonl']);
  assert.equal((JSON.parse(json.stdout) as { error: { code: string } }).error.code, 'input.notFound');
});

test('a bad run file leaves nothing behind', () => {
  using directory = temporaryDirectory();
  const file = writeProject(directory.path, { method: { type: 'magic' } });
  const { status, stderr } = cli(['train', '--config', file]);
  assert.equal(status, 1);
  assert.match(
    stderr,
    /first\.glmtune\.json:\d+:\d+: method\.type: must be one of "lora", "ptuning_v2", "full"/,
  );
  assert.equal(existsSync(path.join(directory.path, 'runs')), false);
});

test('without an engine a run is refused before its directory is made, and a waiting editor is told', () => {
  using directory = temporaryDirectory();
  const file = writeProject(directory.path);
  const { status, stderr } = cli(['train', '--config', file]);
  assert.equal(status, 1);
  assert.match(stderr, /^Error: .*engine/);
  assert.equal(existsSync(path.join(directory.path, 'runs')), false);
  const waiting = path.join(directory.path, 'waiting');
  mkdirSync(waiting);
  assert.equal(cli(['train', '--config', file, '--run-dir', waiting]).status, 1);
  assert.deepEqual(readdirSync(waiting), ['events.jsonl']);
});

test('rows are checked before the engine is opened', () => {
  using directory = temporaryDirectory();
  const input = path.join(directory.path, 'rows.jsonl');
  writeFileSync(input, '{"input_ids": [1]}\n{"input_ids": [1]\n');
  const common = ['score', '--model', directory.path, '--input'];
  assert.match(cli([...common, input]).stderr, /rows\.jsonl:2:\d+: /);
  writeFileSync(input, '\n');
  assert.match(cli([...common, input]).stderr, /has no rows/);
  assert.match(cli([...common, '-'], {}, '[1]\n').stderr, /-:1: this row has none of the expected keys/);
});

test('resume names what is not there', () => {
  using directory = temporaryDirectory();
  const { status, stderr } = cli(['resume', directory.path]);
  assert.equal(status, 1);
  assert.match(stderr, /There is no run at/);
});

test('doctor without an engine says what to do, and is exit code 1', () => {
  using directory = temporaryDirectory();
  const { status, stdout } = cli(['doctor', '--json'], { GLMTUNE_HOME: directory.path });
  assert.equal(status, 1);
  const report = JSON.parse(stdout) as {
    ok: boolean;
    problems: { remedy: string }[];
    machine: { node: string };
  };
  assert.equal(report.ok, false);
  assert.equal(report.machine.node, process.versions.node);
  assert.ok(report.problems.length > 0 && report.problems.every(({ remedy }) => remedy));
});

test('the chat protocol answers nonsense and ends with its input', () => {
  const { status, stdout } = cli(['chat', '--stdio'], {}, 'nonsense\n{"id":4,"method":"shutdown"}\n');
  assert.equal(status, 0);
  const replies = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: number });
  assert.deepEqual(
    replies.map(({ id }) => id),
    [-1, 4],
  );
});
