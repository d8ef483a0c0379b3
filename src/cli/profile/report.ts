/** A profile as people read it: the step, its blocks, its operations, its memory. */
import type { ProfileMemory, ProfileReport } from '../../engine';
import type { Translate } from '../../text/translate';
import { formatBytes } from '../format';
import { blockName, blockRows, operationRows } from './rows';
import { alignColumns } from './table';

/** Operations that are listed; the rest is one line. */
const OPERATIONS = 15;

export function profileLines(t: Translate, report: ProfileReport, everyLayer: boolean): string[] {
  return [
    ...stepLines(t, report),
    '',
    ...alignColumns(blockRows(t, report, everyLayer)),
    '',
    ...alignColumns(operationRows(t, report, OPERATIONS)),
    '',
    ...memoryLines(t, report.memory),
  ];
}

function stepLines(t: Translate, report: ProfileReport): string[] {
  const { peaks, shapes, step, tokens, flops, productFloor, traced } = report;
  const milliseconds = (value: number): string => value.toFixed(value < 100 ? 1 : 0);
  const shapeText = shapes
    .map(({ batch, length, k }) =>
      t('{batch} rows of {length} tokens, {k} through the output layer', { batch, length, k }),
    )
    .join('; ');
  return [
    t('{device}, {threads} threads: matrix products up to {flops} GFLOP/s, memory up to {bytes} GB/s', {
      device: report.device,
      threads: report.threads,
      flops: Object.entries(peaks.flops)
        .map(([dtype, flops]) => `${(flops / 1e9).toFixed(0)} (${dtype})`)
        .join(', '),
      bytes: (peaks.bandwidth / 1e9).toFixed(1),
    }),
    shapeText,
    t('A step: {median} ms ({least} to {most}), {rate} tokens/s; traced {traced} ms', {
      median: milliseconds(step.median),
      least: milliseconds(step.least),
      most: milliseconds(step.most),
      rate: (tokens / (step.median / 1000)).toFixed(0),
      traced: milliseconds(traced),
    }),
    t('Matrix products: {flops} GFLOP, {floor} ms at best, {share} of the step', {
      flops: (flops / 1e9).toFixed(1),
      floor: milliseconds(productFloor),
      share: `${((100 * productFloor) / step.median).toFixed(0)} %`,
    }),
  ];
}

function memoryLines(t: Translate, memory: ProfileMemory): string[] {
  const { plan, weights, gradients, optimizer, kept, peak, peakBlocks } = memory;
  const rows = [
    [t('Memory'), t('measured'), t('planned')],
    [t('weights'), formatBytes(weights), formatBytes(plan.weights)],
    [t('gradients'), formatBytes(gradients), formatBytes(plan.gradients)],
    [t('optimiser'), formatBytes(optimizer), formatBytes(plan.optimizer)],
    [t('values of the pass, at most'), formatBytes(peak), formatBytes(plan.activations)],
    [`  ${t('kept for the backward pass')}`, formatBytes(kept), ''],
    ...peakBlocks
      .filter(({ bytes }) => bytes > 0.01 * peak)
      .map(({ block, bytes }) => [
        `  ${t('of {block}', { block: blockName(t, block) })}`,
        formatBytes(bytes),
        '',
      ]),
    [t('whole process'), formatBytes(memory.process), formatBytes(plan.total)],
  ];
  return alignColumns(rows);
}
