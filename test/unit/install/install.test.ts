import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { installEngine, type InstallOptions } from '../../../src/install/install';
import { installedVariant, type EngineManifest } from '../../../src/install/installed';
import type { InstallProgress } from '../../../src/install/progress';
import { unsupportedPlatform } from '../../../src/install/variant';
import { GlmError } from '../../../src/protocol/errors';
import { temporaryDirectory } from '../checkpoint/temporary';
import { fakeEngine, WHEEL, zip } from './fakeWheel';
import { startServer, type ServerOptions, type WheelServer } from './wheelServer';

/** The installer refuses other platforms before it does anything. */
const skip = unsupportedPlatform() ?? false;
const engine = fakeEngine();

interface Setup {
  server: WheelServer;
  home: string;
  progress: InstallProgress[];
  install: (changes?: Partial<InstallOptions>) => ReturnType<typeof installEngine>;
}

async function setUp(context: TestContext, server: Partial<ServerOptions> = {}): Promise<Setup> {
  const running = await startServer(context, { files: new Map([[WHEEL, engine.wheel]]), ...server });
  const home = temporaryDirectory(context);
  const progress: InstallProgress[] = [];
  const install = (changes: Partial<InstallOptions> = {}) =>
    installEngine({
      variant: 'cpu',
      indexUrl: running.indexUrl,
      home,
      wheels: [engine.pin],
      retryDelay: 1,
      onProgress: (state) => progress.push(state),
      ...changes,
    });
  return { server: running, home, progress, install };
}

function checkInstalled(home: string): void {
  const installed = installedVariant(home, 'cpu');
  assert.ok(installed);
  for (const [file, data] of engine.contents) {
    assert.ok(fs.readFileSync(path.join(installed.directory, file)).equals(data), file);
  }
  assert.equal(fs.statSync(path.join(installed.directory, 'fake/bin/tool')).mode & 0o111, 0o111);
  // Nothing but the engine is left: no lock, no staging directory.
  assert.deepEqual(fs.readdirSync(path.join(home, 'engine')), [path.basename(installed.directory)]);
}

function staged(home: string): string[] {
  const engines = path.join(home, 'engine');
  const staging = fs.readdirSync(engines).find((name) => name.startsWith('.staging'));
  return staging ? fs.readdirSync(path.join(engines, staging)) : [];
}

const code = (expected: string) => (error: unknown) => {
  assert.ok(error instanceof GlmError, String(error));
  assert.equal(error.code, expected);
  return true;
};

for (const format of ['json', 'html'] as const) {
  test(`a ${format} index with ranges: only the wanted members travel`, { skip }, async (context) => {
    const { server, home, install, progress } = await setUp(context, { format });
    const result = await install();
    checkInstalled(home);
    assert.equal(result.variant, 'cpu');
    assert.ok(server.sentBytes() < 480_000, `${server.sentBytes()} bytes`);
    assert.deepEqual(
      [...new Set(progress.map((state) => state.phase))],
      ['preparing', 'downloading', 'unpacking'],
    );
    const last = progress.at(-1)!;
    assert.equal(last.receivedBytes, last.totalBytes);
  });
}

test('an engine that is there is not fetched again', { skip }, async (context) => {
  const { server, install } = await setUp(context);
  const first = await install();
  const { length } = server.requests;
  assert.deepEqual(await install(), first);
  assert.equal(server.requests.length, length);
  await install({ force: true });
  assert.ok(server.requests.length > length);
});

test('an engine that lost a file is completed again', { skip }, async (context) => {
  const { home, install } = await setUp(context);
  const { directory } = await install();
  fs.truncateSync(path.join(directory, 'fake/lib.so.2'), 10);
  assert.equal(installedVariant(home, 'cpu'), null);
  await install();
  checkInstalled(home);
});

test('a server without ranges: the whole wheel travels', { skip }, async (context) => {
  const { server, home, install, progress } = await setUp(context, { ranges: false });
  await install();
  checkInstalled(home);
  assert.ok(server.sentBytes() >= engine.wheel.length);
  const last = progress.at(-1)!;
  assert.equal(last.totalBytes, engine.wheel.length);
  assert.equal(last.receivedBytes, last.totalBytes);
});

test('a server without ranges that drops the connection starts over', { skip }, async (context) => {
  const { home, install } = await setUp(context, { ranges: false, drops: [300_000, 300_000] });
  await install();
  checkInstalled(home);
});

