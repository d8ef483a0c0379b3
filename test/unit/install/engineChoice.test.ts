import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choosesPortable, type ChoiceFacts, type EngineChoice } from '../../../src/install/engineChoice';

function facts(installed: boolean, supported: boolean, variable?: string): ChoiceFacts {
  return {
    env: variable === undefined ? {} : { GLMTUNE_ENGINE: variable },
    isInstalled: () => installed,
    isSupported: () => supported,
  };
}

test('left alone, the portable engine computes where the platform has no library, and only there', () => {
  const cases: [installed: boolean, supported: boolean, portable: boolean][] = [
    [true, true, false],
    // An installation that is merely missing is for the user to make.
    [false, true, false],
    [false, false, true],
    [true, false, false],
  ];
  for (const [installed, supported, portable] of cases)
    assert.equal(
      choosesPortable(undefined, facts(installed, supported)),
      portable,
      `${installed} ${supported}`,
    );
});

test('an option is taken before the environment, the environment before the machine', () => {
  const cases: [EngineChoice | undefined, string | undefined, boolean][] = [
    ['wasm', undefined, true],
    ['wasm', 'libtensorflow', true],
    ['libtensorflow', 'wasm', false],
    [undefined, 'wasm', true],
    [undefined, 'libtensorflow', false],
    ['auto', 'wasm', false],
    [undefined, '', false],
  ];
  for (const [option, variable, portable] of cases)
    assert.equal(choosesPortable(option, facts(true, true, variable)), portable, `${option} ${variable}`);
  assert.equal(choosesPortable('libtensorflow', facts(false, false)), false);
});

test('an engine that there is not is named', () => {
  assert.throws(() => choosesPortable(undefined, facts(true, true, 'webgpu')), {
    code: 'install.badEngine',
    args: { value: 'webgpu', allowed: 'auto, libtensorflow, wasm' },
  });
});

test('the platform is not looked at where a library is installed or something was chosen', () => {
  const isSupported = (): boolean => assert.fail('looked');
  choosesPortable(undefined, { env: {}, isInstalled: () => true, isSupported });
  choosesPortable('wasm', { env: {}, isInstalled: () => false, isSupported });
});
