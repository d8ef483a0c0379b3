/** ChatGLM2-6B, ChatGLM3-6B, CodeGeeX2-6B, and GLM-4-9B in its original layout: `model_type: chatglm` with `ffn_hidden_size`. */
import type { LinearSpec, ModelStructure, TensorSpec } from '../structure';
import type { ChatGlm2Config } from '../types';
import { MAX_LAYERS, MAX_SIZE, type Fields } from './fields';
import { assemble, normTensors } from './parts';

/**
 * @param interpolated whether `rope_ratio` divides positions (ChatGLM2-6B-32k) instead of multiplying the rotary base; the keys do
 *   not tell
 */
export function parseChatGlm2(fields: Fields, interpolated: boolean): ChatGlm2Config {
  const hidden = fields.integer('hidden_size', MAX_SIZE);
  const heads = fields.integer('num_attention_heads', MAX_SIZE);
  const multiQuery = fields.boolean('multi_query_attention', false);
  const config: ChatGlm2Config = {
    architecture: 'chatglm2',
    num_layers: fields.integer('num_layers', MAX_LAYERS),
    padded_vocab_size: fields.integer('padded_vocab_size', MAX_SIZE),
    hidden_size: hidden,
    ffn_hidden_size: fields.integer('ffn_hidden_size', MAX_SIZE),
    kv_channels: fields.integer('kv_channels', MAX_SIZE, 128),
    num_attention_heads: heads,
    multi_query_attention: multiQuery,
    // Without multi-query attention every head has its own keys, whatever this key says.
    multi_query_group_num: multiQuery ? fields.integer('multi_query_group_num', MAX_SIZE, 1) : heads,
    seq_length: fields.integer('seq_length', MAX_SIZE, 2048),
    layernorm_epsilon: fields.number('layernorm_epsilon', 1e-5),
    rmsnorm: fields.boolean('rmsnorm', true),
    post_layer_norm: fields.boolean('post_layer_norm', true),
    apply_residual_connection_post_layernorm: fields.boolean(
      'apply_residual_connection_post_layernorm',
      false,
    ),
    add_bias_linear: fields.boolean('add_bias_linear', false),
    add_qkv_bias: fields.boolean('add_qkv_bias', false),
    rope_ratio: fields.number('rope_ratio', 1),
    rope_scaling: interpolated ? 'positions' : 'base',
    eos_token_id: fields.token('eos_token_id'),
    pad_token_id: fields.token('pad_token_id'),
    quantization_bit: fields.quantizationBits(),
    ...fields.prefix(),
  };
  if (heads % config.multi_query_group_num !== 0) {
    fields.fail('multi_query_group_num', config.multi_query_group_num, 'divides');
  }
  // Half of each head's channels are rotated, in pairs.
  if (config.kv_channels % 4 !== 0) fields.fail('kv_channels', config.kv_channels, 'multipleOf4');
  return config;
}

export function chatGlm2Structure(config: ChatGlm2Config): ModelStructure {
  const { hidden_size: hidden } = config;
  const sizes = { layers: config.num_layers, hiddenSize: hidden, vocabSize: config.padded_vocab_size };
  const names = {
    embedding: 'transformer.embedding.word_embeddings.weight',
    output: 'transformer.output_layer.weight',
    tied: false,
  };
  const norm = (module: string): TensorSpec[] => normTensors(module, hidden, !config.rmsnorm);
  const parameters = assemble(
    names,
    sizes,
    (layer) => {
      const prefix = `transformer.encoder.layers.${layer}`;
      const [qkv, dense, up, down] = layerLinears(config, prefix);
      return [
        ...norm(`${prefix}.input_layernorm`),
        qkv,
        dense,
        ...norm(`${prefix}.post_attention_layernorm`),
        up,
        down,
      ];
    },
    config.post_layer_norm ? norm('transformer.encoder.final_layernorm') : [],
  );
  return {
    architecture: config.architecture,
    ...sizes,
    maxLength: config.seq_length,
    heads: config.num_attention_heads,
    groups: config.multi_query_group_num,
    headDim: config.kv_channels,
    ...parameters,
    defaultTargets: ['query_key_value'],
    isNorm: (name) => name.includes('layernorm'),
  };
}

/** The four linear layers of one layer: fused query-key-value, attention output, MLP in (gate and up), MLP out. */
function layerLinears(
  config: ChatGlm2Config,
  prefix: string,
): [qkv: LinearSpec, dense: LinearSpec, up: LinearSpec, down: LinearSpec] {
  const { hidden_size: hidden, ffn_hidden_size: ffn, kv_channels: channels, add_bias_linear: bias } = config;
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
