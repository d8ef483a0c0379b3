/** Pieces that the structures of the families are put together from. */
import type { LinearSpec, ModelStructure, TensorSpec } from '../structure';

/** A block's parameters in order: linear layers, and tensors that belong to none. */
export type BlockPart = LinearSpec | TensorSpec;

/** Weight, and bias where there is one, of a norm over `size` channels. */
export function normTensors(module: string, size: number, bias: boolean): TensorSpec[] {
  return [
    { name: `${module}.weight`, shape: [size] },
    ...(bias ? [{ name: `${module}.bias`, shape: [size] }] : []),
  ];
}

export function linearTensors({ module, inFeatures, outFeatures, bias }: LinearSpec): TensorSpec[] {
  return [
    { name: `${module}.weight`, shape: [outFeatures, inFeatures] },
    ...(bias ? [{ name: `${module}.bias`, shape: [outFeatures] }] : []),
  ];
}

/** Names of the parameters outside the blocks. */
export interface OuterNames {
  embedding: string;
  output: string;
  tied: boolean;
}

type Parameters = Pick<
  ModelStructure,
  'tensors' | 'optional' | 'linears' | 'embedding' | 'outputWeight' | 'tied'
>;

/**
 * All parameters of a model.
 * @param block the parts of one layer
 * @param finalNorm tensors between the last layer and the output layer
 */
export function assemble(
  names: OuterNames,
  sizes: Pick<ModelStructure, 'layers' | 'hiddenSize' | 'vocabSize'>,
  block: (layer: number) => BlockPart[],
  finalNorm: readonly TensorSpec[],
): Parameters {
  const blocks = Array.from({ length: sizes.layers }, (_, layer) => block(layer)).flat();
  const table = [sizes.vocabSize, sizes.hiddenSize];
  const output = [{ name: names.output, shape: table }];
  return {
    tensors: [
      { name: names.embedding, shape: table },
      ...blocks.flatMap((part) => (isLinear(part) ? linearTensors(part) : [part])),
      ...finalNorm,
      ...(names.tied ? [] : output),
    ],
    optional: names.tied ? output : [],
    linears: blocks.filter(isLinear),
    embedding: names.embedding,
    outputWeight: names.tied ? names.embedding : names.output,
    tied: names.tied,
  };
}

function isLinear(part: BlockPart): part is LinearSpec {
  return 'module' in part;
}
