/** The points of a run, as columns; what the charts and the table draw. */
import type { EvalColumns, RunHostMessage, StepColumns } from '../../src/protocol/webview';

type PointsMessage = Extract<RunHostMessage, { type: 'points' }>;

function emptySteps(): StepColumns {
  return { step: [], epoch: [], loss: [], lr: [], gradNorm: [], tokensPerSecond: [] };
}

export class RunSeries {
  steps: StepColumns = emptySteps();
  evals: EvalColumns = { step: [], loss: [] };

  apply(message: PointsMessage): void {
    if (message.reset) {
      this.steps = emptySteps();
      this.evals = { step: [], loss: [] };
    } else if (message.keepThrough !== null) {
      cut(this.steps, message.keepThrough);
      cut(this.evals, message.keepThrough);
    }
    append(this.steps, message.steps);
    append(this.evals, message.evals);
  }

  /** Evaluation losses set beside the training steps; x holds the steps of both, ascending. */
  aligned(values: readonly (number | null)[][]): { x: number[]; columns: (number | null)[][] } {
    const { x, fromStep, fromEval } = mergeSteps(this.steps.step, this.evals.step);
    const pick = (source: readonly (number | null)[], places: Int32Array): (number | null)[] =>
      Array.from(places, (place) => (place < 0 ? null : (source[place] ?? null)));
    const columns = values.map((column) => pick(column, fromStep));
    return { x, columns: [...columns, pick(this.evals.loss, fromEval)] };
  }
}

type Columns = Record<string, (number | null)[]> & { step: number[] };

function cut(columns: StepColumns | EvalColumns, keepThrough: number): void {
  const kept = columns.step.findIndex((step) => step > keepThrough);
  if (kept < 0) return;
  for (const column of Object.values(columns as unknown as Columns)) column.length = kept;
}

function append<T extends StepColumns | EvalColumns>(columns: T, added: T): void {
  const source = added as unknown as Columns;
  for (const [name, column] of Object.entries(columns as unknown as Columns)) {
    for (const value of source[name] ?? []) column.push(value);
  }
}

/** Union of two ascending lists, with the place of each entry in either (-1: not there). */
function mergeSteps(
  a: readonly number[],
  b: readonly number[],
): { x: number[]; fromStep: Int32Array; fromEval: Int32Array } {
  const x: number[] = [];
  const left: number[] = [];
  const right: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const next = Math.min(a[i] ?? Infinity, b[j] ?? Infinity);
    x.push(next);
    left.push(a[i] === next ? i++ : -1);
    right.push(b[j] === next ? j++ : -1);
  }
  return { x, fromStep: Int32Array.from(left), fromEval: Int32Array.from(right) };
}
