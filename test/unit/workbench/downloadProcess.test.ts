/** The editor's side of a download, against the real command line and a hub on this machine. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, test, type TestContext } from 'node:test';
import { build } from 'esbuild';
import type { DownloadEvent } from '../../../src/protocol/download';
import { runDownload, type DownloadOutcome } from '../../../src/workbench/download/downloadProcess';
import { temporaryDirectory } from '../checkpoint/temporary';
import { REPOSITORY, startHub, type HubServer } from '../hub/hubServer';
import { filesBelow, modelRepository, wantedFiles } from '../hub/repositories';

const CLI = path.resolve('out/download-test/dist/cli.js');
const SHARD = 'model-00001-of-00003.safetensors';

before(async () => {
  fs.mkdirSync(path.dirname(CLI), { recursive: true });
  fs.writeFileSync(path.resolve('out/download-test/package.json'), '{"version":"9.9.9"}');
  const options = { bundle: true, platform: 'node', format: 'cjs', target: 'node20' } as const;
  await build({ entryPoints: ['src/cli/main.ts'], outfile: CLI, logLevel: 'silent', ...options });
});

function run(
  hub: HubServer,
  directory: string,
  token: string | null,
  signal: AbortSignal,
  events: DownloadEvent[] = [],
): Promise<DownloadOutcome> {
  const env = { PATH: process.env.PATH ?? '', LANG: 'C' };
  const cli = (args: string[]) => Promise.resolve({ command: process.execPath, args: [CLI, ...args], env });
  const environment = { HF_ENDPOINT: hub.endpoint };
  const request = { source: 'huggingface', repository: REPOSITORY, directory, token, environment };
  return runDownload({ cli }, request, signal, (event) => events.push(event));
}

async function setUp(context: TestContext): Promise<{ hub: HubServer; directory: string }> {
  const hub = await startHub(context, { files: modelRepository() });
  return { hub, directory: path.join(temporaryDirectory(context), 'model') };
}

test('a model is fetched and judged; without the token the failure has its sentence', async (context) => {
  const { hub, directory } = await setUp(context);
  hub.options.token = 'hf_right';
  const { signal } = new AbortController();
  const refused = await run(hub, directory, null, signal);
  assert.equal(refused.failure?.code, 'hub.notFound');
  assert.match(refused.failure.remedy, /--token-file/);
  const events: DownloadEvent[] = [];
  const { result, verdict, failure } = await run(hub, directory, 'hf_right', signal, events);
  assert.equal(failure, null);
  assert.equal(verdict?.ok, true);
  assert.equal(result?.files.length, wantedFiles(hub.options.files).size);
  assert.ok(events.some((event) => event.type === 'plan'));
  assert.deepEqual([...filesBelow(directory).keys()], [...wantedFiles(hub.options.files).keys()].sort());
});

test('cancelling ends the process and keeps what is here', { timeout: 60_000 }, async (context) => {
  const { hub, directory } = await setUp(context);
  hub.options.faults = new Map([[SHARD, [{ stall: 1234 }]]]);
  const abort = new AbortController();
  const timer = setInterval(() => hub.contents.includes(SHARD) && abort.abort(), 50);
  const outcome = await run(hub, directory, null, abort.signal);
  clearInterval(timer);
  assert.ok(outcome.cancelled);
  assert.equal(outcome.result, null);
  assert.ok(!fs.existsSync(path.join(directory, SHARD)));
  assert.equal((await run(hub, directory, null, new AbortController().signal)).verdict?.ok, true);
});
