/** Numbers as the panel shows them. */

/** Four significant digits; very small and very large values in scientific notation. */
export function formatNumber(value: number | null | undefined, language: string): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-3 || size >= 1e6)) return trimExponent(value.toExponential(2));
  return value.toLocaleString(language, { maximumSignificantDigits: 4 });
}

/** Axis label: as short as the number allows. */
export function formatTick(value: number): string {
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-3 || size >= 1e6)) return trimExponent(value.toExponential(1));
  return String(Number(value.toPrecision(6)));
}

function trimExponent(text: string): string {
  return text.replace(/\.?0*e([+-])/, 'e$1').replace('e+', 'e');
}

/** Puts values into a template's `{name}` places. */
export function fill(template: string, values: Record<string, string>): string {
  return template.replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place);
}
