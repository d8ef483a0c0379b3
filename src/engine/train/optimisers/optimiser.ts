/** What the trainer asks of an optimiser. Its state lives in variables of its own, so that it is saved and resumed by name. */
import { elements } from '../../../checkpoint/modelTensors';
import type { FlatGroup } from '../../adapters/flat';
import type { Effect, GraphBuilder, Variable } from '../../backend/graphBuilder';
import type { Value } from '../../backend/ops';

/** A trained variable, float32: one tensor, or several flat ones one after the other (`parts`). */
export type OptimisedGroup = FlatGroup;

/** The numbers of one update. */
export interface UpdateRates {
  /** Number of updates with this one, from 1. */
  update: number;
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  /** Factor of the gradient: below 1 where it is clipped, and what undoes a scaled loss. */
  gradientScale: number;
}

export interface Optimiser {
  /** State of a group: float32 variables that start at zero. */
  state(group: OptimisedGroup): Variable[];
  /** The scalars of an update, taken in double precision before they become float32. */
  scalars(rates: UpdateRates): number[];
  /**
   * Emits the update of a group by its gradient (the shape of the group's variable); `scalars` are those of `scalars()`, in order.
   * Weight decay is decoupled (Loshchilov & Hutter 2017, https://arxiv.org/abs/1711.05101) and left out where `decays` is false.
   */
  update(
    graph: GraphBuilder,
    group: OptimisedGroup,
    gradient: Value,
    scalars: readonly Value[],
    decays: boolean,
  ): Effect[];
}

/** A float32 state variable of a group. */
export function stateVariable(group: OptimisedGroup, part: string, shape?: readonly number[]): Variable {
  const { variable } = group;
  return { name: `${variable.name}#${part}`, shape: shape ?? variable.shape, dtype: 'float32' };
}

/** A rate times the group's own factor. */
export function groupRate(graph: GraphBuilder, group: OptimisedGroup, rate: Value): Value {
  return group.lrFactor === 1 ? rate : graph.mul(rate, graph.scalar(group.lrFactor, 'float32'));
}

/** variable -= rate · variable, where the group decays. */
export function decay(graph: GraphBuilder, group: OptimisedGroup, rate: Value, decays: boolean): Effect[] {
  const { variable } = group;
  if (!decays) return [];
  return [graph.applyGradientDescent(variable, groupRate(graph, group, rate), graph.read(variable))];
}

/** Bytes of an optimiser's state. */
export function stateBytes(optimiser: Optimiser, groups: readonly OptimisedGroup[]): number {
  return groups
    .flatMap((group) => optimiser.state(group))
    .reduce((sum, { shape }) => sum + 4 * elements(shape), 0);
}
