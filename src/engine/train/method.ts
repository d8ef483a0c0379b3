/** Prepares a loaded model for the method of a run: full, LoRA or P-Tuning v2. */
import { loraScale, loraTensorName, type LoraShape } from '../../checkpoint/lora';
import { GlmError } from '../../protocol/errors';
import type { LoraSettings, PrefixSettings, RunFile } from '../../protocol/run';
import { initialLora, initialPrefix } from '../adapters/create';
import { loadAdapter } from '../adapters/load';
import { initialName, type LoraAdapter } from '../adapters/residentAdapter';
import type { GraphBuilder } from '../backend/graphBuilder';
import { doraNorm } from '../nn/dora';
import type { StoredWeight } from '../nn/linear';
import { residualWeight } from '../nn/residual';
import type { ResidentModel } from '../residentModel';
import { newLora, newPrefix } from './methodLayout';
import { initialPissa, sessionProducts } from './pissa';
import type { MatrixProducts } from './subspace';

/** Puts the adapter to train on the model: a new one, or the one the run starts from. */
export async function prepareMethod(run: RunFile, resident: ResidentModel): Promise<void> {
  const { method, adapter, training } = run;
  if (method.type === 'full') {
    if (adapter) throw new GlmError('run.adapterWithFull', { path: adapter });
    return;
  }
  if (adapter) return startFrom(adapter, method, resident);
  if (method.type === 'ptuning_v2') return startPrefix(run.model, method, training.seed, resident);
  return startLora(run.model, method, training.seed, resident);
}

async function startFrom(
  directory: string,
  method: LoraSettings | PrefixSettings,
  resident: ResidentModel,
): Promise<void> {
  const adapter = await loadAdapter(resident, directory, {
    training:
      method.type === 'lora'
        ? { lrRatio: method.loraplus_lr_ratio, prefixDropout: 0 }
        : { lrRatio: 1, prefixDropout: method.prefix_dropout },
  });
  if (adapter.kind !== (method.type === 'lora' ? 'lora' : 'prefix'))
    throw new GlmError('run.adapterKind', { path: directory, method: method.type });
}

async function startLora(
  model: string,
  method: LoraSettings,
  seed: number,
  resident: ResidentModel,
): Promise<void> {
  const adapter = newLora(model, method, resident.model.config);
  const pissa = method.init_lora_weights === 'pissa';
  const values = pissa
    ? await principalComponents(resident, adapter, seed)
    : initialLora(adapter.shapes, seed);
  if (method.use_dora)
    for (const [name, norms] of await rowNorms(resident, adapter, values)) values.set(name, norms);
  await resident.setAdapter(adapter, ({ name }) => values.get(name)!);
}

/** PiSSA's first matrices, as what is trained and as what is taken off. */
async function principalComponents(
  resident: ResidentModel,
  { config, shapes }: LoraAdapter,
  seed: number,
): Promise<Map<string, Float32Array>> {
  const weightOf = ({ module, outFeatures, inFeatures }: LoraShape): MatrixProducts =>
    sessionProducts(resident.session, outFeatures, inFeatures, (graph) =>
      storedWeight(resident, graph, module).dense(graph),
    );
  const scaleOf = (module: string): number => loraScale(config, module);
  const values = await initialPissa(shapes, scaleOf, weightOf, seed);
  return new Map(
    [...values].flatMap(([name, matrix]) => [
      [name, matrix],
      [initialName(name), matrix],
    ]),
  );
}

/** DoRA's magnitudes: the lengths of the rows of each adapted weight, so that training starts from the base model. */
async function rowNorms(
  resident: ResidentModel,
  { config, shapes, frozen }: LoraAdapter,
  values: ReadonlyMap<string, Float32Array>,
): Promise<[string, Float32Array][]> {
  const norms: [string, Float32Array][] = [];
  for (const { module, a: aShape, b: bShape } of shapes) {
    const matrices = (['A', 'B'] as const).map((part) => values.get(loraTensorName(module, part))!);
    const [lengths] = (await resident.session.runOnce((graph) => {
      const [a, b] = [graph.placeholder(aShape, 'float32'), graph.placeholder(bShape, 'float32')];
      const [narrowA, narrowB] = [graph.cast(a, resident.dtype), graph.cast(b, resident.dtype)];
      const lora = { a: narrowA, b: narrowB, scale: loraScale(config, module) };
      const stored = storedWeight(resident, graph, module);
      const weight = frozen.length > 0 ? residualWeight(stored, lora) : stored;
      return { inputs: [a, b], outputs: [doraNorm(graph, weight.dense(graph), lora)], effects: [] };
    }, matrices)) as Float32Array[];
    norms.push([loraTensorName(module, 'magnitude'), lengths]);
  }
  return norms;
}

function storedWeight(resident: ResidentModel, graph: GraphBuilder, module: string): StoredWeight {
  return resident.weight(graph, module, (name) =>
    graph.cast(graph.read(resident.variables.get(name)!), resident.dtype),
  );
}

async function startPrefix(
  model: string,
  method: PrefixSettings,
  seed: number,
  resident: ResidentModel,
): Promise<void> {
  const adapter = newPrefix(model, method, resident.model.config);
  const values = initialPrefix(adapter, seed);
  await resident.setAdapter(adapter, ({ name }) => values.get(name)!);
}

/** Whether training drops values at random, so that its steps need a seed. */
export function dropsValues({ adapter }: ResidentModel): boolean {
  if (!adapter) return false;
  return (adapter.kind === 'lora' ? adapter.config.lora_dropout : adapter.dropout) > 0;
}
