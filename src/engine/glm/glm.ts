/**
 * GLM-4-9B and GLM-Edge in the Hugging Face layout (`glm`), and GLM-4-0414 (`glm4`).
 *
 * Pre-norm decoder with grouped-query attention: x += o_proj(attention(norm(x))); x += mlp(norm(x)). Rotary embedding of interleaved
 * pairs on the first channels of each head; SwiGLU with the gate in the first half of `gate_up_proj`. `glm4` normalises what a branch
 * adds as well ("sandwich").
 */
import { rotaryChannels } from '../../checkpoint/families/glm';
import { structureOf } from '../../checkpoint/structure';
import type { GlmConfig } from '../../checkpoint/types';
import type { Value } from '../backend/ops';
import { embedTokens } from '../nn/embedding';
import { splitHeads } from '../nn/heads';
import { rmsNorm } from '../nn/norm';
import { frequencies, interleavedPairs, rotary, rotate, type Rotary } from '../nn/rotary';
import { swiGlu } from '../nn/swiglu';
import type { ComputeDType } from '../types';
import { causalPlaces, type DecoderModel, type Forward } from './model';

export function glm(config: GlmConfig): DecoderModel<Rotary> {
  const structure = structureOf(config);
  const { heads, groups, headDim } = structure;
  const pairs = interleavedPairs(frequencies(config.rope_theta, rotaryChannels(config)));
  const prefix = (layer: number): string => `model.layers.${layer}`;

  function norm(forward: Forward, x: Value, module: string, dtype: ComputeDType = forward.dtype): Value {
    const { ops } = forward;
    return ops.scope('norm', () =>
      rmsNorm(ops, x, forward.parameter(`${module}.weight`), config.rms_norm_eps, dtype),
    );
  }

  function selfAttention(forward: Forward, table: Rotary, x: Value, layer: number): Value {
    const { ops } = forward;
    const [batch, length] = forward.positions[0].shape;
    const module = `${prefix(layer)}.self_attn`;
    const project = (name: string, count: number): Value =>
      splitHeads(ops, forward.linear(`${module}.${name}`, x), { batch, length }, count);
    const q = rotate(ops, project('q_proj', heads), table);
    const k = rotate(ops, project('k_proj', groups), table);
    const v = project('v_proj', groups);
    return forward.linear(`${module}.o_proj`, forward.attend(layer, q, k, v));
  }

  function mlp(forward: Forward, x: Value, layer: number): Value {
    const module = `${prefix(layer)}.mlp`;
    const wide = forward.linear(`${module}.gate_up_proj`, x);
    return forward.linear(`${module}.down_proj`, swiGlu(forward.ops, wide));
  }

  /** Adds a branch to the residual stream, which stays in float32. */
  function residual(forward: Forward, x: Value, branch: Value, sandwichNorm: string): Value {
    const { ops } = forward;
    const added =
      config.architecture === 'glm4'
        ? norm(forward, branch, sandwichNorm, 'float32')
        : ops.cast(branch, 'float32');
    return ops.add(x, added);
  }

  return {
    ...structure,
    config,
    streams: 1,
    bidirectionalContext: false,
    places: causalPlaces,

    shared(forward) {
      return rotary(forward.ops, forward.positions, { headDim, pairs, dtype: forward.dtype });
    },

    embed(forward, ids) {
      return embedTokens(forward.ops, forward.parameter(structure.embedding), ids);
    },

    block(forward, table, x, layer) {
      const module = prefix(layer);
      const first = norm(forward, x, `${module}.input_layernorm`);
      const attention = forward.ops.scope('attention', () => selfAttention(forward, table, first, layer));
      const attended = residual(forward, x, attention, `${module}.post_self_attn_layernorm`);
      const second = norm(forward, attended, `${module}.post_attention_layernorm`);
      const wide = forward.ops.scope('mlp', () => mlp(forward, second, layer));
      return residual(forward, attended, wide, `${module}.post_mlp_layernorm`);
    },

    finish(forward, x) {
      return norm(forward, x, 'model.norm');
    },
  };
}
