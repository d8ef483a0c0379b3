import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { familyName } from '../../../src/checkpoint/familyName';
import { modelIn, readModelDirectory } from '../../../src/workbench/modelDirectory';
import { fixture } from '../fixtures';

describe('a model directory', () => {
  it('is told by its configuration, whatever the family and the format of the weights', () => {
    const told = (name: string): string => readModelDirectory(fixture(`models/${name}`)).family;
    assert.equal(told('chatglm-v1'), 'ChatGLM-6B');
    assert.equal(told('chatglm-v1-fp16'), 'ChatGLM-6B');
    assert.equal(told('chatglm2-fp16'), 'ChatGLM2');
    assert.equal(told('chatglm3'), 'ChatGLM3');
    assert.equal(told('glm4-9b'), 'GLM-4-9B');
    assert.equal(told('glm4-0414'), 'GLM-4-0414');
    assert.match(told('glm-hf'), /GLM-Edge/);
  });

  it('says how many parameters there are, and whether they are quantised', () => {
    const plain = readModelDirectory(fixture('models/chatglm2'));
    assert.equal(plain.quantizationBit, 0);
    const int4 = readModelDirectory(fixture('models/chatglm2-int4'));
    assert.equal(int4.quantizationBit, 4);
    assert.equal(int4.parameters, plain.parameters);
    const practice = readModelDirectory(path.resolve('media/practice-model'));
    assert.ok(practice.practice && practice.parameters < 1e7);
  });

  it('is none without weights, with a foreign or a broken configuration', () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'glmtune-model-'));
    try {
      assert.equal(modelIn(directory), null);
      copyFileSync(fixture('models/chatglm3/config.json'), path.join(directory, 'config.json'));
      assert.equal(modelIn(directory), null);
      assert.throws(() => readModelDirectory(directory), { code: 'checkpoint.noWeights' });
      for (const text of ['{', '[]', '{"model_type":"llama"}']) {
        writeFileSync(path.join(directory, 'config.json'), text);
        assert.equal(modelIn(directory), null);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('of a shared network goes by what it is called', () => {
    assert.equal(familyName('chatglm2', ['THUDM/glm-4-9b-chat']), 'GLM-4-9B');
    assert.equal(familyName('chatglm2', [undefined, 'my-model']), 'ChatGLM2 / ChatGLM3 / GLM-4-9B');
    assert.equal(familyName('glm', ['THUDM/glm-edge-1.5b-chat']), 'GLM-Edge');
    assert.equal(familyName('glm4', ['chatglm3']), 'GLM-4-0414');
  });
});
