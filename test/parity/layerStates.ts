import { outputLogits, plainForward } from '../../src/engine/decoderGraph';
import type { ResidentModel } from '../../src/engine/residentModel';
import { oneSequence, sequenceFeeds, sequenceInputs } from '../../src/engine/sequence';

/** Every value float32, row-major over the sequence. */
export interface LayerStates {
  /** Embeddings, then the output of each layer: [t, hidden] each. */
  hidden: Float32Array[];
  /** [t, hidden] after the final norm. */
  final: Float32Array;
  /** [t, vocab] */
  logits: Float32Array;
}

/** Everything between the layers of one pass over a sequence. */
export async function layerStates(resident: ResidentModel, ids: readonly number[]): Promise<LayerStates> {
  const { model } = resident;
  const sequence = oneSequence(resident, ids, ids.length);
  const program = resident.session.compile((graph) => {
    const inputs = sequenceInputs(graph, sequence);
    const forward = plainForward(resident, graph, inputs);
    const shared = model.shared(forward);
    const states = [model.embed(forward, inputs.ids)];
    for (let layer = 0; layer < model.layers; layer++)
      states.push(model.block(forward, shared, states[layer], layer));
    const last = states[model.layers];
    const final = graph.cast(model.finish(forward, last), 'float32');
    const outputs = [...states, final, outputLogits(resident, forward, last)];
    return { inputs: inputs.all, outputs, effects: [] };
  });
  const values = (await program.run(sequenceFeeds(sequence))) as Float32Array[];
  return { hidden: values.slice(0, -2), final: values.at(-2)!, logits: values.at(-1)! };
}
