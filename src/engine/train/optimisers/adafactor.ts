import { elements } from '../../../checkpoint/modelTensors';
import type { Effect, GraphBuilder, Variable } from '../../backend/graphBuilder';
import type { Value } from '../../backend/ops';
import { decay, groupRate, stateVariable, type OptimisedGroup, type Optimiser } from './optimiser';

/** Added to squared gradients. */
const EPSILON = 1e-30;
/** The second moment's decay is 1 − update^−0.8. */
const DECAY_POWER = -0.8;

/**
 * Adafactor (Shazeer & Stern 2018, https://arxiv.org/abs/1804.04235) at a given learning rate and without first moment, as
 * transformers' with `relative_step=False, scale_parameter=False, clip_threshold=1.0, beta1=None`. Second moments of matrices are
 * kept as row and column means; those of vectors in full.
 */
export const adafactor: Optimiser = {
  state: (group) => Object.values(moments(group)).filter((variable) => variable !== null),

  scalars({ update, learningRate, weightDecay, gradientScale }) {
    const beta2 = 1 - Math.pow(update, DECAY_POWER);
    return [learningRate, beta2, 1 - beta2, learningRate * weightDecay, gradientScale];
  },

  update(graph, group, gradient, scalars, decays) {
    const [rate, beta2, rest2, decayRate, scale] = scalars;
    const { variable } = group;
    const average = (old: Value, value: Value): Value =>
      graph.add(graph.mul(old, beta2), graph.mul(value, rest2));
    const scaled = graph.mul(gradient, scale);
    const state = new MomentReader(graph, group);
    const updates = partsOf(graph, group, scaled).map((g, i) => {
      const direction = factored(g.shape) ? state.matrix(i, g, average) : state.vector(i, g, average);
      return graph.reshape(clipped(graph, direction), [elements(g.shape)]);
    });
    const direction = graph.reshape(graph.concat(updates, 0), variable.shape);
    const before = decay(graph, group, decayRate, decays);
    const step = groupRate(graph, group, rate);
    return [graph.applyGradientDescent(variable, step, direction, before), ...state.assign()];
  },
};

/** Only matrices have rows and columns; no trained tensor has more than two axes. */
function factored(shape: readonly number[]): boolean {
  return shape.length > 1;
}

/** The state of all parts in three flat variables: row means, column means, full moments; null where there is none. */
function moments(group: OptimisedGroup): Record<'rows' | 'columns' | 'full', Variable | null> {
  const variable = (name: string, sizes: readonly number[]): Variable | null => {
    const total = sizes.reduce((sum, size) => sum + size, 0);
    return total > 0 ? stateVariable(group, name, [total]) : null;
  };
  const { rows, columns, full } = momentSizes(group);
  return {
    rows: variable('rows', rows),
    columns: variable('columns', columns),
    full: variable('v', full),
  };
}

/** Elements of each part in each of the state's variables. */
function momentSizes({ parts }: OptimisedGroup): Record<'rows' | 'columns' | 'full', number[]> {
  return {
    rows: parts.map(({ shape }) => (factored(shape) ? shape[0] : 0)),
    columns: parts.map(({ shape }) => (factored(shape) ? shape[1] : 0)),
    full: parts.map(({ shape }) => (factored(shape) ? 0 : elements(shape))),
  };
}

/** A group's gradient as one value a part. */
function partsOf(graph: GraphBuilder, { parts, variable }: OptimisedGroup, value: Value): Value[] {
  if (parts.length === 1) return [graph.reshape(value, parts[0].shape)];
  const sizes = parts.map(({ shape }) => elements(shape));
  const flat = graph.split(graph.reshape(value, [elements(variable.shape)]), sizes, 0);
  return flat.map((part, i) => graph.reshape(part, parts[i].shape));
}

/** update / max(1, its root mean square). */
function clipped(graph: GraphBuilder, update: Value): Value {
  const one = graph.scalar(1, 'float32');
  const rms = graph.sqrt(graph.mean(graph.square(update), Array.from(update.shape.keys())));
  return graph.div(update, graph.select(graph.lessEqual(rms, one), one, rms));
}

type Average = (old: Value, value: Value) => Value;

/** Reads the moments of a group part by part and collects their new values. */
class MomentReader {
  private readonly variables: ReturnType<typeof moments>;
  private readonly old: Record<'rows' | 'columns' | 'full', Value[]>;
  private readonly next: Record<'rows' | 'columns' | 'full', Value[]> = { rows: [], columns: [], full: [] };

  constructor(
    private readonly graph: GraphBuilder,
    group: OptimisedGroup,
  ) {
    this.variables = moments(group);
    const sizes = momentSizes(group);
    const read = (kind: keyof typeof sizes): Value[] => {
      const variable = this.variables[kind];
      return variable ? graph.split(graph.read(variable), sizes[kind], 0) : [];
    };
    this.old = { rows: read('rows'), columns: read('columns'), full: read('full') };
  }

  private moment(kind: 'rows' | 'columns' | 'full', part: number, value: Value, average: Average): Value {
    const next = average(this.old[kind][part], value);
    this.next[kind].push(next);
    return next;
  }

  /** The gradient of a matrix over the root of its factored second moment. */
  matrix(part: number, g: Value, average: Average): Value {
    const { graph } = this;
    const [rows, columns] = g.shape;
    const squares = graph.add(graph.square(g), graph.scalar(EPSILON, 'float32'));
    const row = this.moment('rows', part, graph.mean(squares, [1]), average);
    const column = this.moment('columns', part, graph.mean(squares, [0]), average);
    const rowFactor = graph.reshape(graph.rsqrt(graph.div(row, graph.mean(row, [0], true))), [rows, 1]);
    const columnFactor = graph.reshape(graph.rsqrt(column), [1, columns]);
    return graph.mul(graph.mul(rowFactor, columnFactor), g);
  }

  /** The gradient of a vector over the root of its second moment. */
  vector(part: number, g: Value, average: Average): Value {
    const { graph } = this;
    const flat = graph.reshape(g, [elements(g.shape)]);
    const squares = graph.add(graph.square(flat), graph.scalar(EPSILON, 'float32'));
    return graph.mul(graph.rsqrt(this.moment('full', part, squares, average)), flat);
  }

  /** Stores the new moments. */
  assign(): Effect[] {
    return (['rows', 'columns', 'full'] as const).flatMap((kind) => {
      const variable = this.variables[kind];
      return variable ? [this.graph.assign(variable, this.graph.concat(this.next[kind], 0))] : [];
    });
  }
}
