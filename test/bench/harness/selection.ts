/** Which pieces of work a command line means. */

export interface Named {
  /** Path from the general to the special: `lora/small/bf16/4x256`. */
  name: string;
  /** `full`: only when asked for by name or with `all`. */
  set: 'quick' | 'default' | 'full';
}

/**
 * The items that any of the patterns means, in their own order. A pattern is an item's whole name, or some of its parts in
 * order: `lora/bf16` means all LoRA work in bf16. Without patterns: the quick or the default set. Throws where a pattern means none.
 */
export function select<T extends Named>(
  items: readonly T[],
  patterns: readonly string[],
  quick: boolean,
): T[] {
  if (patterns.length === 0)
    return items.filter(({ set }) => set === 'quick' || (!quick && set === 'default'));
  const chosen = new Set<T>();
  for (const pattern of patterns) {
    const found = meant(items, pattern).filter(({ set }) => !quick || set === 'quick');
    if (found.length === 0)
      throw new Error(`Nothing is called ${pattern}${quick ? ' in the quick set' : ''}.`);
    for (const item of found) chosen.add(item);
  }
  return items.filter((item) => chosen.has(item));
}

function meant<T extends Named>(items: readonly T[], pattern: string): T[] {
  if (pattern === 'all') return [...items];
  const exact = items.filter(({ name }) => name === pattern);
  return exact.length > 0 ? exact : items.filter(({ name }) => containsParts(name, pattern));
}

function containsParts(name: string, pattern: string): boolean {
  const parts = name.split('/');
  let from = 0;
  for (const part of pattern.split('/')) {
    const at = parts.indexOf(part, from);
    if (at < 0) return false;
    from = at + 1;
  }
  return true;
}
