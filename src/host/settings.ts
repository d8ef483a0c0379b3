/** Typed access to `glmtune.*` settings. */
import * as vscode from 'vscode';
import type { SamplingSettings } from '../protocol/control';
import { CONFIGURATION, SETTINGS } from './names';

/** What is to compute: a library that is installed, or `wasm`, the portable engine. */
export type EngineVariant = 'auto' | 'cpu' | 'cuda' | 'wasm';

function configuration(): vscode.WorkspaceConfiguration {
  return vscode.workspace.getConfiguration(CONFIGURATION);
}

export function nodePathSetting(): string {
  return configuration().get<string>(SETTINGS.nodePath, '').trim();
}

export function indexUrlSetting(): string {
  return configuration().get<string>(SETTINGS.indexUrl, '').trim();
}

export function variantSetting(): EngineVariant {
  return configuration().get<EngineVariant>(SETTINGS.variant, 'auto');
}

/** Address that stands in for Hugging Face, from the setting or else the environment; empty where there is none. */
export function downloadEndpointSetting(): string {
  const endpoint = configuration().get<string>(SETTINGS.downloadEndpoint, '').trim();
  return endpoint || (process.env.HF_ENDPOINT?.trim() ?? '');
}

/** VS Code's own proxy setting, empty where the environment decides. */
export function proxySetting(): string {
  return vscode.workspace.getConfiguration('http').get<string>('proxy', '').trim();
}

/** Setting behind each sampling value. */
const SAMPLING = {
  do_sample: SETTINGS.chatSample,
  temperature: SETTINGS.chatTemperature,
  top_p: SETTINGS.chatTopP,
  top_k: SETTINGS.chatTopK,
  repetition_penalty: SETTINGS.chatRepetitionPenalty,
  max_new_tokens: SETTINGS.chatMaxNewTokens,
  seed: SETTINGS.chatSeed,
} as const satisfies Record<keyof SamplingSettings, string>;

export function samplingSettings(): SamplingSettings {
  const current = configuration();
  return {
    do_sample: current.get(SAMPLING.do_sample, true),
    temperature: current.get(SAMPLING.temperature, 0.8),
    top_p: current.get(SAMPLING.top_p, 0.8),
    top_k: current.get(SAMPLING.top_k, 0),
    repetition_penalty: current.get(SAMPLING.repetition_penalty, 1),
    max_new_tokens: current.get(SAMPLING.max_new_tokens, 512),
    seed: current.get(SAMPLING.seed, 0),
  };
}

/** Writes changed sampling values where they are already set, else into the user's settings. */
export async function updateSampling(changes: Partial<SamplingSettings>): Promise<void> {
  const current = configuration();
  for (const [key, value] of Object.entries(changes)) {
    const setting = SAMPLING[key as keyof SamplingSettings];
    const inWorkspace = current.inspect(setting)?.workspaceValue !== undefined;
    const target = inWorkspace ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global;
    await current.update(setting, value, target);
  }
}
