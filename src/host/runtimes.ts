/** The runtime and environment of every child process the extension starts. */
import * as vscode from 'vscode';
import { GlmError } from '../protocol/errors';
import { Disposable } from './lifecycle';
import type { Log } from './log';
import { CONFIGURATION, SETTINGS } from './names';
import { childEnvironment } from './process/environment';
import { MINIMUM_NODE, resolveRuntime, type Runtime } from './process/runtime';
import { nodePathSetting, variantSetting } from './settings';

/** A command line of our own CLI, ready to be spawned. */
export interface CliInvocation {
  command: string;
  args: string[];
  env: Record<string, string>;
}

export class Runtimes extends Disposable {
  private resolved: Promise<Runtime> | null = null;

  constructor(
    private readonly cliPath: string,
    private readonly log: Log,
  ) {
    super();
    this._register(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(`${CONFIGURATION}.${SETTINGS.nodePath}`)) this.resolved = null;
      }),
    );
  }

  /** `node dist/cli.js ...args` in the chosen runtime, speaking the display language. */
  async cli(args: string[]): Promise<CliInvocation> {
    const runtime = await this.runtime();
    return {
      command: runtime.path,
      args: [this.cliPath, ...args],
      env: childEnvironment(process.env, runtime, {
        GLMTUNE_LANG: vscode.env.language,
        ...(variantSetting() === 'wasm' ? { GLMTUNE_ENGINE: 'wasm' } : {}),
      }),
    };
  }

  private async runtime(): Promise<Runtime> {
    this.resolved ??= this.resolve();
    try {
      return await this.resolved;
    } catch (error) {
      this.resolved = null;
      throw error;
    }
  }

  private async resolve(): Promise<Runtime> {
    const result = await resolveRuntime(nodePathSetting());
    if ('unusable' in result) {
      throw new GlmError('host.nodeUnusable', {
        path: result.unusable,
        version: result.version ?? '',
        minimum: MINIMUM_NODE,
      });
    }
    this.log.info(`engine runtime: ${result.path} (Node ${result.version}, from ${result.source})`);
    return result;
  }
}
