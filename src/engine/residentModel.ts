/** A model whose weights live in the library's variables, with or without an adapter on it. */
import { elements } from '../checkpoint/modelTensors';
import { prefixPositionOffset } from '../checkpoint/prefix';
import { joinParts, type FlatPart } from './adapters/flat';
import { allGroups, type ResidentAdapter } from './adapters/residentAdapter';
import type { GraphBuilder, Variable } from './backend/graphBuilder';
import type { Value } from './backend/ops';
import type { Session } from './backend/session';
import type { DecoderModel } from './glm/model';
import { denseWeight, type StoredWeight } from './nn/linear';
import { narrowWeight } from './nn/narrow';
import type { ComputeDType } from './types';
import { VariableStore } from './variableStore';

/** The weight of a linear layer that is unpacked at each use. */
export interface PackedLinear {
  /** [out, in] of the matrix it stands for. */
  shape: readonly number[];
  weight(graph: GraphBuilder, dtype: ComputeDType): StoredWeight;
}

export class ResidentModel {
  readonly store = new VariableStore();
  adapter: ResidentAdapter | null = null;

  constructor(
    readonly directory: string,
    readonly model: DecoderModel,
    readonly dtype: ComputeDType,
    /** Parameters by checkpoint name. */
    readonly variables: ReadonlyMap<string, Variable>,
    /** Weights of linear layers that stay packed, by checkpoint name. */
    readonly packed: ReadonlyMap<string, PackedLinear>,
  ) {}

  get session(): Session {
    return this.store.session;
  }

  /** Number of the model's own parameters, packed ones counted as what they stand for. */
  get parameters(): number {
    const dense = [...this.variables.values()].reduce((sum, { shape }) => sum + elements(shape), 0);
    return [...this.packed.values()].reduce((sum, { shape }) => sum + elements(shape), dense);
  }

  /** How far an adapter shifts the positions of real tokens: PEFT's prefix takes the first ones. */
  get positionOffset(): number {
    return this.adapter?.kind === 'prefix' ? prefixPositionOffset(this.adapter.config) : 0;
  }

  /** Entries before the first token in every layer's keys and values. */
  get prefixLength(): number {
    return this.adapter?.kind === 'prefix' ? this.adapter.config.pre_seq_len : 0;
  }

  /** Most tokens of a sequence: positions that an adapter takes are not left for tokens. */
  get maxLength(): number {
    return this.model.maxLength - this.positionOffset;
  }

  /** The weight of a linear layer in a function; `parameter` reads a dense one. */
  weight(graph: GraphBuilder, module: string, parameter: (name: string) => Value): StoredWeight {
    const name = `${module}.weight`;
    const packed = this.packed.get(name);
    if (packed) return packed.weight(graph, this.dtype);
    const weight = parameter(name);
    return weight.dtype === this.dtype ? denseWeight(weight) : narrowWeight(weight, this.dtype);
  }

  /** Puts an adapter with the given values on the model, in place of what was there. */
  async setAdapter(adapter: ResidentAdapter, values: (part: FlatPart) => Float32Array): Promise<void> {
    for (const group of allGroups(adapter)) await this.store.write(group.variable, joinParts(group, values));
    this.adapter = adapter;
  }

  async close(): Promise<void> {
    await this.store.close();
  }
}