test('dropped connections are resumed where they broke', { skip }, async (context) => {
  const drops = [150_000, 100_000, 50_000];
  const { server, home, install } = await setUp(context, { drops });
  await install();
  checkInstalled(home);
  assert.equal(drops.length, 0);
  const ranges = server.requests
    .map((request) => / bytes=(\d+)-(\d+)$/.exec(request))
    .filter((range) => range !== null);
  const [begin, end] = ranges
    .map((range) => range.slice(1).map(Number))
    .find(([from, to]) => to - from > 300_000)!;
  const resumed = ranges.filter((range) => Number(range[2]) === end && Number(range[1]) > begin);
  assert.ok(resumed.length > 0, server.requests.join('\n'));
});

test('overloaded servers are asked again, refusals are not', { skip }, async (context) => {
  const { home, install } = await setUp(context, { statuses: [503, 429, 500] });
  await install();
  checkInstalled(home);
  const refused = await setUp(context, { statuses: [403, 403] });
  await assert.rejects(refused.install(), code('install.httpStatus'));
  assert.equal(refused.server.requests.filter((request) => request.includes('/files/')).length, 1);
});

test('an installation that was cancelled goes on later', { skip }, async (context) => {
  const { server, home, install } = await setUp(context, { drops: [100_000, 1, 1, 1, 1, 1, 1, 1, 1, 1] });
  const abort = new AbortController();
  const options: Partial<InstallOptions> = {
    signal: abort.signal,
    onProgress: (state) => state.receivedBytes >= 100_000 && abort.abort(),
  };
  await assert.rejects(install(options), code('install.cancelled'));
  assert.equal(installedVariant(home, 'cpu'), null);
  assert.ok(staged(home).some((name) => name.endsWith('.part')));
  server.options.drops = [];
  const before = server.sentBytes();
  await install();
  checkInstalled(home);
  assert.ok(server.sentBytes() - before < 400_000, 'the first 100 000 bytes did not travel again');
});

test('a wheel with another file than the pinned one is refused', { skip }, async (context) => {
  const other = fakeEngine().contents.get('fake/lib.so.2')!;
  other[1000] ^= 1;
  const members = ['fake/bin/tool', 'fake/include/LICENSE'].map((name) => ({ name, data: Buffer.from('x') }));
  const forged = zip([{ name: 'fake/lib.so.2', data: other }, ...members]);
  const { home, install } = await setUp(context, { files: new Map([[WHEEL, forged]]) });
  await assert.rejects(install(), code('install.hashMismatch'));
  assert.equal(installedVariant(home, 'cpu'), null);
  assert.deepEqual(staged(home), ['tree']);
});

test('a damaged part of an earlier try is fetched anew', { skip }, async (context) => {
  const { home, install } = await setUp(context);
  const staging = path.join(home, 'engine', '.staging-libtensorflow-2.21.0-cpu-linux-x64');
  fs.mkdirSync(staging, { recursive: true });
  const [library, tool] = engine.pin.members;
  fs.writeFileSync(path.join(staging, `${library.sha256}.part`), Buffer.alloc(1000, 7));
  fs.writeFileSync(path.join(staging, `${tool.sha256}.part`), Buffer.alloc(1_000_000, 7));
  await install();
  checkInstalled(home);
});

test('a library that unpacks to more than was pinned stops at the pinned size', { skip }, async (context) => {
  const bomb = zip([
    { name: 'fake/lib.so.2', data: Buffer.alloc(50_000_000) },
    { name: 'fake/bin/tool', data: Buffer.from('x') },
    { name: 'fake/include/LICENSE', data: Buffer.from('x') },
  ]);
  const { install } = await setUp(context, { files: new Map([[WHEEL, bomb]]) });
  await assert.rejects(install(), code('install.hashMismatch'));
});

test('what is not on the index is said with the names', { skip }, async (context) => {
  const { install, server } = await setUp(context, { files: new Map() });
  await assert.rejects(
    install(),
    (error) => code('install.notOnIndex')(error) && String(error).includes(WHEEL),
  );
  const wheels = [{ ...engine.pin, project: 'no-such-project' }];
  await assert.rejects(install({ wheels }), code('install.notOnIndex'));
  await assert.rejects(
    install({ indexUrl: `http://127.0.0.1:${server.port}/elsewhere` }),
    code('install.notOnIndex'),
  );
});

test('an index that cannot be reached is a network error after some tries', { skip }, async (context) => {
  const { install } = await setUp(context);
  await assert.rejects(install({ indexUrl: 'http://127.0.0.1:9/simple' }), code('install.network'));
});

test('a full disk is found before anything is downloaded', { skip }, async (context) => {
  const { install, server, home } = await setUp(context);
  await assert.rejects(install({ free: () => Promise.resolve(64 * 1024 * 1024) }), code('install.noSpace'));
  assert.equal(server.sentBytes(), 0);
  assert.deepEqual(staged(home), ['tree']);
});

