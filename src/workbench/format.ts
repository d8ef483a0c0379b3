/** Numbers and durations in sentences. Pure. */
import type { Translate } from '../text/translate';

/** "45 s", "12 min", "1 h 05 min". @param seconds 0 or more */
export function formatDuration(t: Translate, seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t('{seconds} s', { seconds: whole });
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return t('{minutes} min', { minutes });
  return t('{hours} h {minutes} min', {
    hours: Math.floor(minutes / 60),
    minutes: String(minutes % 60).padStart(2, '0'),
  });
}

/** At most four significant digits; very small and very large values in scientific notation. */
export function formatNumber(value: number | null | undefined, language: string): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-3 || size >= 1e9)) return value.toExponential(2);
  if (size >= 1e4) return Math.round(value).toLocaleString(language);
  return value.toLocaleString(language, { maximumSignificantDigits: 4 });
}

/** "3.1 M": counts of parameters. */
export function formatCount(value: number, language: string): string {
  return value.toLocaleString(language, { notation: 'compact', maximumSignificantDigits: 3 });
}

/** A learning rate as people write it: `2e-5`, `3e-3`, `0.1`. */
export function formatRate(rate: number): string {
  return rate < 0.1 ? rate.toExponential() : String(rate);
}
