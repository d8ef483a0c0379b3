/** What a run will do, computed before its first step. */
import type { MemoryPlan, RunEvent, StartedEvent, WarningCode } from '../../protocol/events';
import type { RunFile } from '../../protocol/run';
import { backend, storedDType } from '../backend/backend';
import type { ResidentModel } from '../residentModel';
import type { RunData } from './data';
import { packRows, type TrainingRow } from './rows';
import type { Trainables } from './trainables';

export interface RunPlan {
  /** Sequences in dataset order: records, or packs of records. */
  rows: TrainingRow[];
  /** Rows per optimiser step. */
  rowsPerStep: number;
  totalSteps: number;
}

/** Fewer rows than this are memorised rather than learned from. */
const FEW_ROWS = 20;

export function planRun(run: RunFile, data: RunData, modelLength: number): RunPlan {
  const { training, dataset } = run;
  const maxLength = Math.min(dataset.max_length, modelLength);
  const seed = training.shuffle ? training.seed : null;
  const rows = training.packing ? packRows(data.train.rows, maxLength, seed) : data.train.rows;
  const rowsPerStep = training.batch_size * training.gradient_accumulation_steps;
  const steps = Math.ceil((training.epochs * rows.length) / rowsPerStep);
  return { rows, rowsPerStep, totalSteps: training.max_steps ?? Math.max(1, steps) };
}

/** The `started` event and the warnings that belong to it. */
export function startEvents(
  run: RunFile,
  versions: Record<string, string>,
  resident: ResidentModel,
  trainables: Trainables,
  { train, validation }: RunData,
  plan: RunPlan,
  memory: MemoryPlan,
): RunEvent[] {
  const dtype = storedDType(run.training.dtype);
  const started: StartedEvent = {
    type: 'started',
    time: new Date().toISOString(),
    name: run.name,
    model: run.model,
    architecture: resident.model.config.architecture,
    method: run.method.type,
    quantization: run.quantization?.type ?? null,
    dtype,
    learning_rate: run.training.learning_rate,
    device: deviceName(),
    versions,
    trainable_parameters: trainables.parameters,
    total_parameters: resident.parameters,
    train_rows: train.rows.length,
    validation_rows: validation.rows.length,
    dropped_rows: train.dropped + validation.dropped,
    truncated_rows: train.truncated + validation.truncated,
    total_steps: plan.totalSteps,
    epochs: (plan.totalSteps * plan.rowsPerStep) / plan.rows.length,
    effective_batch_size: plan.rowsPerStep,
    longest_row: plan.rows.reduce((most, row) => Math.max(most, row.inputIds.length), 0),
    memory,
  };
  const warnings: RunEvent[] = [];
  if (backend().kind === 'portable') warnings.push({ type: 'warning', code: 'portableEngine', args: {} });
  if (dtype !== run.training.dtype)
    warnings.push({
      type: 'warning',
      code: 'dtypeReplaced',
      args: { dtype: run.training.dtype, used: dtype },
    });
  if (memory.total > memory.available) {
    const gigabytes = (bytes: number): number => Number((bytes / 1e9).toFixed(1));
    const args = { needed: gigabytes(memory.total), available: gigabytes(memory.available) };
    warnings.push({ type: 'warning', code: 'memoryShort', args });
  }
  const warn = (code: WarningCode, count: number): void => {
    if (count > 0) warnings.push({ type: 'warning', code, args: { count } });
  };
  const tooLong = train.tooLong + validation.tooLong;
  const refused = [train.refused, validation.refused].filter((refusal) => refusal !== null);
  const refusedRows = refused.reduce((sum, { count }) => sum + count, 0);
  warn('rowsDropped', started.dropped_rows - tooLong - refusedRows);
  warn('rowsTooLong', tooLong);
  for (const { count, line, error } of refused)
    warnings.push({
      type: 'warning',
      code: 'rowsRefused',
      args: { count, line, detail: 'detail' in error.args ? String(error.args.detail) : '' },
    });
  warn('rowsTruncated', started.truncated_rows);
  warn('answersOnlyContext', train.contextTurns);
  if (train.rows.length < FEW_ROWS) warn('fewRows', train.rows.length);
  if (run.evaluation.every_steps > 0 && validation.rows.length === 0)
    warnings.push({ type: 'warning', code: 'noValidation', args: {} });
  return [started, ...warnings];
}

/** What a run computes on, in one word. */
function deviceName(): string {
  const types = backend()
    .devices()
    .map(({ type }) => type);
  return types.includes('GPU') ? 'GPU' : types[0];
}
