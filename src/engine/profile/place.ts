/** Which part of the model a node belongs to, from its name: `layer3/attention/backward/MatMul_7`. */
import type { Direction } from './types';

export interface Place {
  block: string;
  layer: number | null;
  direction: Direction;
}

/** Scopes of what changes weights or what they are changed by. */
const UPDATE_BLOCKS = ['gradients', 'optimiser'];

/** Scopes that the library's own rewriting puts into names. */
const REWRITES = /Optimizer$|^ConstantFolding$|^AddOpsRewrite_/;

export function placeOf(node: string): Place {
  const path = node
    .split('/')
    .slice(0, -1)
    .filter((scope) => !REWRITES.test(scope));
  const index = path.findIndex((scope) => /^layer\d+$/.test(scope));
  const layer = index < 0 ? null : Number(path[index].slice('layer'.length));
  const parts = path.slice(index + 1).filter((scope) => scope !== 'backward' && scope !== 'recompute');
  // Within a layer the innermost part says most (an adapter in a projection), elsewhere the outermost (the norm before the output).
  const block = layer === null ? (parts[0] ?? 'other') : (parts[parts.length - 1] ?? 'residual');
  return { block, layer, direction: directionOf(path, block) };
}

function directionOf(path: readonly string[], block: string): Direction {
  if (UPDATE_BLOCKS.includes(block)) return 'update';
  const last = path.findLast((scope) => scope === 'backward' || scope === 'recompute');
  return last === 'backward' || last === 'recompute' ? last : 'forward';
}
