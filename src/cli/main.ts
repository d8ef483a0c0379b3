/** Entry point of the command line (`dist/cli.js`). */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { chooseLanguage, loadTranslations, packageRoot } from './language';
import { Output } from './output';
import { runProgram } from './program';

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  const root = packageRoot(__dirname);
  const language = chooseLanguage(argv, process.env);
  const { stdout, stderr, env } = process;
  const drawable = env.TERM !== 'dumb' && !env.NO_COLOR;
  const output = new Output({
    stdout,
    stderr,
    json: argv.includes('--json'),
    terminal: Boolean(stderr.isTTY) && drawable,
    colouredResults: Boolean(stdout.isTTY) && drawable,
  });
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  const t = loadTranslations(language, root);
  const exitCode = await runProgram({ output, t, language, root, version }, argv);
  await output.flush();
  // The native library keeps threads that would hold the process open.
  process.exit(exitCode);
}

void main();
