/** The compiled parts of a training step: micro-batch (loss, gradients), update, evaluation. */
import { ProgramCache } from '../backend/programCache';
import type { Program } from '../backend/session';
import type { Effect, GraphBuilder } from '../backend/graphBuilder';
import type { GraphValue } from '../backend/graphOps';
import { Tape } from '../backend/tape';
import type { Ops, Value } from '../backend/ops';
import { readAdapter, type AdapterValues } from '../adapters/residentAdapter';
import { BoundForward, hiddenStates } from '../decoderGraph';
import { crossEntropy, type CrossEntropy } from '../nn/crossEntropy';
import { addNoise } from '../nn/neftune';
import type { ResidentModel } from '../residentModel';
import { sequenceFeeds, sequenceInputs, sequenceMask, type SequenceInputs } from '../sequence';
import type { MicroBatch } from './microBatch';
import type { UpdateRates } from './optimisers';
import type { Trainables } from './trainables';

export interface StepOptions {
  /** Recompute each block for the backward pass instead of keeping its intermediate values. */
  gradientCheckpointing: boolean;
  /** Something drops values at random: an adapter in training. */
  drops: boolean;
  /** Strength of the noise on embeddings; 0: none. */
  noiseAlpha: number;
  /** Share of the uniform distribution in the labels. */
  labelSmoothing: number;
  /** Apply weight decay to norms and biases too. */
  decayAll: boolean;
}

/** Shapes that stay compiled; a data set of conversations of up to 1024 tokens has about 20. */
const MOST_SHAPES = 32;

export class TrainingStep {
  private readonly batches = new ProgramCache(MOST_SHAPES);
  private readonly evaluations = new ProgramCache(MOST_SHAPES);
  private updateProgram: Program | null = null;
  private finiteProgram: Program | null = null;

  constructor(
    private readonly resident: ResidentModel,
    private readonly trainables: Trainables,
    private readonly options: StepOptions,
  ) {}

  /** Sets the optimiser's state to zero. */
  async initialise(): Promise<void> {
    const variables = this.trainables.groups.flatMap(({ state }) => state);
    await this.resident.session.runOnce((graph) => ({
      inputs: [],
      outputs: [],
      effects: variables.map((variable) => graph.assign(variable, graph.fill(variable.shape, 0, 'float32'))),
    }));
  }

  /**
   * Computes the losses [k] of a micro-batch and adds its gradient to the accumulated one (replaces it where `first`).
   * `gradientNorm` is that of the sum so far. `seed` numbers the micro-batch, for dropout and noise; `lossScale` multiplies the
   * gradients (a power of two), not the results.
   */
  async accumulate(
    micro: MicroBatch,
    { first, seed, lossScale }: { first: boolean; seed: number; lossScale: number },
  ): Promise<{ tokenLosses: Float32Array; gradientNorm: number }> {
    const key = `${first} ${shapeKey(micro)}`;
    const program = this.batches.get(key, () => this.compileBatch(micro, !first));
    const feeds = [
      ...batchFeeds(micro, lossScale),
      ...(this.isRandom ? [Int32Array.of(seed, 0)] : []),
      ...(this.options.noiseAlpha > 0 ? [rowLengths(micro)] : []),
    ];
    const [tokenLosses, squares] = (await program.run(feeds)) as Float32Array[];
    return { tokenLosses, gradientNorm: Math.sqrt(squares[0]) / lossScale };
  }

  private get isRandom(): boolean {
    return this.options.drops || this.options.noiseAlpha > 0;
  }

  /** Losses and hits [k] without gradients, dropout, noise or smoothing. */
  async evaluate(micro: MicroBatch): Promise<{ tokenLosses: Float32Array; correct: Int32Array }> {
    const key = shapeKey(micro);
    const program = this.evaluations.get(key, () =>
      this.resident.session.compile((graph) => {
        const inputs = microInputs(graph, micro);
        const adapter = readAdapter(graph, this.resident.adapter);
        const loss = this.loss(graph, graph, inputs, { adapter, parameters: new Map(), seed: null }, {});
        return { inputs: inputs.all, outputs: [loss.tokenLosses, loss.correct], effects: [] };
      }),
    );
    const [tokenLosses, correct] = await program.run(batchFeeds(micro));
    return { tokenLosses: tokenLosses as Float32Array, correct: correct as Int32Array };
  }

  private loss(
    graph: GraphBuilder,
    ops: Ops,
    inputs: MicroInputs,
    leaves: {
      adapter: AdapterValues | null;
      parameters: ReadonlyMap<string, Value>;
      seed: Value | null;
    },
    training: { embedded?: (x: Value) => Value; labelSmoothing?: number },
  ): CrossEntropy {
    const { model, dtype } = this.resident;
    const { ids, positions, labelRows, labels, weights } = inputs;
    const mask = graph.scope('inputs', () => sequenceMask(graph, inputs, dtype));
    const forward = BoundForward.create(this.resident, {
      graph,
      ops,
      positions,
      mask,
      store: null,
      ...leaves,
    });
    const hidden = hiddenStates(this.resident, forward, ids, {
      recompute: this.options.gradientCheckpointing,
      embedded: training.embedded,
    });
    // The output layer is by far the widest product: only positions with a label go through it.
    return ops.scope('output', () => {
      const chosen = model.finish(forward, ops.gather(hidden, labelRows));
      const head = forward.parameter(model.outputWeight);
      return crossEntropy(ops, chosen, head, labels, weights, { smoothing: training.labelSmoothing });
    });
  }

