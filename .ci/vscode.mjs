/** Installs what a real VS Code in a browser needs: node .ci/vscode.mjs */
import { ensureChromium } from './lib/chromium.mjs';
import { main, say } from './lib/run.mjs';
import { ensureVscodeServer, vscodeServer } from './lib/vscodeServer.mjs';

await main(async () => {
  const chromium = await ensureChromium();
  await ensureVscodeServer();
  say(`VS Code ${vscodeServer.version} server and ${chromium} are ready.`);
});
