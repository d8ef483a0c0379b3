/** The compiled parts of a training step: micro-batch (loss, gradients), update, evaluation. */
import type { Program } from '../backend/session';
import type { GraphBuilder } from '../backend/graphBuilder';
import type { GraphValue } from '../backend/graphOps';
import { Tape } from '../backend/tape';
import type { Ops, Value } from '../backend/ops';
import { readAdapter, type AdapterValues } from '../adapters/residentAdapter';
import { BoundForward, hiddenStates } from '../decoderGraph';
import { crossEntropy, type CrossEntropy } from '../nn/crossEntropy';
import type { ResidentModel } from '../residentModel';
import { sequenceFeeds, sequenceInputs, sequenceMask, type SequenceInputs } from '../sequence';
import type { MicroBatch } from './microBatch';
import type { Trainables } from './trainables';

export interface UpdateRates {
  /** Number of updates with this one, from 1: the exponent of the bias corrections. */
  update: number;
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  /** Factor of the gradient: below 1 where it is clipped. */
  gradientScale: number;
}

export interface StepOptions {
  /** Recompute each block for the backward pass instead of keeping its intermediate values. */
  gradientCheckpointing: boolean;
  /** Something drops values at random: an adapter in training. */
  drops: boolean;
  /** Apply weight decay to norms and biases too. */
  decayAll: boolean;
}

export class TrainingStep {
  private readonly batches = new Map<string, Program>();
  private readonly evaluations = new Map<string, Program>();
  private updateProgram: Program | null = null;

  constructor(
    private readonly resident: ResidentModel,
    private readonly trainables: Trainables,
    private readonly options: StepOptions,
  ) {}

  /** Sets moments to zero. */
  async initialise(): Promise<void> {
    const variables = this.trainables.groups.flatMap(({ m, v }) => [m, v]);
    const program = this.resident.session.compile((graph) => ({
      inputs: [],
      outputs: [],
      effects: variables.map((variable) => graph.assign(variable, graph.fill(variable.shape, 0, 'float32'))),
    }));
    await program.run([]);
  }

  /**
   * Computes the losses [k] of a micro-batch and adds its gradient to the accumulated one (replaces it where `first`).
   * `gradientNorm` is that of the sum so far. `seed` numbers the micro-batch, for dropout.
   */
  async accumulate(
    micro: MicroBatch,
    first: boolean,
    seed: number,
  ): Promise<{ tokenLosses: Float32Array; gradientNorm: number }> {
    const key = `${first} ${shapeKey(micro)}`;
    let program = this.batches.get(key);
    if (!program) {
      program = this.compileBatch(micro, !first);
      this.batches.set(key, program);
    }
    const feeds = [...batchFeeds(micro), ...(this.options.drops ? [Int32Array.of(seed, 0)] : [])];
    const [tokenLosses, squares] = (await program.run(feeds)) as Float32Array[];
    return { tokenLosses, gradientNorm: Math.sqrt(squares[0]) };
  }

  /** Losses and hits [k] without gradients or dropout. */
  async evaluate(micro: MicroBatch): Promise<{ tokenLosses: Float32Array; correct: Int32Array }> {
    const key = shapeKey(micro);
    let program = this.evaluations.get(key);
    if (!program) {
      program = this.resident.session.compile((graph) => {
        const inputs = microInputs(graph, micro);
        const adapter = readAdapter(graph, this.resident.adapter);
        const loss = this.loss(graph, graph, inputs, { adapter, parameters: new Map(), seed: null });
        return { inputs: inputs.all, outputs: [loss.tokenLosses, loss.correct], effects: [] };
      });
      this.evaluations.set(key, program);
    }
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
  ): CrossEntropy {
    const { model, dtype } = this.resident;
    const { ids, positions, labelRows, labels, weights } = inputs;
    const mask = sequenceMask(graph, inputs, dtype);
    const forward = BoundForward.create(this.resident, { graph, ops, positions, mask, store: null, ...leaves });
    const hidden = hiddenStates(this.resident, forward, ids, {
      recompute: this.options.gradientCheckpointing,
    });
    // The output layer is by far the widest product: only positions with a label go through it.
    const chosen = model.finish(forward, ops.gather(hidden, labelRows));
    return crossEntropy(ops, chosen, forward.parameter(model.outputWeight), labels, weights);
  }