  private compileBatch(micro: MicroBatch, add: boolean): Program {
    const { trainables, options } = this;
    return this.resident.session.compile((graph) => {
      const inputs = microInputs(graph, micro);
      const seed = this.isRandom ? graph.placeholder([2], 'int32') : null;
      const lengths = options.noiseAlpha > 0 ? graph.placeholder([micro.batch], 'float32') : null;
      const tape = new Tape(graph);
      const leaves = trainables.leaves(graph);
      for (const leaf of leaves.all) tape.watch(leaf);
      const { adapter, parameters } = leaves;
      const noisy = (x: Value): Value => addNoise(tape, x, options.noiseAlpha, lengths!, seed!);
      const loss = this.loss(
        graph,
        tape,
        inputs,
        { adapter, parameters, seed: options.drops ? seed : null },
        { embedded: lengths ? noisy : undefined, labelSmoothing: options.labelSmoothing },
      );
      const derivatives = tape.gradients(loss.loss);
      const { effects, squares } = graph.scope('gradients', () =>
        this.keepGradients(graph, leaves.collect(derivatives), add),
      );
      const random = [...(seed ? [seed] : []), ...(lengths ? [lengths] : [])];
      return { inputs: [...inputs.all, ...random], outputs: [loss.tokenLosses, squares], effects };
    });
  }

  /** Puts gradients in place of the accumulated ones, or adds them; `squares` [1] is the squared norm of the result. */
  private keepGradients(
    graph: GraphBuilder,
    gradients: readonly Value[],
    add: boolean,
  ): { effects: Effect[]; squares: Value } {
    const { groups } = this.trainables;
    const effects = groups.map(({ gradient }, i) =>
      add ? graph.assignAdd(gradient, gradients[i]) : graph.assign(gradient, gradients[i]),
    );
    const sums = add ? groups.map(({ gradient }, i) => graph.read(gradient, [effects[i]])) : gradients;
    return { effects, squares: sumOfSquares(graph, sums) };
  }

  /** Updates everything that is trained by the accumulated gradient. */
  async update(rates: UpdateRates): Promise<void> {
    const scalars = this.trainables.optimiser.scalars(rates);
    this.updateProgram ??= this.compileUpdate(scalars.length);
    await this.updateProgram.run([Float32Array.from(scalars)]);
  }

  /** Whether no weight that is trained has become infinite or NaN. */
  async weightsAreFinite(): Promise<boolean> {
    this.finiteProgram ??= this.resident.session.compile((graph) => ({
      inputs: [],
      outputs: this.trainables.groups.map(({ variable }) => graph.allFinite(graph.read(variable))),
      effects: [],
    }));
    const results = await this.finiteProgram.run([]);
    return results.every(([finite]) => finite === 1);
  }

  private compileUpdate(count: number): Program {
    const { optimiser, groups } = this.trainables;
    return this.resident.session.compile((graph) => {
      const numbers = graph.placeholder([count], 'float32');
      const scalars = graph
        .split(numbers, Array<number>(count).fill(1), 0)
        .map((part) => graph.reshape(part, []));
      const effects: Effect[] = [];
      let before: Effect[] = [];
      for (const group of groups) {
        // One group after the other: all at once would hold a second copy of every gradient.
        const gradient = graph.read(group.gradient, before);
        const decays = group.isMatrix || this.options.decayAll;
        before = graph.scope('optimiser', () => {
          const updates = optimiser.update(graph, group, gradient, scalars, decays);
          // The next pass makes it anew: nothing is left of it meanwhile, and there are never two.
          return [...updates, graph.destroy(group.gradient, updates)];
        });
        effects.push(...before);
      }
      return { inputs: [numbers], outputs: [], effects };
    });
  }
}

interface MicroInputs extends SequenceInputs {
  labelRows: GraphValue;
  labels: GraphValue;
  weights: GraphValue;
}

/** What a program is compiled for. */
function shapeKey({ batch, length, k, segments }: MicroBatch): string {
  return `${batch},${length},${k},${segments !== null}`;
}

function microInputs(graph: GraphBuilder, micro: MicroBatch): MicroInputs {
  const sequence = sequenceInputs(graph, micro);
  const labelRows = graph.placeholder([micro.k], 'int32');
  const labels = graph.placeholder([micro.k], 'int32');
  const weights = graph.placeholder([micro.k], 'float32');
  return { ...sequence, labelRows, labels, weights, all: [...sequence.all, labelRows, labels, weights] };
}

function batchFeeds(micro: MicroBatch, lossScale = 1): (Int32Array | Float32Array)[] {
  // The loss is linear in its weights: scaling them scales every gradient.
  const weights = lossScale === 1 ? micro.weights : micro.weights.map((weight) => weight * lossScale);
  return [...sequenceFeeds(micro), micro.labelRows, micro.labels, weights];
}

/** Tokens of each row, at least one: float32 [batch]. */
function rowLengths({ batch, rows }: MicroBatch): Float32Array {
  return Float32Array.from({ length: batch }, (_, i) => rows[i]?.inputIds.length ?? 1);
}

/** Σ x² over several tensors, as a vector of one element. */
function sumOfSquares(graph: GraphBuilder, values: readonly Value[]): Value {
  const sums = values.map((value) => {
    const axes = Array.from(value.shape.keys());
    return graph.reshape(graph.sum(graph.square(value), axes), [1]);
  });
  return graph.sum(graph.concat(sums, 0), [0], true);
}
