/** What a profile says: plain data, in milliseconds and bytes. */
import type { MemoryPlan } from '../../protocol/events';
import type { ComputeDType } from '../types';

/** Why something ran: in the pass to the loss, for its derivatives, again for them, or to change weights. */
export type Direction = 'forward' | 'backward' | 'recompute' | 'update';

/** Time and work of some nodes of a step. */
export interface ProfileCell {
  /** Nodes that ran. */
  count: number;
  /** Of the step's time; nodes that run side by side share it. */
  milliseconds: number;
  /** Floating-point operations of matrix products. */
  flops: number;
  /** Bytes that the nodes have to read and write. */
  bytes: number;
  /** What they would take at the device's measured best. */
  floor: number;
}

/** A part of the model: `attention` of layer 3, say. */
export interface ProfileBlock extends ProfileCell {
  block: string;
  /** Null outside the layers. */
  layer: number | null;
  direction: Direction;
}

/** An operation of the library, or a fused function. */
export interface ProfileOperation extends ProfileCell {
  operation: string;
  direction: Direction;
}

/** Measured speed limits of the device. */
export interface DevicePeaks {
  /** Floating-point operations a second of a large matrix product, by dtype: float32, and that of the run. */
  flops: Partial<Record<ComputeDType, number>>;
  /** Bytes a second of a large element-wise operation. */
  bandwidth: number;
}

/** Bytes that were there, next to `plan`. */
export interface ProfileMemory {
  plan: MemoryPlan;
  weights: number;
  gradients: number;
  optimizer: number;
  /** Kept for the backward pass when the forward pass is done. */
  kept: number;
  /** Most at one time of what a pass makes: what is kept, and what comes and goes. */
  peak: number;
  /** What of `peak` belongs to which block, largest first. */
  peakBlocks: { block: string; bytes: number }[];
  /** Most that the process has had resident. */
  process: number;
}

export interface ProfileReport {
  device: string;
  dtype: ComputeDType;
  threads: number;
  peaks: DevicePeaks;
  /** Rows, tokens of each with padding, and positions through the output layer of every micro-batch of the step. */
  shapes: { batch: number; length: number; k: number }[];
  /** Tokens of the step that are not padding. */
  tokens: number;
  layers: number;
  /** A step in milliseconds without tracing; median, least and most. */
  step: { median: number; least: number; most: number };
  /** The step that is taken apart here: the one with the median time of those that were traced. */
  traced: number;
  blocks: ProfileBlock[];
  operations: ProfileOperation[];
  /** Between the library's functions: rows, feeds, results. */
  host: number;
  /** Within them, while no node ran. */
  dispatch: number;
  /** Floating-point operations of the step's matrix products. */
  flops: number;
  /** What they alone would take at the measured peak. */
  productFloor: number;
  memory: ProfileMemory;
}
