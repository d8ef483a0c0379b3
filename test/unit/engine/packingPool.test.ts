/** Matrices that worker threads quantise are those that this thread would. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { build } from 'esbuild';
import { bundles } from '../../../.ci/build/bundles.mjs';
import { openWeights } from '../../../src/checkpoint/checkpoint';
import { packNf4From } from '../../../src/checkpoint/packed/nf4';
import { PackingPool } from '../../../src/engine/packingPool';
import { fixture } from '../fixtures';

describe('packing in threads', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'glm-'));
  const worker = path.join(folder, 'packingWorker.js');
  const reader = openWeights(fixture('models/chatglm3'));
  const matrices = [...reader.tensors.values()].filter(({ shape }) => shape.length === 2);

  before(async () => {
    const { entry, options } = bundles.find(({ name }) => name === 'dist/packingWorker.js')!;
    await build({ ...options, entryPoints: [entry], outfile: worker, bundle: true, logLevel: 'silent' });
  });
  after(() => {
    reader.close();
    rmSync(folder, { recursive: true });
  });

  it('makes the same codes and scales, several matrices at a time', async () => {
    const pool = new PackingPool(reader, worker);
    assert.ok(pool.width > 1);
    const packed = await Promise.all(matrices.map(({ name }) => pool.pack(name, true)));
    await pool.close();
    packed.forEach((matrix, i) => assert.deepEqual(matrix, packNf4From(reader, matrices[i].name, true)));
    assert.ok(packed.length > 4);
  });

  it('does it in this thread where there is no worker', async () => {
    const pool = new PackingPool(reader, path.join(folder, 'missing.js'));
    assert.equal(pool.width, 1);
    const [{ name }] = matrices;
    assert.deepEqual(await pool.pack(name, false), packNf4From(reader, name, false));
    await pool.close();
  });

  it('ends with an error where a worker does', async () => {
    const broken = path.join(folder, 'broken.js');
    await build({ stdin: { contents: 'throw new Error("no");' }, outfile: broken });
    const pool = new PackingPool(reader, broken);
    await assert.rejects(pool.pack(matrices[0].name, true), /no/);
    await pool.close();
  });
});
