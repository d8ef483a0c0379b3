/** `download` of the command line, as a process of its own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { before, test, type TestContext } from 'node:test';
import { build } from 'esbuild';
import type { DownloadEvent, DownloadResult } from '../../../src/protocol/download';
import { hubErrors } from '../../../src/text/errors/hub';
import { temporaryDirectory } from '../checkpoint/temporary';
import { fixture } from '../fixtures';
import { REPOSITORY, startHub, type HubServer } from './hubServer';
import { filesBelow, modelRepository, wantedFiles } from './repositories';

const CLI = path.resolve('out/hub-test/dist/cli.js');
const files = modelRepository();
const SHARD = 'model-00001-of-00003.safetensors';

before(async () => {
  fs.mkdirSync(path.dirname(CLI), { recursive: true });
  fs.writeFileSync(path.resolve('out/hub-test/package.json'), '{"version":"9.9.9"}');
  const options = { bundle: true, platform: 'node', format: 'cjs', target: 'node20' } as const;
  await build({ entryPoints: ['src/cli/main.ts'], outfile: CLI, logLevel: 'silent', ...options });
});

interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** @param reached when it is true, the process is sent `signal` */
function cli(
  hub: HubServer,
  arguments_: string[],
  { input = '', reached, signal }: { input?: string; reached?: () => boolean; signal?: NodeJS.Signals } = {},
): Promise<Ended> {
  const env = {
    PATH: process.env.PATH,
    LANG: 'C',
    HF_ENDPOINT: hub.endpoint,
    MODELSCOPE_DOMAIN: hub.endpoint,
  };
  const child = spawn(process.execPath, [CLI, 'download', REPOSITORY, ...arguments_], { env });
  const ended: Ended = { status: null, stdout: '', stderr: '' };
  child.stdin.end(input);
  child.stdout.on('data', (data: Buffer) => (ended.stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (ended.stderr += data.toString()));
  // One signal: a second one ends the process at once, as it should.
  const timer = setInterval(() => {
    if (!reached?.()) return;
    clearInterval(timer);
    child.kill(signal);
  }, 20);
  return new Promise((resolve) =>
    child.on('close', (status) => {
      clearInterval(timer);
      resolve({ ...ended, status });
    }),
  );
}

async function setUp(context: TestContext): Promise<{ hub: HubServer; directory: string }> {
  const large = new Set([...files.keys()].filter((name) => name.endsWith('.safetensors')));
  const hub = await startHub(context, { files, large });
  return { hub, directory: path.join(temporaryDirectory(context), 'model') };
}

function begunBytes(directory: string): number {
  const state = path.join(directory, '.glmtune-download');
  if (!fs.existsSync(state)) return 0;
  const parts = fs.readdirSync(state).filter((name) => name.endsWith('.part'));
  return parts.reduce(
    (sum, name) => sum + (fs.statSync(path.join(state, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

function checkSame(directory: string): void {
  const found = filesBelow(directory);
  const expected = wantedFiles(files);
  assert.deepEqual([...found.keys()], [...expected.keys()].sort());
  for (const [name, content] of expected) assert.ok(found.get(name)!.equals(content), name);
}

test('a download says what came of it: the model doctor reports', async (context) => {
  const { hub, directory } = await setUp(context);
  const { status, stdout } = await cli(hub, ['--to', directory]);
  assert.equal(status, 0);
  checkSame(directory);
  assert.match(stdout, /prompt format chatglm3/);
  assert.match(stdout, /The model can be used\./);
});

test('--json: plan, progress, result and the report, a line each', async (context) => {
  const { hub, directory } = await setUp(context);
  const { status, stdout, stderr } = await cli(hub, ['--to', directory, '--json', '--source', 'modelscope']);
  assert.equal(status, 0, stderr);
  assert.equal(stderr, '');
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as DownloadEvent | DownloadResult);
  const types = lines.map((line) => line.type);
  assert.equal(types.filter((type) => type === 'plan').length, 1);
  const result = lines.find((line) => line.type === 'downloaded')!;
  assert.equal(result.directory, fs.realpathSync(directory));
  assert.equal(result.fetched_bytes, result.total_bytes);
  assert.equal((lines.at(-1) as unknown as { ok: boolean }).ok, true);
});

test('an adapter is named as one', async (context) => {
  const adapter = fixture('adapters/chatglm3-train-lora-attn');
  const own = new Map(
    fs.readdirSync(adapter).map((name) => [name, fs.readFileSync(path.join(adapter, name))] as const),
  );
  const hub = await startHub(context, { files: own });
  const { status, stdout } = await cli(hub, ['--to', path.join(temporaryDirectory(context), 'adapter')]);
  assert.equal(status, 0);
  assert.match(stdout, /A LoRA adapter of rank \d+\./);
});

for (const signal of ['SIGKILL', 'SIGINT'] as const) {
  test(
    `${signal} in the middle of a file: the next call goes on there`,
    { timeout: 60_000 },
    async (context) => {
      const { hub, directory } = await setUp(context);
      hub.options.faults = new Map([[SHARD, [{ stall: 4321 }]]]);
      const reached = (): boolean => hub.contents.includes(SHARD) && begunBytes(directory) === 4321;
      const killed = await cli(hub, ['--to', directory], { reached, signal });
      assert.equal(killed.status, signal === 'SIGINT' ? 130 : null);
      assert.ok(!fs.existsSync(path.join(directory, SHARD)));
      const whole = wantedFiles(files);
      for (const [name, content] of filesBelow(directory)) assert.ok(whole.get(name)!.equals(content), name);
      const { status, stderr } = await cli(hub, ['--to', directory]);
      assert.equal(status, 0, stderr);
      assert.ok(hub.contents.includes(`${SHARD} bytes=4321-`), hub.contents.join('\n'));
      checkSame(directory);
    },
  );
}

test('a gated repository: the sentence says what to do, the token from standard input lets in', async (context) => {
  const { hub, directory } = await setUp(context);
  hub.options.token = 'hf_right';
  hub.options.gated = true;
  const refused = await cli(hub, ['--to', directory]);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /asks for consent/);
  assert.ok(refused.stderr.includes(`${hub.endpoint}/${REPOSITORY}`));
  const { status, stderr } = await cli(hub, ['--to', directory, '--token-file', '-'], {
    input: 'hf_right\n',
  });
  assert.equal(status, 0, stderr);
  assert.ok(!stderr.includes('hf_right'));
  checkSame(directory);
});

test('every sentence of the hub is there in Chinese', () => {
  const sentences = new Set<string>();
  const collect = (template: string): string => {
    sentences.add(template);
    return template;
  };
  for (const describe of Object.values(hubErrors))
    (describe as (t: typeof collect, args: object) => unknown)(collect, {});
  for (const file of ['commands/download.ts', 'hub/download.ts', 'hub/reportDownload.ts']) {
    const source = fs.readFileSync(path.join('src/cli', file), 'utf8');
    for (const [, template] of source.matchAll(/(?<![\w.])t\(\s*'([^']*)'/g)) sentences.add(template);
  }
  assert.ok(sentences.size > 60);
  const parts = fs
    .readdirSync('l10n/parts')
    .map((name) => fs.readFileSync(path.join('l10n/parts', name), 'utf8'));
  const chinese = Object.assign({}, ...parts.map((part) => JSON.parse(part) as object)) as Record<
    string,
    string
  >;
  for (const sentence of sentences) {
    const slots = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([slot]) => slot).sort();
    assert.deepEqual(slots(chinese[sentence] ?? ''), slots(sentence), sentence);
    assert.ok(chinese[sentence], sentence);
  }
});
