/** Looking into parsed JSON of unknown shape. */

export type Fields = Readonly<Record<string, unknown>>;

export function asObject(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

export function asArray(value: unknown): readonly unknown[] | null {
  return Array.isArray(value) ? value : null;
}
