/** What is measured, and what comes out of it. */
import type { Named } from './selection';
import type { Spread } from './statistics';

/** What one process did. */
export interface Measurement {
  /** In the unit of the comparison. */
  value: number;
  /** Most bytes resident, of the process and its children. */
  peak: number;
  /** Training loss of every step. */
  losses?: number[];
  /** Resident bytes at the end of every step. */
  memory?: number[];
  /** Generated token ids, row by row. */
  tokens?: number[][];
  /** Further figures by name. */
  details?: Record<string, number>;
}

/** One way to do the work. */
export interface Variant {
  /** Unique in its comparison: `PEFT autocast`. */
  name: string;
  /** Variants of one contender compete first; ours are compared with the fastest of each. */
  contender: string;
  /** False where other losses than ours are right: other weights. */
  sameLosses?: boolean;
  /** Rounds that it takes part in; without: all. */
  mostRounds?: number;
  measure(): Promise<Measurement>;
}

/** Ratios ours / theirs: `value` at least (at most, where lower is better), `peak` at most. */
export interface Goal {
  value?: number;
  peak?: number;
}

/** The same work done by us and by others, in turn. */
export interface Comparison extends Named {
  kind: 'comparison';
  title: string;
  unit: string;
  /** Which of two values is better. */
  better: 'higher' | 'lower';
  /** Largest relative difference of losses that still counts as the same work; null where there are none. */
  tolerance: number | null;
  /** What the product shall reach against a contender. */
  goals?: Readonly<Record<string, Goal>>;
  /** Ours first. */
  variants: readonly Variant[];
  prepare(): Promise<void>;
  /** More about the outcome than times, for its notes. */
  remarks?: (measured: ReadonlyMap<string, Measurement>) => string[];
  /** Why outcomes are not of the same work; empty where they are. */
  faults?: (measured: ReadonlyMap<string, Measurement>) => string[];
}

/** Work that is only ours, measured for its own sake. */
export interface Study extends Named {
  kind: 'study';
  title: string;
  run(rounds: number, say: (line: string) => void): Promise<StudyResult>;
}

export type Work = Comparison | Study;

export interface StudyResult {
  name: string;
  title: string;
  header: string[];
  rows: string[][];
  notes: string[];
  /** The bare numbers. */
  data: Record<string, unknown>;
}

/** A contender's fastest variant over all rounds. */
export interface ContenderResult {
  contender: string;
  variant: string;
  values: number[];
  peaks: number[];
  goal: Goal | null;
  /** Ours / theirs, round by round; null for ours. */
  valueRatio: Spread | null;
  peakRatio: Spread | null;
}

export interface ComparisonResult {
  name: string;
  title: string;
  unit: string;
  better: 'higher' | 'lower';
  contenders: ContenderResult[];
  /** Largest relative difference of our losses and each variant's. */
  lossDifference: Record<string, number>;
  /** Losses or tokens that say that it was not the same work. */
  faults: string[];
  notes: string[];
}
