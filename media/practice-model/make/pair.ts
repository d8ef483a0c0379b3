/** One question and its answer, before it becomes a record. */
export interface Pair {
  topic: string;
  language: 'en' | 'zh';
  ask: string;
  answer: string;
}

/** Fills `{name}` places of a template. */
export function fill(template: string, values: Record<string, string>): string {
  return template.replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place);
}

export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** One pair per wording. */
export function pairs(
  topic: string,
  language: Pair['language'],
  wordings: readonly string[],
  answer: string,
  values: Record<string, string> = {},
): Pair[] {
  const filled = fill(answer, values);
  return wordings.map((wording) => ({
    topic,
    language,
    ask: capitalised(fill(wording, values)),
    answer: capitalised(filled),
  }));
}
