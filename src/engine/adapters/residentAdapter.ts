/** What is put on a model: its tensors in flat variables of the library, and what they mean. */
import type { LoraShape } from '../../checkpoint/lora';
import type { PrefixShapes } from '../../checkpoint/prefix';
import type { LoraConfig, PrefixConfig } from '../../checkpoint/types';
import type { GraphBuilder } from '../backend/graphBuilder';
import type { Value } from '../backend/ops';
import { readParts, type FlatGroup } from './flat';

export interface LoraAdapter {
  kind: 'lora';
  config: LoraConfig;
  shapes: readonly LoraShape[];
  groups: readonly FlatGroup[];
  /** PiSSA's first matrices, which are not trained (`initialName`); empty for other adapters. */
  frozen: readonly FlatGroup[];
}

export interface PrefixAdapter {
  kind: 'prefix';
  config: PrefixConfig;
  /** Rate of dropout on the prefix's keys and values while training. */
  dropout: number;
  shapes: PrefixShapes;
  groups: readonly FlatGroup[];
  frozen: readonly FlatGroup[];
}

export type ResidentAdapter = LoraAdapter | PrefixAdapter;

/** Every variable of an adapter, trained or not: what is written, read and saved. */
export function allGroups({ groups, frozen }: Pick<ResidentAdapter, 'groups' | 'frozen'>): FlatGroup[] {
  return [...groups, ...frozen];
}

/** Name of the frozen first value of a tensor. */
export function initialName(name: string): string {
  return `initial.${name}`;
}

/** An adapter's tensors, float32, by the names they have in files. */
export type AdapterValues = ReadonlyMap<string, Value>;

/** Reads an adapter's tensors in a function; null where there is no adapter. */
export function readAdapter(graph: GraphBuilder, adapter: ResidentAdapter | null): AdapterValues | null {
  if (!adapter) return null;
  return new Map(allGroups(adapter).flatMap((group) => [...readParts(graph, group)]));
}
