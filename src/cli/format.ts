/** Numbers as people read them. */

/** Seconds as `1:02:03` or `2:03`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const [hours, minutes, rest] = parts as [number, number, number];
  const tail = `${String(rest).padStart(2, '0')}`;
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`;
}

/** Bytes as `12.3 MB` (powers of 1000, as downloads are counted). */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`;
}

/** A loss with four digits behind the point; `NaN` and `Infinity` as they are. */
export function formatLoss(loss: number | null): string {
  return loss === null || !Number.isFinite(loss) ? String(loss ?? NaN) : loss.toFixed(4);
}

/** A learning rate as `1.00e-4`. */
export function formatRate(rate: number): string {
  return rate === 0 ? '0' : rate.toExponential(2);
}

/** A whole number with its thousands marked: `1,949,696`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** A share of one as `0.0312 %`, three digits that count. */
export function formatPercent(share: number): string {
  const percent = 100 * share;
  return `${percent >= 100 ? percent.toFixed(0) : percent.toPrecision(3)} %`;
}
