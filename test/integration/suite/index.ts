/** Entry of the suite: VS Code calls `run` inside the extension host. */
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import Mocha from 'mocha';

/** Resolves when every test has passed. */
export async function run(): Promise<void> {
  const mocha = new Mocha({ ui: 'bdd', timeout: 120_000, color: false });
  for (const file of readdirSync(__dirname).filter((name) => name.endsWith('.test.cjs')))
    mocha.addFile(path.join(__dirname, file));
  const counts = await new Promise<{ passed: number; failed: number; skipped: number }>((resolve) => {
    const runner = mocha.run(() => {
      const { passes, failures, pending } = runner.stats!;
      resolve({ passed: passes, failed: failures, skipped: pending });
    });
  });
  if (process.env.TEST_COUNTS) writeFileSync(process.env.TEST_COUNTS, JSON.stringify(counts));
  if (counts.failed > 0) throw new Error(`${counts.failed} tests failed`);
}
