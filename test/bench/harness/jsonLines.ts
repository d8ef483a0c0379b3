/** Programs' output, one JSON object a line. */
import type { Line } from './measuredProcess';

export interface JsonRecord extends Record<string, unknown> {
  /** Seconds from the start of the process to this line. */
  at: number;
}

/** The lines that are JSON objects. */
export function jsonRecords(lines: readonly Line[]): JsonRecord[] {
  return lines.map(jsonRecord).filter((record) => record !== null);
}

/** Null for a line that is something else. */
export function jsonRecord({ text, at }: Line): JsonRecord | null {
  if (!text.startsWith('{')) return null;
  try {
    return { ...(JSON.parse(text) as Record<string, unknown>), at };
  } catch {
    return null;
  }
}
