import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { childEnvironment } from '../../../src/host/process/environment';
import { probeNode, resolveRuntime } from '../../../src/host/process/runtime';

describe('environment of child processes', () => {
  const inherited = {
    PATH: '/bin',
    HOME: '/home/u',
    VSCODE_IPC_HOOK: 'x',
    VSCODE_NLS_CONFIG: '{}',
    ELECTRON_RUN_AS_NODE: '1',
    NODE_OPTIONS: '--inspect',
    NODE_V8_COVERAGE: '/c',
    LD_LIBRARY_PATH: '/usr/local/cuda/lib64',
    UNSET: undefined,
  };

  it('keeps what is the user’s and drops what is VS Code’s', () => {
    assert.deepEqual(childEnvironment(inherited, { electronAsNode: false }, { GLMTUNE_LANG: 'zh-cn' }), {
      PATH: '/bin',
      HOME: '/home/u',
      LD_LIBRARY_PATH: '/usr/local/cuda/lib64',
      GLMTUNE_LANG: 'zh-cn',
    });
  });

  it('tells VS Code’s own binary to be Node', () => {
    const env = childEnvironment(inherited, { electronAsNode: true });
    assert.equal(env['ELECTRON_RUN_AS_NODE'], '1');
    assert.equal(env['NODE_OPTIONS'], undefined);
  });
});

describe('choice of the runtime', () => {
  const probe =
    (versions: Record<string, string>) =>
    async (path: string): Promise<string | null> =>
      versions[path] ?? null;

  it('takes the setting before PATH', async () => {
    const runtime = await resolveRuntime('/opt/node', probe({ '/opt/node': '22.1.0', node: '20.0.0' }));
    assert.deepEqual(runtime, {
      path: '/opt/node',
      version: '22.1.0',
      source: 'setting',
      electronAsNode: false,
    });
  });

  it('reports a setting that is too old or no Node, and replaces it by nothing', async () => {
    assert.deepEqual(await resolveRuntime('/opt/node', probe({ '/opt/node': '18.20.0', node: '22.0.0' })), {
      unusable: '/opt/node',
      version: '18.20.0',
    });
    assert.deepEqual(await resolveRuntime('/bin/ls', probe({ node: '22.0.0' })), {
      unusable: '/bin/ls',
      version: null,
    });
  });

  it('falls back to VS Code’s own runtime where PATH has none that is new enough', async () => {
    const runtime = await resolveRuntime('', probe({ node: '18.20.0' }));
    assert.ok('source' in runtime);
    assert.equal(runtime.source, 'vscode');
    assert.equal(runtime.path, process.execPath);
  });

  it('probes a real Node and a program that is none', async () => {
    assert.equal(await probeNode(process.execPath), process.versions.node);
    assert.equal(await probeNode('/nowhere/node'), null);
  });
});
