/** Where models come from: which server, which protocol, which access token. */
import { readFile } from 'node:fs/promises';
import { GlmError } from '../protocol/errors';

export type Protocol = 'huggingface' | 'modelscope';

export interface Source {
  protocol: Protocol;
  /** Without a slash at the end, without credentials. */
  endpoint: string;
  /** Branch that is meant where none is named. */
  defaultRevision: string;
  /** Environment variable whose token belongs to this server; null for servers that were named by address. */
  tokenVariable: string | null;
}

const HUGGING_FACE = 'https://huggingface.co';
const MODELSCOPE = 'https://www.modelscope.cn';
const MODELSCOPE_HOST = /(^|\.)modelscope\.(cn|ai)$/;
/** A token is some dozens of characters; more than this is another file. */
const MOST_TOKEN_BYTES = 4096;

/**
 * The server to ask.
 * @param option `huggingface` (at `HF_ENDPOINT` where that is set), `modelscope` (at `MODELSCOPE_DOMAIN`), or the address
 *   of a server that works like Hugging Face
 * @returns the source; throws GlmError `hub.badSource`
 */
export function resolveSource(option: string, env: NodeJS.ProcessEnv = process.env): Source {
  switch (option.trim()) {
    case 'huggingface':
      return huggingFace(endpointOf(env.HF_ENDPOINT?.trim() || HUGGING_FACE), 'HF_TOKEN');
    case 'modelscope': {
      const domain = env.MODELSCOPE_DOMAIN?.trim() || MODELSCOPE;
      return modelScope(endpointOf(domain.includes('://') ? domain : `https://${domain}`));
    }
  }
  const endpoint = endpointOf(option.trim());
  if (MODELSCOPE_HOST.test(new URL(endpoint).hostname)) return modelScope(endpoint);
  // A token in the environment was meant for Hugging Face: whoever named this address did not say that it may go there.
  return huggingFace(endpoint, endpoint === HUGGING_FACE ? 'HF_TOKEN' : null);
}

/**
 * The access token for a server.
 * @param file of the token, which goes before the environment
 * @returns null where there is none; throws GlmError `hub.badToken`, or an operating-system error with its path
 */
export async function resolveToken(
  source: Source,
  file: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string | null> {
  if (file === undefined) return (source.tokenVariable && env[source.tokenVariable]?.trim()) || null;
  const bytes = await readFile(file);
  const token = bytes.length > MOST_TOKEN_BYTES ? '' : bytes.toString('utf8').trim();
  return requireToken(token, file);
}

/** @returns the token; throws GlmError `hub.badToken` for what can be none */
export function requireToken(token: string, place: string): string {
  if (!/^[\x21-\x7e]+$/.test(token)) throw new GlmError('hub.badToken', { path: place });
  return token;
}

/** Headers that carry the token. ModelScope's older paths know a session cookie only. */
export function tokenHeaders({ protocol }: Source, token: string | null): Record<string, string> {
  if (token === null) return {};
  const authorization = `Bearer ${token}`;
  return protocol === 'modelscope'
    ? { authorization, cookie: `m_session_id=${encodeURIComponent(token)}` }
    : { authorization };
}

function huggingFace(endpoint: string, tokenVariable: string | null): Source {
  return { protocol: 'huggingface', endpoint, defaultRevision: 'main', tokenVariable };
}

function modelScope(endpoint: string): Source {
  return {
    protocol: 'modelscope',
    endpoint,
    defaultRevision: 'master',
    tokenVariable: 'MODELSCOPE_API_TOKEN',
  };
}

function endpointOf(text: string): string {
  const bad = new GlmError('hub.badSource', { source: text.slice(0, 300) });
  if (!URL.canParse(text)) throw bad;
  const url = new URL(text);
  const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!plain || (url.protocol !== 'https:' && url.protocol !== 'http:')) throw bad;
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}
