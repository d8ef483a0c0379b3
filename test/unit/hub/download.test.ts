import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { downloadRepository, type DownloadOptions } from '../../../src/hub/download';
import { resolveSource } from '../../../src/hub/source';
import { STATE_DIRECTORY } from '../../../src/hub/state';
import type { DownloadEvent } from '../../../src/protocol/download';
import { GlmError } from '../../../src/protocol/errors';
import { temporaryDirectory } from '../checkpoint/temporary';
import { REPOSITORY, startHub, type HubOptions, type HubServer } from './hubServer';
import { filesBelow, modelRepository, wantedFiles } from './repositories';

const files = modelRepository();
const large = new Set([...files.keys()].filter((name) => /\.(safetensors|bin|model)$/.test(name)));
const SHARD = 'model-00001-of-00003.safetensors';
const shard = files.get(SHARD)!;

interface Setup {
  hub: HubServer;
  directory: string;
  events: DownloadEvent[];
  download: (changes?: Partial<DownloadOptions>) => ReturnType<typeof downloadRepository>;
}

async function setUp(context: TestContext, options: Partial<HubOptions> = {}): Promise<Setup> {
  const directory = path.join(temporaryDirectory(context), 'model');
  const hasReceived = (bytes: number): boolean => partSizes(directory).includes(bytes);
  const hub = await startHub(context, { files, large, hasReceived, ...options });
  const events: DownloadEvent[] = [];
  const download = (changes: Partial<DownloadOptions> = {}) =>
    downloadRepository({
      source: resolveSource(hub.endpoint, {}),
      repository: REPOSITORY,
      token: null,
      directory,
      include: [],
      exclude: [],
      retryDelay: 1,
      onEvent: (event) => events.push(event),
      ...changes,
    });
  return { hub, directory, events, download };
}

function checkSame(directory: string, expected: Map<string, Buffer> = wantedFiles(files)): void {
  const found = filesBelow(directory);
  assert.deepEqual([...found.keys()], [...expected.keys()].sort());
  for (const [name, content] of expected) assert.ok(found.get(name)!.equals(content), name);
  assert.deepEqual(fs.readdirSync(path.join(directory, STATE_DIRECTORY)), ['files.json']);
}

const code = (expected: string) => (error: unknown) => {
  assert.ok(error instanceof GlmError, String(error));
  assert.equal(error.code, expected, error.message);
  return true;
};

test('Hugging Face: what a checkpoint needs, page by page, each file as it is there', async (context) => {
  const { hub, directory, events, download } = await setUp(context, { pageSize: 2 });
  const result = await download();
  checkSame(directory);
  assert.equal(result.fetched_bytes, result.total_bytes);
  const plan = events.find((event) => event.type === 'plan')!;
  assert.equal(plan.present_bytes, 0);
  assert.equal(events.at(-1)!.type, 'progress');
  assert.equal((events.at(-1) as { received_bytes: number }).received_bytes, result.total_bytes);
  assert.ok(!hub.contents.some((request) => request.startsWith('pytorch_model.bin')));
});

test('a second download asks for the listing alone; one that was moved here is compared by its hash', async (context) => {
  const { hub, directory, download } = await setUp(context);
  await download();
  const before = hub.contents.length;
  assert.equal((await download()).fetched_bytes, 0);
  fs.rmSync(path.join(directory, STATE_DIRECTORY), { recursive: true });
  assert.equal((await download()).fetched_bytes, 0);
  assert.equal(hub.contents.length, before);
  checkSame(directory);
});

test('ModelScope: the same files from its own protocol', async (context) => {
  const { hub, directory, download } = await setUp(context);
  const source = resolveSource('modelscope', { MODELSCOPE_DOMAIN: hub.endpoint });
  await download({ source });
  checkSame(directory);
});

for (const protocol of ['huggingface', 'modelscope'] as const) {
  test(`${protocol}: the access token goes to the hub and to no other server`, async (context) => {
    const { hub, directory, download } = await setUp(context, { token: 'hf_secret' });
    const env = { HF_ENDPOINT: hub.endpoint, MODELSCOPE_DOMAIN: hub.endpoint };
    await download({ source: resolveSource(protocol, env), token: 'hf_secret' });
    checkSame(directory);
    assert.ok(hub.cdnAuthorizations.length > 0);
    assert.ok(hub.cdnAuthorizations.every((header) => header === undefined));
  });
}

