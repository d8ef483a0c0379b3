/**
 * ChatGLM2-6B, ChatGLM3-6B and their configuration variants.
 *
 * Pre-norm decoder: x += dense(attention(norm(x))); x += mlp(norm(x)). Grouped-query attention over a fused projection laid out
 * q | k | v; rotary embedding of interleaved pairs on the first half of each head; SwiGLU with the gate in the first half of
 * `dense_h_to_4h`; untied output layer. Where the released files differ from a plain reading:
 * - `multi_query_attention: false` interleaves q, k, v per head instead of in three blocks;
 * - `apply_residual_connection_post_layernorm` takes the residual from the normalised input;
 * - the score scaling by layer number (`apply_query_key_layer_scaling`) cancels out and is left away.
 */
import { structureOf } from '../../checkpoint/structure';
import type { ChatGlm2Config } from '../../checkpoint/types';
import type { Ops, Value } from '../backend/ops';
import { embedTokens } from '../nn/embedding';
import { splitHeads, splitPerHead, type PassSize } from '../nn/heads';
import { layerNorm, rmsNorm } from '../nn/norm';
import { frequencies, interleavedPairs, rotary, rotate, type Rotary } from '../nn/rotary';
import { swiGlu } from '../nn/swiglu';
import { causalPlaces, type DecoderModel, type Forward } from './model';

export function chatGlm2(config: ChatGlm2Config): DecoderModel<Rotary> {
  const structure = structureOf(config);
  const { heads, groups, headDim } = structure;
  // The first half of each head rotates.
  const base = config.rope_scaling === 'base' ? 10000 * config.rope_ratio : 10000;
  const pairs = interleavedPairs(frequencies(base, headDim / 2));
  const prefix = (layer: number): string => `transformer.encoder.layers.${layer}`;

  function norm(forward: Forward, x: Value, module: string): Value {
    return forward.ops.scope('norm', () => normalised(forward, x, module));
  }

  function normalised(forward: Forward, x: Value, module: string): Value {
    const { ops, dtype } = forward;
    const weight = forward.parameter(`${module}.weight`);
    if (config.rmsnorm) return rmsNorm(ops, x, weight, config.layernorm_epsilon, dtype);
    return layerNorm(ops, x, weight, forward.parameter(`${module}.bias`), config.layernorm_epsilon, dtype);
  }

  /** [b·t, projection] -> q and k (rotated) and v as [b, heads, t, d]. */
  function heads3(ops: Ops, fused: Value, size: PassSize, table: Rotary): [Value, Value, Value] {
    if (!config.multi_query_attention) {
      const [q, k, v] = splitPerHead(ops, fused, size, heads);
      return [rotate(ops, q, table), rotate(ops, k, table), v];
    }
    const all = splitHeads(ops, fused, size, heads + 2 * groups);
    const [qk, v] = ops.split(all, [heads + groups, groups], 1);
    const [q, k] = ops.split(rotate(ops, qk, table), [heads, groups], 1);
    return [q, k, v];
  }

  function selfAttention(forward: Forward, table: Rotary, x: Value, layer: number): Value {
    const [batch, length] = forward.positions[0].shape;
    const module = `${prefix(layer)}.self_attention`;
    const fused = forward.linear(`${module}.query_key_value`, x);
    const [q, k, v] = heads3(forward.ops, fused, { batch, length }, table);
    return forward.linear(`${module}.dense`, forward.attend(layer, q, k, v));
  }

  function mlp(forward: Forward, x: Value, layer: number): Value {
    const module = `${prefix(layer)}.mlp`;
    const wide = forward.linear(`${module}.dense_h_to_4h`, x);
    return forward.linear(`${module}.dense_4h_to_h`, swiGlu(forward.ops, wide));
  }

  /** The residual stream stays in float32. */
  function residual(ops: Ops, x: Value, normal: Value, branch: Value): Value {
    const from = config.apply_residual_connection_post_layernorm ? ops.cast(normal, 'float32') : x;
    return ops.add(from, ops.cast(branch, 'float32'));
  }

  return {
    ...structure,
    config,
    streams: 1,
    bidirectionalContext: false,
    places: causalPlaces,

    shared(forward) {
      const interpolation = config.rope_scaling === 'positions' ? config.rope_ratio : 1;
      return rotary(forward.ops, forward.positions, { headDim, pairs, interpolation, dtype: forward.dtype });
    },

    embed(forward, ids) {
      return embedTokens(forward.ops, forward.parameter(structure.embedding), ids);
    },

    block(forward, table, x, layer) {
      const { ops } = forward;
      const first = norm(forward, x, `${prefix(layer)}.input_layernorm`);
      const attention = ops.scope('attention', () => selfAttention(forward, table, first, layer));
      const attended = residual(ops, x, first, attention);
      const second = norm(forward, attended, `${prefix(layer)}.post_attention_layernorm`);
      const wide = ops.scope('mlp', () => mlp(forward, second, layer));
      return residual(ops, attended, second, wide);
    },

    finish(forward, x) {
      if (!config.post_layer_norm) return forward.ops.cast(x, forward.dtype);
      return norm(forward, x, 'transformer.encoder.final_layernorm');
    },
  };
}
