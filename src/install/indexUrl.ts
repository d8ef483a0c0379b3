/** Which package index to ask. Companies and countries have their own: what the user told pip or uv holds here too. */
import fs from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { takeCredentials } from '../download/credentials';
import { GlmError } from '../protocol/errors';

const PYPI = 'https://pypi.org/simple';
const ENVIRONMENT = ['GLMTUNE_INDEX_URL', 'PIP_INDEX_URL', 'UV_DEFAULT_INDEX', 'UV_INDEX_URL'];

/** An index without credentials, and the header that carries them. */
export interface PackageIndex {
  /** Ends with `/`. */
  url: string;
  authorization: string | null;
}

/**
 * The index to use: the option, else the environment (`GLMTUNE_INDEX_URL`, then pip's and uv's variables), else pip's
 * configuration files, else PyPI. Throws GlmError for an address that is not http or https.
 */
export function resolveIndex(option: string | undefined, env: NodeJS.ProcessEnv = process.env): PackageIndex {
  const candidates = [option, ...ENVIRONMENT.map((name) => env[name]), pipIndexUrl(env), PYPI];
  // An empty setting or variable counts as not set.
  const text = candidates.map((value) => value?.trim()).find((value) => value) ?? PYPI;
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new GlmError('install.badIndexUrl', { url: text });
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new GlmError('install.badIndexUrl', { url: text });
  }
  const authorization = takeCredentials(url);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return { url: url.href, authorization };
}

/** `index-url` of pip's configuration files; the file read last wins, as in pip. */
function pipIndexUrl(env: NodeJS.ProcessEnv): string | null {
  let found: string | null = null;
  for (const file of pipConfigFiles(env)) {
    try {
      found = parsePipConfig(fs.readFileSync(file, 'utf8')) ?? found;
    } catch {
      // A file that is not there or not ours to read sets nothing.
    }
  }
  return found;
}

function pipConfigFiles(env: NodeJS.ProcessEnv): string[] {
  const home = env.HOME ?? homedir();
  const config = env.XDG_CONFIG_HOME ?? path.join(home, '.config');
  // pip's documented way to switch its files off.
  if (env.PIP_CONFIG_FILE === '/dev/null') return [];
  return [
    '/etc/xdg/pip/pip.conf',
    '/etc/pip.conf',
    path.join(home, '.pip', 'pip.conf'),
    path.join(config, 'pip', 'pip.conf'),
    ...(env.VIRTUAL_ENV ? [path.join(env.VIRTUAL_ENV, 'pip.conf')] : []),
    ...(env.PIP_CONFIG_FILE ? [env.PIP_CONFIG_FILE] : []),
  ];
}

/** `index-url` of the section `[global]`, or of `[install]`, which goes before it. */
export function parsePipConfig(text: string): string | null {
  const found: Record<string, string> = {};
  let section = '';
  for (const line of text.split(/\r?\n/)) {
    const header = /^\[([^\]]+)\]\s*$/.exec(line);
    const setting = /^index[-_]url\s*[=:]\s*(\S+)\s*$/.exec(line);
    if (header) section = header[1];
    else if (setting) found[section] = setting[1];
  }
  return found.install ?? found.global ?? null;
}
