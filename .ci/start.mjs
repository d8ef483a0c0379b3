/**
 * A real VS Code in the browser with the extension installed, on a copy of the samples: npm start [-- --port N] [--locale zh-cn]
 * It listens on this machine only. Ctrl-C ends it.
 */
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bootstrap, installEngine, packageExtension, VSIX } from './bootstrap.mjs';
import { main, ROOT, say, step } from './lib/run.mjs';
import { ensureVscodeServer, vscodeServer } from './lib/vscodeServer.mjs';
import { startWorkbenchServer } from './lib/workbenchServer.mjs';

const WORKSPACE = path.join(ROOT, 'out/sample-workspace');

await main(async () => {
  const { values } = parseArgs({ options: { port: { type: 'string' }, locale: { type: 'string' } } });
  await bootstrap();
  await installEngine();
  await packageExtension();
  await ensureVscodeServer();
  copySamples();
  const server = await step(`Starting VS Code ${vscodeServer.version}`, () =>
    startWorkbenchServer({
      vsix: [path.join(ROOT, VSIX)],
      locale: values.locale,
      port: Number(values.port ?? 0),
      smokeTestDriver: false,
    }),
  );
  say(
    `\nOpen ${server.url}/?folder=${encodeURI(WORKSPACE)}\nThe workspace is ${path.relative(ROOT, WORKSPACE)}. Ctrl-C ends VS Code.`,
  );
  await new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  say('\nEnding VS Code.');
  await server.stop();
});

/** Datasets, run file and practice model; what a person changed in an earlier copy stays. */
function copySamples() {
  if (existsSync(WORKSPACE)) return;
  mkdirSync(WORKSPACE, { recursive: true });
  cpSync(path.join(ROOT, 'media/samples'), path.join(WORKSPACE, 'samples'), { recursive: true });
  const sources = ['corpus', 'make'];
  cpSync(path.join(ROOT, 'media/practice-model'), path.join(WORKSPACE, 'practice-model'), {
    recursive: true,
    filter: (file) => !sources.includes(path.basename(file)),
  });
}
