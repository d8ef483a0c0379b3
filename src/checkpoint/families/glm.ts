/** The Hugging Face layouts `glm` (GLM-4-9B-hf, GLM-Edge) and `glm4` (GLM-4-0414), as transformers 4 and 5 write them. */
import type { LinearSpec, ModelStructure, TensorSpec } from '../structure';
import type { GlmConfig } from '../types';
import { MAX_LAYERS, MAX_SIZE, type Fields } from './fields';
import { assemble, normTensors } from './parts';

/** Defaults are those of `GlmConfig` and `Glm4Config` in transformers. */
export function parseGlm(fields: Fields, architecture: GlmConfig['architecture']): GlmConfig {
  const heads = fields.integer('num_attention_heads', MAX_SIZE, 32);
  const rope = ropeParameters(fields);
  const config: GlmConfig = {
    architecture,
    num_hidden_layers: fields.integer('num_hidden_layers', MAX_LAYERS, 40),
    vocab_size: fields.integer('vocab_size', MAX_SIZE, 151552),
    hidden_size: fields.integer('hidden_size', MAX_SIZE, 4096),
    intermediate_size: fields.integer('intermediate_size', MAX_SIZE, 13696),
    num_attention_heads: heads,
    num_key_value_heads: fields.integer('num_key_value_heads', MAX_SIZE, 2),
    head_dim: fields.integer('head_dim', MAX_SIZE, 128),
    max_position_embeddings: fields.integer('max_position_embeddings', MAX_SIZE, 131072),
    rms_norm_eps: fields.number('rms_norm_eps', 1.5625e-7),
    ...rope,
    attention_bias: fields.boolean('attention_bias', true),
    tie_word_embeddings: fields.boolean('tie_word_embeddings', false),
    eos_token_id: fields.token('eos_token_id'),
    pad_token_id: fields.token('pad_token_id'),
  };
  if (fields.text('hidden_act', 'silu') !== 'silu') {
    fields.fail('hidden_act', fields.text('hidden_act', 'silu'), 'unsupported');
  }
  if (heads % config.num_key_value_heads !== 0) {
    fields.fail('num_key_value_heads', config.num_key_value_heads, 'divides');
  }
  const rotated = rotaryChannels(config);
  if (rotated < 2 || rotated % 2 !== 0 || rotated > config.head_dim) {
    fields.fail('partial_rotary_factor', config.partial_rotary_factor, 'rotary');
  }
  return config;
}

/** How many channels of each head rotate. */
export function rotaryChannels({ head_dim, partial_rotary_factor }: GlmConfig): number {
  return Math.trunc(head_dim * partial_rotary_factor);
}

/** transformers 4 writes the two numbers at the top level, transformers 5 into `rope_parameters`. */
function ropeParameters(fields: Fields): Pick<GlmConfig, 'rope_theta' | 'partial_rotary_factor'> {
  const inner = fields.object('rope_parameters');
  const scaling = fields.object('rope_scaling');
  for (const rope of [inner, scaling]) {
    if (!rope) continue;
    const key = rope.has('rope_type') ? 'rope_type' : 'type';
    const type = rope.text(key, 'default');
    if (type !== 'default') rope.fail(key, type, 'unsupported');
  }
  const number = (key: string, fallback: number): number =>
    inner?.has(key) ? inner.number(key, fallback) : fields.number(key, fallback);
  return {
    rope_theta: number('rope_theta', 10000),
    partial_rotary_factor: number('partial_rotary_factor', 0.5),
  };
}

export function glmStructure(config: GlmConfig): ModelStructure {
  const { hidden_size: hidden } = config;
  const sizes = { layers: config.num_hidden_layers, hiddenSize: hidden, vocabSize: config.vocab_size };
  const names = {
    embedding: 'model.embed_tokens.weight',
    output: 'lm_head.weight',
    tied: config.tie_word_embeddings,
  };
  const norm = (module: string): TensorSpec[] => normTensors(module, hidden, false);
  const sandwich = (module: string): TensorSpec[] => (config.architecture === 'glm4' ? norm(module) : []);
  const parameters = assemble(
    names,
    sizes,
    (layer) => {
      const prefix = `model.layers.${layer}`;
      const { attention, mlp } = layerLinears(config, prefix);
      return [
        ...norm(`${prefix}.input_layernorm`),
        ...attention,
        ...sandwich(`${prefix}.post_self_attn_layernorm`),
        ...norm(`${prefix}.post_attention_layernorm`),
        ...mlp,
        ...sandwich(`${prefix}.post_mlp_layernorm`),
      ];
    },
    norm('model.norm'),
  );
  return {
    architecture: config.architecture,
    ...sizes,
    maxLength: config.max_position_embeddings,
    heads: config.num_attention_heads,
    groups: config.num_key_value_heads,
    headDim: config.head_dim,
    ...parameters,
    defaultTargets: ['q_proj', 'k_proj', 'v_proj'],
    isNorm: (name) => name.includes('layernorm') || name === 'model.norm.weight',
  };
}

function layerLinears(config: GlmConfig, prefix: string): Record<'attention' | 'mlp', readonly LinearSpec[]> {
  const { hidden_size: hidden, intermediate_size: inner, head_dim: channels, attention_bias } = config;
  const queries = config.num_attention_heads * channels;
  const keys = config.num_key_value_heads * channels;
  const projection = (name: string, outFeatures: number): LinearSpec => ({
    module: `${prefix}.self_attn.${name}`,
    inFeatures: hidden,
    outFeatures,
    bias: attention_bias,
  });
  return {
    attention: [
      projection('q_proj', queries),
      projection('k_proj', keys),
      projection('v_proj', keys),
      { module: `${prefix}.self_attn.o_proj`, inFeatures: queries, outFeatures: hidden, bias: false },
    ],
    mlp: [
      { module: `${prefix}.mlp.gate_up_proj`, inFeatures: hidden, outFeatures: 2 * inner, bias: false },
      { module: `${prefix}.mlp.down_proj`, inFeatures: inner, outFeatures: hidden, bias: false },
    ],
  };
}