  private compileBatch(micro: MicroBatch, add: boolean): Program {
    const { trainables, options } = this;
    return this.resident.session.compile((graph) => {
      const inputs = microInputs(graph, micro);
      const seed = options.drops ? graph.placeholder([2], 'int32') : null;
      const tape = new Tape(graph);
      const leaves = trainables.leaves(graph);
      for (const leaf of leaves.all) tape.watch(leaf);
      const { adapter, parameters } = leaves;
      const loss = this.loss(graph, tape, inputs, { adapter, parameters, seed });
      const gradients = leaves.collect(tape.gradients(loss.loss));
      const effects = trainables.groups.map(({ gradient }, i) =>
        add ? graph.assignAdd(gradient, gradients[i]) : graph.assign(gradient, gradients[i]),
      );
      const sums = add
        ? trainables.groups.map(({ gradient }, i) => graph.read(gradient, [effects[i]]))
        : gradients;
      const outputs = [loss.tokenLosses, sumOfSquares(graph, sums)];
      return { inputs: [...inputs.all, ...(seed ? [seed] : [])], outputs, effects };
    });
  }

  /** Decoupled weight decay, then Adam (Loshchilov & Hutter 2017, https://arxiv.org/abs/1711.05101), as torch.optim.AdamW. */
  async update(rates: UpdateRates): Promise<void> {
    this.updateProgram ??= this.compileUpdate();
    const beta1Power = Math.pow(rates.beta1, rates.update);
    const beta2Power = Math.pow(rates.beta2, rates.update);
    await this.updateProgram.run([
      Float32Array.of(
        beta1Power,
        beta2Power,
        rates.learningRate,
        rates.beta1,
        rates.beta2,
        rates.epsilon * Math.sqrt(1 - beta2Power),
        rates.learningRate * rates.weightDecay,
        rates.gradientScale,
      ),
    ]);
  }

  private compileUpdate(): Program {
    return this.resident.session.compile((graph) => {
      const numbers = graph.placeholder([8], 'float32');
      const scalars = graph.split(numbers, Array(8).fill(1), 0).map((part) => graph.reshape(part, []));
      const [beta1Power, beta2Power, learningRate, beta1, beta2, epsilon, decay, scale] = scalars;
      const effects = this.trainables.groups.map(({ variable, m, v, gradient, isMatrix, lrFactor }) => {
        const factor = graph.scalar(lrFactor, 'float32');
        const rate = graph.mul(learningRate, factor);
        const rates = { beta1Power, beta2Power, learningRate: rate, beta1, beta2, epsilon };
        const scaled = graph.mul(graph.read(gradient), scale);
        const decays = isMatrix || this.options.decayAll;
        const shrink = graph.mul(decay, factor);
        const before = decays ? [graph.applyGradientDescent(variable, shrink, graph.read(variable))] : [];
        return graph.applyAdam({ variable, m, v }, rates, scaled, before);
      });
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

function batchFeeds(micro: MicroBatch): (Int32Array | Float32Array)[] {
  return [...sequenceFeeds(micro), micro.labelRows, micro.labels, micro.weights];
}

/** Σ x² over several tensors, as a vector of one element. */
function sumOfSquares(graph: GraphBuilder, values: readonly Value[]): Value {
  const sums = values.map((value) => {
    const axes = Array.from(value.shape.keys());
    return graph.reshape(graph.sum(graph.square(value), axes), [1]);
  });
  return graph.sum(graph.concat(sums, 0), [0], true);
}