test('a connection that breaks is gone on with, from the byte where it broke', async (context) => {
  const faults = new Map([[SHARD, [{ cut: 1000 }, { status: 503 }, { cut: 500 }]]]);
  const { hub, directory, download } = await setUp(context, { faults });
  await download();
  checkSame(directory);
  const asked = hub.contents
    .filter((request) => request.startsWith(SHARD))
    .map((request) => request.split(' ')[1]);
  assert.deepEqual(asked, [undefined, 'bytes=1000-', 'bytes=1000-', 'bytes=1500-']);
});

test('a server without ranges is asked for the whole file again', async (context) => {
  const faults = new Map([[SHARD, [{ cut: 1000 }]]]);
  const { directory, download } = await setUp(context, { faults, ranges: false });
  await download();
  checkSame(directory);
});

test('cancelled while a server is silent, then gone on with', { timeout: 20_000 }, async (context) => {
  const { hub, directory, download } = await setUp(context, {
    faults: new Map([[SHARD, [{ stall: 2000 }]]]),
  });
  const abort = new AbortController();
  const timer = setInterval(() => partSizes(directory).includes(2000) && abort.abort(), 20);
  await assert.rejects(download({ signal: abort.signal }), code('hub.cancelled'));
  clearInterval(timer);
  assert.ok(!fs.existsSync(path.join(directory, SHARD)), 'nothing half-written has the final name');
  const result = await download();
  assert.ok(hub.contents.includes(`${SHARD} bytes=2000-`));
  assert.ok(result.fetched_bytes < result.total_bytes);
  checkSame(directory);
});

/** Sizes of the begun files. */
function partSizes(directory: string): number[] {
  const state = path.join(directory, STATE_DIRECTORY);
  if (!fs.existsSync(state)) return [];
  return fs
    .readdirSync(state)
    .filter((name) => name.endsWith('.part'))
    .map((name) => fs.statSync(path.join(state, name), { throwIfNoEntry: false })?.size ?? -1);
}

/** Leaves a begun shard in the state. */
async function interrupt({ hub, download }: Setup, bytes: number): Promise<void> {
  const cuts = Array.from({ length: 7 }, () => ({ status: 500 }));
  hub.options.faults = new Map([[SHARD, [{ cut: bytes }, ...cuts]]]);
  await assert.rejects(download({ parallel: 1 }), code('hub.httpStatus'));
  hub.options.faults.clear();
  hub.contents.length = 0;
}

test('an etag that changed means another content: it is fetched from the beginning', async (context) => {
  const setup = await setUp(context);
  await interrupt(setup, 3000);
  setup.hub.options.etagSuffix = '-new';
  await setup.download();
  // A try may fail and be repeated on a busy machine.
  const asked = new Set(setup.hub.contents.filter((request) => request.startsWith(SHARD)));
  assert.deepEqual([...asked], [`${SHARD} bytes=3000-`, SHARD]);
  checkSame(setup.directory);
});

test('a part with a wrong byte is noticed and fetched anew, once', async (context) => {
  const setup = await setUp(context);
  await interrupt(setup, 3000);
  const state = path.join(setup.directory, STATE_DIRECTORY);
  const part = fs.readdirSync(state).find((name) => name.endsWith('.part'))!;
  const bytes = fs.readFileSync(path.join(state, part));
  assert.equal(bytes.length, 3000);
  bytes[10] ^= 1;
  fs.writeFileSync(path.join(state, part), bytes);
  await setup.download();
  // A try may fail and be repeated on a busy machine.
  const asked = new Set(setup.hub.contents.filter((request) => request.startsWith(SHARD)));
  assert.deepEqual([...asked], [`${SHARD} bytes=3000-`, SHARD]);
  checkSame(setup.directory);
});

test('a begun file that the repository has changed since is not gone on with', async (context) => {
  const setup = await setUp(context);
  await interrupt(setup, 3000);
  const changed = new Map(files).set(SHARD, Buffer.alloc(shard.length, 1));
  setup.hub.options.files = changed;
  await setup.download();
  assert.ok(!setup.hub.contents.some((request) => request.includes('bytes=')));
  checkSame(setup.directory, wantedFiles(changed));
});

