/** Which program runs our child processes. */
import { execFile } from 'node:child_process';
import { childEnvironment, type RuntimeKind } from './environment';

/** Oldest Node that the engine runs on. */
export const MINIMUM_NODE = 20;

export interface Runtime extends RuntimeKind {
  /** Executable to start. */
  path: string;
  version: string;
  /** Where it came from: the setting, PATH, or VS Code's own runtime. */
  source: 'setting' | 'path' | 'vscode';
}

/** Version of the Node at `path` (`20.11.0`); null where it does not run or is no Node. */
export type ProbeNode = (path: string) => Promise<string | null>;

export const probeNode: ProbeNode = (path) =>
  new Promise((resolve) => {
    const env = childEnvironment(process.env, { electronAsNode: false });
    execFile(path, ['--version'], { env, timeout: 10_000, windowsHide: true }, (error, output) => {
      const version = /^v(\d+\.\d+\.\d+)/.exec(output.trim())?.[1];
      resolve(error ? null : (version ?? null));
    });
  });

/** A `glmtune.engine.nodePath` that cannot be used, and why. */
export interface UnusableNode {
  unusable: string;
  version: string | null;
}

/**
 * The setting if there is one, else `node` on PATH where it is new enough, else VS Code's own runtime.
 * A setting that cannot be used is reported, not replaced: the user asked for that Node.
 */
export async function resolveRuntime(
  setting: string,
  probe: ProbeNode = probeNode,
): Promise<Runtime | UnusableNode> {
  if (setting !== '') {
    const version = await probe(setting);
    if (!newEnough(version)) return { unusable: setting, version };
    return { path: setting, version, source: 'setting', electronAsNode: false };
  }
  const version = await probe('node');
  if (newEnough(version)) return { path: 'node', version, source: 'path', electronAsNode: false };
  return {
    path: process.execPath,
    version: process.versions.node,
    source: 'vscode',
    electronAsNode: process.versions['electron'] !== undefined,
  };
}

function newEnough(version: string | null): version is string {
  return version !== null && Number.parseInt(version, 10) >= MINIMUM_NODE;
}
