/** What a LoRA adapter makes of a layer equals the weight PEFT merges it into: each layer is given the identity matrix. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { openSafetensors } from '../../src/checkpoint/safetensors';
import { loadAdapter } from '../../src/engine/adapters/load';
import { plainForward } from '../../src/engine/decoderGraph';
import { loadModel } from '../../src/engine/loadModel';
import type { ResidentModel } from '../../src/engine/residentModel';
import { oneSequence, sequenceFeeds, sequenceInputs } from '../../src/engine/sequence';
import { fixture } from '../unit/fixtures';
import { ARCHITECTURES } from './architectures';
import { openTestEngine } from './engine';
import { maxDifference } from './golden';

const WEIGHTS = 5e-5;

before(openTestEngine);

/** A linear layer's weight with the adapter in it, transposed: [in, out]. */
async function appliedWeight(resident: ResidentModel, module: string, width: number): Promise<Float32Array> {
  const identity = Float32Array.from({ length: width * width }, (_, i) => (i % (width + 1) === 0 ? 1 : 0));
  const sequence = oneSequence(resident, MARKED, MARKED.length);
  const program = resident.session.compile((graph) => {
    const inputs = sequenceInputs(graph, sequence);
    const forward = plainForward(resident, graph, inputs);
    const apply = (values: Float32Array) =>
      forward.linear(module, graph.constant(values, [width, width], 'float32'));
    // Without what a layer adds to nothing: its bias.
    const weight = graph.sub(apply(identity), apply(new Float32Array(width * width)));
    return { inputs: inputs.all, outputs: [weight], effects: [] };
  });
  const [weight] = (await program.run(sequenceFeeds(sequence))) as Float32Array[];
  return weight;
}

/** Ids that every family can place: `[gMASK]` and `<sop>` of ChatGLM-6B. */
const MARKED = [481, 484];

for (const architecture of ARCHITECTURES)
  for (const run of ['train-lora-attn', 'train-lora-all'])
    test(`${architecture} ${run}: merged weights`, async () => {
      const directory = fixture(`models/${architecture}`);
      const adapter = fixture(`adapters/${architecture}-${run}`);
      const resident = await loadModel({ directory, dtype: 'float32', trainable: false });
      await loadAdapter(resident, adapter);
      const merged = openSafetensors([`${adapter}/merged_changed.safetensors`]);
      assert.ok(merged.tensors.size > 0);
      for (const [name, { shape }] of merged.tensors) {
        const [out, width] = shape;
        const applied = await appliedWeight(resident, name.replace(/\.weight$/, ''), width);
        const transposed = Float32Array.from(
          { length: out * width },
          (_, i) => applied[(i % width) * out + Math.floor(i / width)],
        );
        const difference = maxDifference(transposed, merged.readFloat32(name));
        assert.ok(difference < WEIGHTS, `${name}: ${difference}`);
      }
      merged.close();
      await resident.close();
    });
