/** Names and shapes of the parameters of each model family, computed from the configuration. */
import type { ChatGlm2Config, ModelConfig } from './types';

export interface TensorSpec {
  name: string;
  shape: readonly number[];
}

/** A linear layer of the encoder: module path without `.weight`. */
export interface LinearSpec {
  /** Such as `transformer.encoder.layers.0.self_attention.query_key_value`. */
  module: string;
  inFeatures: number;
  outFeatures: number;
  bias: boolean;
}

/** Parameters of a model, embedding first, in the order of the layers. */
export function modelTensors(config: ModelConfig): TensorSpec[] {
  return chatGlm2Tensors(config);
}

/** Shapes of the ChatGLM2 / ChatGLM3 family. Weights of linear layers are `[out, in]`, the embedding `[vocabulary, hidden]`. */
export function chatGlm2Tensors(config: ChatGlm2Config): TensorSpec[] {
  const { hidden_size: hidden, padded_vocab_size: vocabulary } = config;
  const norm = (module: string): TensorSpec[] => [
    { name: `${module}.weight`, shape: [hidden] },
    ...(config.rmsnorm ? [] : [{ name: `${module}.bias`, shape: [hidden] }]),
  ];
  const tensors: TensorSpec[] = [
    { name: 'transformer.embedding.word_embeddings.weight', shape: [vocabulary, hidden] },
  ];
  for (let layer = 0; layer < config.num_layers; layer++) {
    const prefix = `transformer.encoder.layers.${layer}`;
    const [qkv, dense, up, down] = layerLinears(config, layer);
    tensors.push(
      ...norm(`${prefix}.input_layernorm`),
      ...linearTensors(qkv),
      ...linearTensors(dense),
      ...norm(`${prefix}.post_attention_layernorm`),
      ...linearTensors(up),
      ...linearTensors(down),
    );
  }
  if (config.post_layer_norm) tensors.push(...norm('transformer.encoder.final_layernorm'));
  tensors.push({ name: 'transformer.output_layer.weight', shape: [vocabulary, hidden] });
  return tensors;
}

/** The linear layers inside the encoder, layer by layer; the output layer is not among them. */
export function chatGlm2Linears(config: ChatGlm2Config): LinearSpec[] {
  return Array.from({ length: config.num_layers }, (_, layer) => layerLinears(config, layer)).flat();
}

/** The four linear layers of one encoder layer: fused query-key-value, attention output, MLP in (gate and up), MLP out. */
function layerLinears(
  config: ChatGlm2Config,
  layer: number,
): [qkv: LinearSpec, dense: LinearSpec, up: LinearSpec, down: LinearSpec] {
  const { hidden_size: hidden, ffn_hidden_size: ffn, kv_channels: channels, add_bias_linear: bias } = config;
  const prefix = `transformer.encoder.layers.${layer}`;
  const projection = channels * config.num_attention_heads;
  // With multi_query_attention false the number of groups equals the number of heads.
  const fused = projection + 2 * channels * config.multi_query_group_num;
  return [
    {
      module: `${prefix}.self_attention.query_key_value`,
      inFeatures: hidden,
      outFeatures: fused,
      bias: bias || config.add_qkv_bias,
    },
    { module: `${prefix}.self_attention.dense`, inFeatures: projection, outFeatures: hidden, bias },
    { module: `${prefix}.mlp.dense_h_to_4h`, inFeatures: hidden, outFeatures: 2 * ffn, bias },
    { module: `${prefix}.mlp.dense_4h_to_h`, inFeatures: ffn, outFeatures: hidden, bias },
  ];
}

function linearTensors(linear: LinearSpec): TensorSpec[] {
  const { module, inFeatures, outFeatures, bias } = linear;
  return [
    { name: `${module}.weight`, shape: [outFeatures, inFeatures] },
    ...(bias ? [{ name: `${module}.bias`, shape: [outFeatures] }] : []),
  ];
}

/** Number of trainable numbers of the whole model. */
export function countParameters(config: ModelConfig): number {
  return modelTensors(config).reduce((sum, { shape }) => sum + elements(shape), 0);
}

export function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
