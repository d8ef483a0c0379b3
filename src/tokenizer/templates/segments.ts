import type { DropReason, EncodedSample, RowLayout, TokenRole, TokenRun } from '../types';

/** Label of a token that is not trained. */
export const IGNORED = -100;

/** A stretch of a row: the context before an answer, or an answer. */
export interface Segment {
  ids: number[];
  /** One label per id. */
  labels: number[];
  /** Where the ids come from. May cover more than the ids of a segment that was cut. */
  runs: TokenRun[];
  /** Only an answer may be cut short: at least this many of its tokens must remain. Null: all or nothing. */
  shortest: number | null;
}

/** A conversation without its first `skippedRounds` rounds, as segments. */
export type RenderRounds = (skippedRounds: number) => Segment[];

/** A row of fixed tokens without labels. */
export function contextSegment(ids: number[], runs: TokenRun[]): Segment {
  return { ids, labels: ids.map(() => IGNORED), runs, shortest: null };
}

/** Adds a run, joined to the one before it where both have the same origin. */
export function addRun(runs: TokenRun[], role: TokenRole, message: number | null, length: number): void {
  if (length === 0) return;
  const last = runs.at(-1);
  if (last && last.role === role && last.message === message) last.length += length;
  else runs.push({ role, message, length });
}

/** A layout as arrays for training; a reason passes through. */
export function toSample(
  layout: RowLayout | { dropped: DropReason },
): EncodedSample | { dropped: DropReason } {
  if ('dropped' in layout) return layout;
  const { ids, labels, truncated, contextTurns, paddingBefore } = layout;
  const sample: EncodedSample = {
    inputIds: Int32Array.from(ids),
    labels: Int32Array.from(labels),
    truncated,
    trained: countTrained(labels),
  };
  return { ...sample, ...(contextTurns && { contextTurns }), ...(paddingBefore && { paddingBefore }) };
}

/**
 * Makes one row of a conversation, shortened to `maxLength` if need be; the row always ends with the stop token.
 *
 * First the oldest rounds that are only context are left out, as many as needed. If that is not enough, the end is cut: the
 * first answer that does not fit is shortened and what follows it left out, so that every answer keeps its question.
 * @param rounds number of rounds
 * @param untrained number of leading rounds without a trained answer
 */
export function fitConversation(
  render: RenderRounds,
  rounds: number,
  untrained: number,
  stopId: number,
  maxLength: number,
): RowLayout | { dropped: DropReason } {
  const whole = close(render(0), stopId);
  if (countTrained(whole.labels) === 0) return { dropped: 'noTrainedToken' };
  const length = whole.ids.length;
  if (length <= maxLength) return whole;

  // Rows shrink as rounds go, so the fewest rounds to leave out are found by halving.
  let tooFew = 0;
  let enough = untrained + 1;
  while (enough - tooFew > 1) {
    const middle = (tooFew + enough) >> 1;
    if (close(render(middle), stopId).ids.length <= maxLength) enough = middle;
    else tooFew = middle;
  }
  if (enough <= untrained) {
    const row = close(render(enough), stopId);
    return { ...row, truncated: length - row.ids.length };
  }
  for (let skipped = untrained; skipped < Math.max(rounds, 1); skipped++) {
    const row = cut(render(skipped), stopId, maxLength, length);
    if (row) return row;
  }
  return { dropped: 'tooLong' };
}

/** The longest beginning of the row that fits with a stop token and ends with a trained answer, or null. */
function cut(segments: Segment[], stopId: number, maxLength: number, length: number): RowLayout | null {
  const kept: Segment[] = [];
  let room = maxLength - 1;
  for (const segment of segments) {
    if (segment.ids.length <= room) {
      kept.push(segment);
      room -= segment.ids.length;
      continue;
    }
    if (segment.shortest !== null && room >= segment.shortest) {
      kept.push({ ...segment, ids: segment.ids.slice(0, room), labels: segment.labels.slice(0, room) });
    }
    break;
  }
  while (kept.length > 0 && !endsTrained(kept)) kept.pop();
  if (kept.length === 0) return null;
  const row = close(kept, stopId);
  return { ...row, truncated: length - row.ids.length };
}

/** Joins segments and adds the stop token, which is trained exactly if the token before it is. */
function close(segments: Segment[], stopId: number): RowLayout {
  const ids = segments.flatMap((segment) => segment.ids);
  const labels = segments.flatMap((segment) => segment.labels);
  const runs: TokenRun[] = [];
  for (const segment of segments) {
    let left = segment.ids.length;
    for (const { role, message, length } of segment.runs) {
      addRun(runs, role, message, Math.min(length, left));
      left -= Math.min(length, left);
    }
  }
  ids.push(stopId);
  labels.push(endsTrained(segments) ? stopId : IGNORED);
  addRun(runs, 'control', runs.at(-1)?.message ?? null, 1);
  return { ids, labels, runs, truncated: 0 };
}

/** An answer without a single token still teaches to stop. */
function endsTrained(segments: Segment[]): boolean {
  const last = segments.at(-1);
  if (!last) return false;
  return last.ids.length === 0 ? last.shortest !== null : last.labels.at(-1) !== IGNORED;
}

function countTrained(labels: readonly number[]): number {
  return labels.reduce((count, label) => count + (label === IGNORED ? 0 : 1), 0);
}
