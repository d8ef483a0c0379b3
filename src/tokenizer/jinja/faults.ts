/** A template that cannot be parsed or rendered; the message says what it does that is not possible. */
export class TemplateFault extends Error {}

/** What one rendering may use. Templates come with models and are not trusted. */
export interface Limits {
  /** Evaluated nodes, list items and loop rounds. */
  steps: number;
  /** UTF-16 units of all texts that are made. */
  characters: number;
  /** Nested evaluations. */
  depth: number;
}

/** Ample for conversations of millions of characters and thousands of messages; a second or two at most. */
export const LIMITS: Limits = { steps: 2_000_000, characters: 64_000_000, depth: 400 };

/** Counts what a rendering uses. */
export class Budget {
  private steps = 0;
  private characters = 0;
  private depth = 0;

  constructor(private readonly limits: Limits) {}

  step(count = 1): void {
    this.steps += count;
    if (!(this.steps <= this.limits.steps)) throw new TemplateFault('too many steps');
  }

  /** Call it before a text of that length is made. */
  text(length: number): void {
    this.characters += length;
    if (!(this.characters <= this.limits.characters)) throw new TemplateFault('too much text');
  }

  /** Runs one nested evaluation. */
  nested<T>(run: () => T): T {
    if (this.depth >= this.limits.depth) throw new TemplateFault('nested too deeply');
    this.depth++;
    try {
      return run();
    } finally {
      this.depth--;
    }
  }
}
