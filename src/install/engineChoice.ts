/** Which engine computes. */
import { GlmError } from '../protocol/errors';
import { installedEngine } from './installed';
import { unsupportedPlatform } from './variant';

/** `wasm` is the portable engine, which needs no library; `auto` takes it only where there is no library for the platform. */
export const ENGINE_CHOICES = ['auto', 'libtensorflow', 'wasm'] as const;
export type EngineChoice = (typeof ENGINE_CHOICES)[number];

/** Names an engine where an option does not. */
export const ENGINE_VARIABLE = 'GLMTUNE_ENGINE';

export interface ChoiceFacts {
  env: NodeJS.ProcessEnv;
  isInstalled: () => boolean;
  /** Whether there is a library for the platform; takes some milliseconds. */
  isSupported: () => boolean;
}

const FACTS: ChoiceFacts = {
  env: process.env,
  isInstalled: () => installedEngine() !== null,
  isSupported: () => unsupportedPlatform() === null,
};

/**
 * Whether the portable engine is to compute. A library that is merely not installed yet is no reason to: it is many times faster.
 * @param chosen by an option; undefined: by the environment, else `auto`
 * Throws `install.badEngine`.
 */
export function choosesPortable(chosen?: EngineChoice, facts: ChoiceFacts = FACTS): boolean {
  const choice = chosen ?? parseChoice(facts.env[ENGINE_VARIABLE] ?? '');
  return choice === 'wasm' || (choice === 'auto' && !facts.isInstalled() && !facts.isSupported());
}

function parseChoice(text: string): EngineChoice {
  if (text === '') return 'auto';
  const known = ENGINE_CHOICES.find((choice) => choice === text);
  if (known) return known;
  throw new GlmError('install.badEngine', { value: text, allowed: ENGINE_CHOICES.join(', ') });
}
