/** Facts as a table of two columns. */
import type { Output } from './output';

export type Fact = readonly [label: string, value: string];

export function printFacts(output: Output, facts: readonly Fact[]): void {
  const width = Math.max(...facts.map(([label]) => displayWidth(label)));
  for (const [label, value] of facts) {
    output.result(`${label}${' '.repeat(width - displayWidth(label))}  ${value}`);
  }
}

/** Columns on a terminal: Chinese characters take two. */
export function displayWidth(text: string): number {
  return [...text].reduce((width, character) => width + (/[\u2e80-\uffef]/.test(character) ? 2 : 1), 0);
}
