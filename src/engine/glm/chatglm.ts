/**
 * ChatGLM-6B.
 *
 * A decoder whose context (everything before the first `<sop>`) sees all of itself, while the answer is causal. Positions have two
 * streams: the place of the mask token that the answer fills, and the place within the answer; each turns its own half of a head.
 * Where the released files differ from a plain reading:
 * - the residual comes from the normalised input, scaled by √56 whatever the number of layers is;
 * - the rotary frequencies are a table of float16 numbers, in every precision;
 * - q, k and v are interleaved per head; the MLP is not gated; the output layer is the embedding;
 * - the score scaling by layer number cancels out and is left away.
 */
import { structureOf } from '../../checkpoint/structure';
import type { ChatGlmConfig } from '../../checkpoint/types';
import { GlmError } from '../../protocol/errors';
import type { Ops, Value } from '../backend/ops';
import { embedTokens } from '../nn/embedding';
import { geluTanh } from '../nn/gelu';
import { splitPerHead } from '../nn/heads';
import { layerNorm } from '../nn/norm';
import { halfFrequencies, halvedPairs, rotary, rotate, type Rotary, type RotaryPair } from '../nn/rotary';
import type { DecoderModel, Forward, Places } from './model';

/** The blocks were built with the default of 28 layers, whatever the configuration says. */
const RESIDUAL_SCALE = Math.sqrt(2 * 28);
const ROTARY_BASE = 10000;

export function chatGlm(config: ChatGlmConfig): DecoderModel<Rotary> {
  const structure = structureOf(config);
  const { heads, headDim } = structure;
  const pairs = rotaryPairs(config, headDim);
  const prefix = (layer: number): string => `transformer.layers.${layer}`;

  /** Float32: the residual is taken from here. */
  function norm(forward: Forward, x: Value, module: string): Value {
    const weight = forward.parameter(`${module}.weight`);
    const bias = forward.parameter(`${module}.bias`);
    return forward.ops.scope('norm', () =>
      layerNorm(forward.ops, x, weight, bias, config.layernorm_epsilon, 'float32'),
    );
  }

  function attention(forward: Forward, table: Rotary, x: Value, layer: number): Value {
    const { ops } = forward;
    const [batch, length] = forward.positions[0].shape;
    const module = `${prefix(layer)}.attention`;
    const fused = forward.linear(`${module}.query_key_value`, x);
    const [q, k, v] = splitPerHead(ops, fused, { batch, length }, heads);
    const context = forward.attend(layer, rotate(ops, q, table), rotate(ops, k, table), v);
    return forward.linear(`${module}.dense`, context);
  }

  function mlp(forward: Forward, x: Value, layer: number): Value {
    const module = `${prefix(layer)}.mlp`;
    const wide = forward.linear(`${module}.dense_h_to_4h`, x);
    return forward.linear(`${module}.dense_4h_to_h`, geluTanh(forward.ops, wide));
  }

  function residual(ops: Ops, normal: Value, branch: Value): Value {
    const scaled = ops.mul(normal, ops.scalar(RESIDUAL_SCALE, 'float32'));
    return ops.add(scaled, ops.cast(branch, 'float32'));
  }

  return {
    ...structure,
    config,
    streams: config.position_encoding_2d ? 2 : 1,
    bidirectionalContext: true,
    places: (ids) => contextPlaces(config, ids),

    shared(forward) {
      return rotary(forward.ops, forward.positions, { headDim, pairs, dtype: forward.dtype });
    },

    embed(forward, ids) {
      return embedTokens(forward.ops, forward.parameter(structure.embedding), ids);
    },

    block(forward, table, x, layer) {
      const { ops, dtype } = forward;
      const first = norm(forward, x, `${prefix(layer)}.input_layernorm`);
      const attended = ops.scope('attention', () => attention(forward, table, ops.cast(first, dtype), layer));
      const middle = residual(ops, first, attended);
      const second = norm(forward, middle, `${prefix(layer)}.post_attention_layernorm`);
      const wide = ops.scope('mlp', () => mlp(forward, ops.cast(second, dtype), layer));
      return residual(ops, second, wide);
    },

    finish(forward, x) {
      return forward.ops.cast(norm(forward, x, 'transformer.final_layernorm'), forward.dtype);
    },
  };
}

/** Two streams: each turns one half of a head, in pairs of that half's halves. One stream: the whole head. */
function rotaryPairs(config: ChatGlmConfig, headDim: number): RotaryPair[] {
  if (!config.position_encoding_2d) return halvedPairs(halfFrequencies(ROTARY_BASE, headDim), 0, 0);
  const half = headDim / 2;
  const table = halfFrequencies(ROTARY_BASE, half);
  return [...halvedPairs(table, 0, 0), ...halvedPairs(table, half, 1)];
}

/**
 * Positions and visibility of a row: context up to `<sop>`, answer from there on. The answer stands at the mask token it fills,
 * `[gMASK]` before `[MASK]`.
 */
function contextPlaces(config: ChatGlmConfig, ids: ArrayLike<number>): Places {
  const end = firstIndex(ids, config.bos_token_id);
  const global = firstIndex(ids, config.gmask_token_id);
  const mask = global >= 0 ? global : firstIndex(ids, config.mask_token_id);
  if (end < 0) throw new GlmError('engine.noContextEnd', { missing: 'sop', id: config.bos_token_id });
  if (mask < 0) throw new GlmError('engine.noContextEnd', { missing: 'mask', id: config.gmask_token_id });
  const each = (place: (i: number) => number): Int32Array =>
    Int32Array.from({ length: ids.length }, (_, i) => place(i));
  const counted = each((i) => i);
  const atMask = each((i) => (i < end ? i : mask));
  const withinAnswer = each((i) => (i < end ? 0 : i - end + 1));
  const single = global >= 0 ? counted : atMask;
  return {
    streams: config.position_encoding_2d ? [atMask, withinAnswer] : [single],
    keyOrder: each((i) => (i < end ? 0 : i)),
  };
}

function firstIndex(ids: ArrayLike<number>, id: number): number {
  for (let i = 0; i < ids.length; i++) if (ids[i] === id) return i;
  return -1;
}
