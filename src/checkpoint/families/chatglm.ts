/** ChatGLM-6B: `model_type: chatglm` with `inner_hidden_size`. */
import type { ModelStructure } from '../structure';
import type { ChatGlmConfig } from '../types';
import { MAX_LAYERS, MAX_SIZE, type Fields } from './fields';
import { assemble, normTensors } from './parts';

/** Ids that the code of a revision held itself, where its `config.json` does not name them. */
interface RevisionIds {
  /** Smallest vocabulary that has all of them. */
  vocabulary: number;
  mask: number;
  gmask: number;
  bos: number;
  eos: number;
  pad: number;
}

/** Until April 2023 the vocabulary began with 20,000 image tokens. Newest last. */
const REVISIONS: readonly RevisionIds[] = [
  { vocabulary: 150006, mask: 150000, gmask: 150001, bos: 150004, eos: 150005, pad: 20003 },
  { vocabulary: 130006, mask: 130000, gmask: 130001, bos: 130004, eos: 130005, pad: 3 },
];

export function parseChatGlm(fields: Fields): ChatGlmConfig {
  const hidden = fields.integer('hidden_size', MAX_SIZE, 4096);
  const heads = fields.integer('num_attention_heads', MAX_SIZE, 32);
  const twoStreams = fields.boolean('position_encoding_2d', true);
  const vocabulary = fields.integer('vocab_size', MAX_SIZE);
  const known = REVISIONS.find((revision) => vocabulary >= revision.vocabulary);
  const marker = (key: string, fallback: number | undefined): number =>
    fields.tokenBelow(key, vocabulary, fallback);
  const config: ChatGlmConfig = {
    architecture: 'chatglm',
    num_layers: fields.integer('num_layers', MAX_LAYERS, 28),
    vocab_size: vocabulary,
    hidden_size: hidden,
    inner_hidden_size: fields.integer('inner_hidden_size', MAX_SIZE, 16384),
    num_attention_heads: heads,
    max_sequence_length: fields.integer('max_sequence_length', MAX_SIZE, 2048),
    layernorm_epsilon: fields.number('layernorm_epsilon', 1e-5),
    position_encoding_2d: twoStreams,
    tie_word_embeddings: fields.boolean('tie_word_embeddings', true),
    bos_token_id: marker('bos_token_id', known?.bos),
    eos_token_id: marker('eos_token_id', known?.eos),
    mask_token_id: marker('mask_token_id', known?.mask),
    gmask_token_id: marker('gmask_token_id', known?.gmask),
    pad_token_id: fields.token('pad_token_id') ?? known?.pad ?? 3,
    quantization_bit: fields.quantizationBits(),
    ...fields.prefix(),
  };
  if (fields.boolean('quantization_embeddings', false)) {
    fields.fail('quantization_embeddings', true, 'unsupported');
  }
  if (hidden % heads !== 0) fields.fail('hidden_size', hidden, 'multipleOfHeads');
  // Each stream rotates pairs of channels in its own half of a head.
  const unit = twoStreams ? 4 : 2;
  if ((hidden / heads) % unit !== 0) fields.fail('hidden_size', hidden, 'rotary');
  return config;
}

/** Fused projections are laid out per head, q | k | v; every linear layer and norm has a bias. */
export function chatGlmStructure(config: ChatGlmConfig): ModelStructure {
  const { hidden_size: hidden, inner_hidden_size: inner, num_attention_heads: heads } = config;
  const sizes = { layers: config.num_layers, hiddenSize: hidden, vocabSize: config.vocab_size };
  const names = {
    embedding: 'transformer.word_embeddings.weight',
    output: 'lm_head.weight',
    tied: config.tie_word_embeddings,
  };
  const linear = (module: string, inFeatures: number, outFeatures: number) => ({
    module,
    inFeatures,
    outFeatures,
    bias: true,
  });
  const parameters = assemble(
    names,
    sizes,
    (layer) => {
      const prefix = `transformer.layers.${layer}`;
      return [
        ...normTensors(`${prefix}.input_layernorm`, hidden, true),
        linear(`${prefix}.attention.query_key_value`, hidden, 3 * hidden),
        linear(`${prefix}.attention.dense`, hidden, hidden),
        ...normTensors(`${prefix}.post_attention_layernorm`, hidden, true),
        linear(`${prefix}.mlp.dense_h_to_4h`, hidden, inner),
        linear(`${prefix}.mlp.dense_4h_to_h`, inner, hidden),
      ];
    },
    normTensors('transformer.final_layernorm', hidden, true),
  );
  return {
    architecture: config.architecture,
    ...sizes,
    maxLength: config.max_sequence_length,
    heads,
    groups: heads,
    headDim: hidden / heads,
    ...parameters,
    defaultTargets: ['query_key_value'],
    isNorm: (name) => name.includes('layernorm'),
  };
}
