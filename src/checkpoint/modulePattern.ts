/**
 * Regular expressions over module paths, as PEFT takes them from `adapter_config.json`. They come from files of strangers, so they are
 * not given to the backtracking engine of the language: a pattern is followed from all positions at once, with a bound on the work.
 */
import { ModulePatternError, parseModulePattern, type PatternNode } from './modulePatternParser';

export { ModulePatternError } from './modulePatternParser';

const LONGEST_PATTERN = 4096;
/** Steps for one text, and for all texts and patterns that share a budget: seconds, not minutes. */
const MOST_STEPS = 200_000;
const BUDGET = 200_000_000;

/**
 * Compiles a pattern in the syntax that Python's and JavaScript's regular expressions share: literals, classes, groups, alternatives,
 * repetition, look-ahead, anchors. Back references and look-behind are refused.
 * @returns whether the pattern fits a whole text; throws ModulePatternError, also while matching
 */
export function compileModulePattern(
  pattern: string,
  budget: PatternBudget = patternBudget(),
): (text: string) => boolean {
  if (pattern.length > LONGEST_PATTERN) throw new ModulePatternError('too long');
  const root = parseModulePattern(pattern);
  return (text) => new Matcher(text, budget).ends(root, [0]).includes(text.length);
}

/** What is left of the work that several patterns may take together. */
export interface PatternBudget {
  steps: number;
}

export function patternBudget(): PatternBudget {
  return { steps: BUDGET };
}

/** Follows a pattern from a set of positions at once: no position is visited twice for one part of the pattern. */
class Matcher {
  private steps = 0;

  constructor(
    private readonly text: string,
    private readonly budget: PatternBudget,
  ) {}

  /** Where matches that begin at any of `starts` can end, each position once. */
  ends(node: PatternNode, starts: readonly number[]): number[] {
    this.steps += starts.length + 1;
    this.budget.steps -= starts.length + 1;
    if (this.steps > MOST_STEPS || this.budget.steps < 0) throw new ModulePatternError('too slow');
    switch (node.kind) {
      case 'character':
        return starts
          .filter((at) => at < this.text.length && node.accepts(this.text.charCodeAt(at)))
          .map((at) => at + 1);
      case 'sequence':
        return node.parts.reduce<readonly number[]>(
          (at, part) => (at.length > 0 ? this.ends(part, at) : at),
          starts,
        ) as number[];
      case 'choice':
        return unique(node.options.flatMap((option) => this.ends(option, starts)));
      case 'repeat':
        return this.repeated(node, starts);
      case 'look':
        return starts.filter((at) => this.ends(node.part, [at]).length > 0 === node.wanted);
      case 'place':
        return starts.filter((at) => node.holds(this.text, at));
    }
  }

  private repeated(
    { part, least, most }: PatternNode & { kind: 'repeat' },
    starts: readonly number[],
  ): number[] {
    let current = [...starts];
    for (let count = 0; count < least && current.length > 0; count++) current = this.ends(part, current);
    const found = new Set(current);
    // Only positions that are new can lead further.
    for (let count = least; count < most && current.length > 0; count++) {
      current = this.ends(part, current).filter((at) => !found.has(at));
      for (const at of current) found.add(at);
    }
    return [...found];
  }
}

function unique(values: number[]): number[] {
  return [...new Set(values)];
}
