/** The peers' Python environment, made once in `out/bench/venv`. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { ON_GPU } from './gpu';

const exec = promisify(execFile);
/** Where torch's builds without CUDA are; where it cannot be reached, the package index has a larger one that works as well. */
const CPU_WHEELS = 'https://download.pytorch.org/whl/cpu';

/**
 * The environment's interpreter, installed where a package of the requirements is missing or of another version.
 * Throws where there is no Python or a package cannot be had.
 */
export async function ensurePython(
  root: string,
  requirements: string,
  say: (line: string) => void,
): Promise<string> {
  const home = path.join(root, ON_GPU ? 'out/bench/venv-cuda' : 'out/bench/venv');
  const python = path.join(home, 'bin/python');
  const wanted = readRequirements(readFileSync(requirements, 'utf8'));
  if (!existsSync(python)) {
    say(`Making a Python environment in ${path.relative(root, home)}`);
    await exec('python3', ['-m', 'venv', home]);
  }
  const missing = lacking(wanted, await installedVersions(python));
  if (missing.length === 0) return python;
  say(`Installing ${missing.join(', ')} (torch alone is 200 MB)`);
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements];
  // The package index has torch with CUDA.
  const index = ON_GPU ? [] : ['--extra-index-url', CPU_WHEELS];
  await exec(python, [...install, ...index], { maxBuffer: 1 << 24 });
  const still = lacking(wanted, await installedVersions(python));
  if (still.length > 0) throw new Error(`pip did not install ${still.join(', ')}`);
  return python;
}

/** `name==version` lines. */
export function readRequirements(text: string): Map<string, string> {
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim());
  return new Map(
    lines.filter(Boolean).map((line): [string, string] => {
      const [name, version] = line.split('==');
      if (!name || !version) throw new Error(`${line} names no exact version`);
      return [name.trim().toLowerCase(), version.trim()];
    }),
  );
}

/** Requirements that are missing or there in another version; a local label (`+cpu`) does not count. */
export function lacking(
  wanted: ReadonlyMap<string, string>,
  installed: ReadonlyMap<string, string>,
): string[] {
  return [...wanted]
    .filter(([name, version]) => installed.get(name)?.split('+')[0] !== version)
    .map(([name, version]) => `${name} ${version}`);
}

/** Every package of an environment. */
export async function installedVersions(python: string): Promise<Map<string, string>> {
  const { stdout } = await exec(python, [
    '-m',
    'pip',
    'list',
    '--format=json',
    '--disable-pip-version-check',
  ]);
  const packages = JSON.parse(stdout) as { name: string; version: string }[];
  return new Map(packages.map(({ name, version }) => [name.toLowerCase(), version]));
}
