/** Results as Markdown. */
import { OURS } from './compare';
import { median, type Spread } from './statistics';
import type { ComparisonResult, ContenderResult, StudyResult } from './types';

/** A table; no cell is empty, so that every reader draws it alike. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell || '–').join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)];
}

/** Three digits that say something: 1234, 12.3, 0.0123. */
export function figure(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

export function ratioText({ min, median: middle, max }: Spread): string {
  return `${min.toFixed(2)} / **${middle.toFixed(2)}** / ${max.toFixed(2)}`;
}

/** One line a contender: ours once a row, then every ratio. */
export function comparisonTable(results: readonly ComparisonResult[]): string[] {
  const header = [
    ...['work', 'against', 'ours', 'theirs', 'unit', 'ours / theirs', 'goal'],
    ...['peak ours, MB', 'peak theirs, MB', 'ours / theirs', 'goal', 'losses'],
  ];
  return markdownTable(header, results.flatMap(comparisonRows));
}

function comparisonRows(result: ComparisonResult): string[][] {
  const ours = result.contenders.find(({ contender }) => contender === OURS);
  const others = result.contenders.filter((other) => other !== ours);
  if (!ours) return [];
  if (others.length === 0)
    return [
      [result.title, 'nobody', middle(ours.values), '', result.unit, '', '', megabytes(ours), '', '', '', ''],
    ];
  return others.map((other) => {
    const { goal } = other;
    return [
      result.title,
      other.variant,
      middle(ours.values),
      middle(other.values),
      result.unit,
      other.valueRatio ? ratioText(other.valueRatio) : '',
      verdict(other.valueRatio, goal?.value, result.better === 'higher'),
      megabytes(ours),
      megabytes(other),
      other.peakRatio ? ratioText(other.peakRatio) : '',
      verdict(other.peakRatio, goal?.peak, false),
      lossText(result, other.variant),
    ];
  });
}

function middle(values: readonly number[]): string {
  return figure(median(values));
}

function megabytes({ peaks }: ContenderResult): string {
  return (median(peaks) / 1e6).toFixed(0);
}

function verdict(ratio: Spread | null, goal: number | undefined, atLeast: boolean): string {
  if (!ratio || goal === undefined) return '';
  const reached = atLeast ? ratio.median >= goal : ratio.median <= goal;
  return `${atLeast ? '≥' : '≤'} ${goal} ${reached ? 'yes' : 'no'}`;
}

function lossText({ lossDifference }: ComparisonResult, variant: string): string {
  const difference = lossDifference[variant];
  return difference === undefined ? '' : `${difference.toExponential(0)} apart`;
}

/** Everything of a run, below a heading that the caller writes. */
export function resultLines(
  comparisons: readonly ComparisonResult[],
  studies: readonly StudyResult[],
  failures: readonly { name: string; message: string }[] = [],
): string[] {
  const notes = comparisons.flatMap(({ name, faults, notes: more }) => [
    ...faults.map((fault) => `- **${name}: ${fault}**`),
    ...more.map((note) => `- ${name}: ${lastLine(note)}`),
  ]);
  const failed = failures.map(({ name, message }) => `- **${name} failed: ${lastLine(message)}**`);
  return [
    ...(failed.length > 0 ? [...failed, ''] : []),
    ...(comparisons.length > 0 ? [...comparisonTable(comparisons), ''] : []),
    ...(notes.length > 0 ? ['Notes:', '', ...notes, ''] : []),
    ...studies.flatMap(studyLines),
  ];
}

/** Where an error comes with the output of a program, the line that says it. */
function lastLine(text: string): string {
  return text.split('\n').filter(Boolean).at(-1) ?? text;
}

export function studyLines({ title, header, rows, notes }: StudyResult): string[] {
  return [`#### ${title}`, '', ...markdownTable(header, rows), '', ...notes.flatMap((note) => [note, ''])];
}
