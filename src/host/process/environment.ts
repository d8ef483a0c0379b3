/** Environment of child processes. */

/** Variables of VS Code and Electron that change what a child does or let it talk to VS Code's own sockets. */
const FOREIGN = /^(VSCODE_|ELECTRON_)/;
const EXACT = new Set(['NODE_OPTIONS', 'NODE_EXEC_PATH', 'NODE_V8_COVERAGE']);

export interface RuntimeKind {
  /** The child is VS Code's own binary, which must be told to behave as Node. */
  electronAsNode: boolean;
}

/**
 * A copy of `environment` fit for a child process.
 * `additions` win over inherited values.
 */
export function childEnvironment(
  environment: NodeJS.ProcessEnv,
  runtime: RuntimeKind,
  additions: Record<string, string> = {},
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || FOREIGN.test(name) || EXACT.has(name)) continue;
    result[name] = value;
  }
  if (runtime.electronAsNode) {
    result['ELECTRON_RUN_AS_NODE'] = '1';
    result['ELECTRON_NO_ASAR'] = '1';
  }
  return { ...result, ...additions };
}