test('a wheel from the disk needs no network', { skip }, async (context) => {
  const { install, server, home } = await setUp(context);
  const file = path.join(home, WHEEL);
  fs.writeFileSync(file, engine.wheel);
  await install({ localFile: file });
  checkInstalled(home);
  assert.equal(server.requests.length, 0);
  const other = await setUp(context);
  await other.install({ localFile: home });
  checkInstalled(other.home);
  const { localFile } = { localFile: path.join(home, 'none.whl') };
  await assert.rejects((await setUp(context)).install({ localFile }), code('install.noLocalFile'));
  await assert.rejects(
    (await setUp(context)).install({ localFile: other.home }),
    code('install.noLocalFile'),
  );
});

test('a wheel on the disk that is no zip archive is refused', { skip }, async (context) => {
  const { install, home } = await setUp(context);
  const file = path.join(home, WHEEL);
  fs.writeFileSync(file, 'no archive, but long enough to hold an end record');
  await assert.rejects(install({ localFile: file }), code('install.badArchive'));
  assert.ok(fs.existsSync(file), 'the file of the user stays');
});

test('credentials in the index address are used, and appear nowhere', { skip }, async (context) => {
  const authorization = `Basic ${Buffer.from('user:pa ss').toString('base64')}`;
  const { install, server } = await setUp(context, { authorization });
  const indexUrl = server.indexUrl.replace('http://', 'http://user:pa%20ss@');
  const { directory } = await install({ indexUrl });
  const text = fs.readFileSync(path.join(directory, 'manifest.json'), 'utf8');
  const manifest = JSON.parse(text) as EngineManifest;
  assert.equal(manifest.source, `${server.indexUrl}/`);
  const wrong = await setUp(context, { authorization });
  await assert.rejects(
    wrong.install({ indexUrl: wrong.server.indexUrl.replace('http://', 'http://user:secret@') }),
    (error) => code('install.httpStatus')(error) && !String(error).includes('secret'),
  );
});

/** A proxy that opens tunnels and counts them: undici asks for one for every request. */
async function startProxy(context: TestContext): Promise<{ url: string; passed: string[] }> {
  const passed: string[] = [];
  const sockets = new Set<Duplex>();
  const proxy = http.createServer();
  proxy.on('connect', (request: http.IncomingMessage, socket: Duplex) => {
    passed.push(request.url!);
    const [host, port] = request.url!.split(':');
    const target = net.connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      target.pipe(socket).pipe(target);
    });
    for (const end of [socket, target]) {
      sockets.add(end);
      end.on('error', () => undefined);
      end.on('close', () => {
        socket.destroy();
        target.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, passed };
}

/** Sets variables of the environment until the test ends. */
function setEnvironment(context: TestContext, values: Record<string, string>): void {
  for (const [name, value] of Object.entries(values)) {
    const before = process.env[name];
    process.env[name] = value;
    context.after(() => {
      if (before === undefined) delete process.env[name];
      else process.env[name] = before;
    });
  }
}

test(
  'a proxy is used: the option, the environment, and not where NO_PROXY says so',
  { skip },
  async (context) => {
    const proxy = await startProxy(context);
    const byOption = await setUp(context);
    await byOption.install({ proxy: proxy.url });
    checkInstalled(byOption.home);
    const used = proxy.passed.length;
    assert.ok(used > 0);
    setEnvironment(context, { http_proxy: proxy.url, no_proxy: '' });
    const byEnvironment = await setUp(context);
    await byEnvironment.install();
    checkInstalled(byEnvironment.home);
    assert.ok(proxy.passed.length > used);
    const usedThen = proxy.passed.length;
    process.env.no_proxy = '127.0.0.1';
    const direct = await setUp(context);
    await direct.install();
    assert.equal(proxy.passed.length, usedThen);
    await assert.rejects((await setUp(context)).install({ proxy: 'no address' }), code('install.badProxy'));
  },
);

test('two installations at once: one works, the other waits for it', { skip }, async (context) => {
  const { server, home, install } = await setUp(context);
  const [first, second] = await Promise.all([install(), install()]);
  assert.deepEqual(first, second);
  checkInstalled(home);
  assert.equal(server.requests.filter((request) => request.includes('simple')).length, 1);
});

test(
  'a directory that may not be written is an error with its path',
  { skip: skip || process.getuid?.() === 0 },
  async (context) => {
    const { install, home } = await setUp(context);
    fs.chmodSync(home, 0o500);
    await assert.rejects(
      install(),
      (error: NodeJS.ErrnoException) => error.code === 'EACCES' && error.path!.startsWith(home),
    );
  },
);