test('a file with another hash is refused and not kept', async (context) => {
  for (const name of [SHARD, 'config.json']) {
    const digits = name === SHARD ? 64 : 40;
    const { directory, download } = await setUp(context, {
      hashes: new Map([[name, 'ab'.repeat(digits / 2)]]),
    });
    await assert.rejects(download({ parallel: 1 }), code('hub.hashMismatch'));
    assert.ok(!fs.existsSync(path.join(directory, name)));
    assert.ok(
      !fs.readdirSync(path.join(directory, STATE_DIRECTORY)).some((entry) => entry.endsWith('.part')),
    );
  }
});

test('a body that ends early, again and again, is an error and leaves no file', async (context) => {
  const faults = new Map([[SHARD, Array.from({ length: 10 }, () => ({ cut: 0 }))]]);
  const { directory, download } = await setUp(context, { faults });
  await assert.rejects(download(), code('hub.network'));
  assert.ok(!fs.existsSync(path.join(directory, SHARD)));
});

test('too many requests: the pause that the server asks for is kept', async (context) => {
  const { directory, events, download } = await setUp(context, {
    listingFaults: [{ status: 429, headers: { 'retry-after': '1' } }],
  });
  const start = Date.now();
  await download();
  assert.ok(Date.now() - start >= 990);
  const paused = events.find((event) => event.type === 'progress' && event.phase === 'paused');
  assert.equal((paused as { pause_ms: number }).pause_ms, 1000);
  checkSame(directory);
  const endless = await setUp(context, {
    listingFaults: [{ status: 429, headers: { 'retry-after': '4000' } }],
  });
  await assert.rejects(endless.download(), code('hub.tooManyRequests'));
});

test('refusals are explained', async (context) => {
  const gated = await setUp(context, { token: 'right', gated: true });
  await assert.rejects(gated.download(), (error) => {
    code('hub.gated')(error);
    assert.equal((error as GlmError<'hub.gated'>).args.page, `${gated.hub.endpoint}/${REPOSITORY}`);
    return true;
  });
  const secret = await setUp(context, { token: 'right' });
  await assert.rejects(secret.download(), code('hub.notFound'));
  await assert.rejects(secret.download({ token: 'wrong' }), code('hub.denied'));
  const open = await setUp(context);
  await assert.rejects(open.download({ repository: 'owner/none' }), code('hub.notFound'));
  await assert.rejects(open.download({ revision: 'v9' }), code('hub.noRevision'));
  assert.ok(!fs.existsSync(open.directory), 'nothing was made');
});

test('a file that lies there and is another is not written over, unless that is wanted', async (context) => {
  const { directory, download } = await setUp(context);
  fs.mkdirSync(directory);
  fs.writeFileSync(path.join(directory, 'config.json'), 'mine');
  await assert.rejects(download(), code('hub.exists'));
  assert.equal(fs.readFileSync(path.join(directory, 'config.json'), 'utf8'), 'mine');
  await download({ force: true });
  checkSame(directory);
});

test('a newer version replaces what was downloaded, not what was changed by hand', async (context) => {
  const { hub, directory, download } = await setUp(context);
  await download();
  const changed = new Map(files).set('config.json', Buffer.from(`${files.get('config.json')!.toString()} `));
  hub.options.files = changed;
  await download();
  checkSame(directory, wantedFiles(changed));
  fs.writeFileSync(path.join(directory, 'config.json'), '{"mine": 1}');
  await assert.rejects(download(), code('hub.exists'));
});

test('a disk without room is an error before anything is fetched', async (context) => {
  const { hub, download } = await setUp(context);
  await assert.rejects(download({ free: () => Promise.resolve(64 * 1024 * 1024) }), code('hub.noSpace'));
  assert.deepEqual(hub.contents, []);
});

test('patterns choose files; without weights there is no checkpoint', async (context) => {
  const { directory, download } = await setUp(context);
  await download({ include: ['sub/*', '*.md'] });
  assert.deepEqual([...filesBelow(directory).keys()], ['README.md', 'sub/other.txt']);
  await assert.rejects(download({ include: ['*.gguf'] }), code('hub.nothingChosen'));
  await assert.rejects(download({ exclude: ['*.safetensors', '*.bin'] }), code('hub.noCheckpoint'));
  await download({ exclude: ['*.safetensors'] });
  assert.ok(fs.existsSync(path.join(directory, 'pytorch_model.bin')));
});
