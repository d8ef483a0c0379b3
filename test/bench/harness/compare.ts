/** Runs the variants of a comparison in turn, round after round. */
import { largestDifference, median, ratios, spread } from './statistics';
import type { Comparison, ComparisonResult, ContenderResult, Measurement, Variant } from './types';

export const OURS = 'ours';

/** A variant this much slower than its contender's fastest in the first round is not measured again. */
const STILL_CLOSE = 1.15;

type Outcomes = Map<Variant, Map<number, Measurement>>;

/**
 * Every variant once in the first round, then ours and what is fastest of each contender; every other round goes backwards, so that
 * nobody always comes second. A variant that fails leaves the comparison with a note, ours ends it with its error.
 */
export async function compare(
  work: Comparison,
  rounds: number,
  say: (line: string) => void,
): Promise<ComparisonResult> {
  const outcomes: Outcomes = new Map();
  const notes: string[] = [];
  let running = [...work.variants];
  for (let round = 0; round < rounds; round++) {
    const due = running.filter(({ mostRounds = Infinity }) => round < mostRounds);
    for (const variant of round % 2 === 0 ? due : due.toReversed()) {
      const measured = await attempt(variant, notes);
      if (!measured) {
        running = running.filter((other) => other !== variant);
        outcomes.delete(variant);
        continue;
      }
      say(`    ${round + 1}/${rounds}  ${describe(variant, measured, work.unit)}`);
      if (!outcomes.has(variant)) outcomes.set(variant, new Map());
      outcomes.get(variant)?.set(round, measured);
    }
    if (round === 0) running = stillClose(running, outcomes, work, notes);
  }
  return conclude(work, outcomes, notes);
}

async function attempt(variant: Variant, notes: string[]): Promise<Measurement | null> {
  try {
    return await variant.measure();
  } catch (error) {
    if (variant.contender === OURS || !(error instanceof Error)) throw error;
    notes.push(`${variant.name}: ${error.message}`);
    return null;
  }
}

function describe({ name }: Variant, { value, peak }: Measurement, unit: string): string {
  return `${name.padEnd(24)} ${value.toPrecision(4).padStart(8)} ${unit}, ${Math.round(peak / 1e6)} MB`;
}

/** How many times longer than the best of them the work takes in a variant. */
function slowness(value: number, best: number, better: Comparison['better']): number {
  return better === 'higher' ? best / value : value / best;
}

function bestOf(values: readonly number[], better: Comparison['better']): number {
  return better === 'higher' ? Math.max(...values) : Math.min(...values);
}

function stillClose(
  running: readonly Variant[],
  outcomes: Outcomes,
  { better, unit }: Comparison,
  notes: string[],
): Variant[] {
  const first = (variant: Variant): number => outcomes.get(variant)?.get(0)?.value ?? NaN;
  return running.filter((variant) => {
    const rivals = running.filter(({ contender }) => contender === variant.contender);
    const best = bestOf(rivals.map(first), better);
    if (slowness(first(variant), best, better) <= STILL_CLOSE) return true;
    notes.push(
      `${variant.name}: ${first(variant).toPrecision(3)} ${unit} in the first round, not measured again`,
    );
    return false;
  });
}

function conclude(work: Comparison, outcomes: Outcomes, notes: string[]): ComparisonResult {
  const contenders = [...new Set(work.variants.map(({ contender }) => contender))];
  const fastest = contenders.flatMap((contender) => fastestOf(contender, outcomes, work.better) ?? []);
  const ours = fastest.find(({ contender }) => contender === OURS);
  if (!ours) throw new Error(`${work.name}: nothing of ours was measured`);
  const first = new Map([...outcomes].map(([{ name }, rounds]) => [name, firstOf(rounds)]));
  const lossDifference = lossDifferences(work, outcomes, firstOf(outcomes.get(ours)!));
  const wrongLosses = Object.entries(lossDifference)
    .filter(([, difference]) => difference > (work.tolerance ?? Infinity))
    .map(
      ([name, difference]) =>
        `losses of ${name} differ from ours by ${difference.toExponential(1)}, allowed is ${work.tolerance}`,
    );
  return {
    name: work.name,
    title: work.title,
    unit: work.unit,
    better: work.better,
    contenders: fastest.map((variant) => contenderResult(variant, ours, outcomes, work.goals)),
    lossDifference,
    faults: [...wrongLosses, ...(work.faults?.(first) ?? [])],
    notes: [...notes, ...(work.remarks?.(first) ?? [])],
  };
}

function firstOf(rounds: ReadonlyMap<number, Measurement>): Measurement {
  return [...rounds.values()][0];
}

/** The contender's variant with the best median; only those that ran as often as the most measured one take part. */
function fastestOf(contender: string, outcomes: Outcomes, better: Comparison['better']): Variant | null {
  const own = [...outcomes].filter(([variant]) => variant.contender === contender);
  const most = Math.max(...own.map(([, rounds]) => rounds.size));
  const medians = own
    .filter(([, rounds]) => rounds.size === most)
    .map(([variant, rounds]) => ({ variant, value: median([...rounds.values()].map(({ value }) => value)) }));
  const best = bestOf(
    medians.map(({ value }) => value),
    better,
  );
  return medians.find(({ value }) => value === best)?.variant ?? null;
}

function contenderResult(
  variant: Variant,
  ours: Variant,
  outcomes: Outcomes,
  goals: Comparison['goals'] = {},
): ContenderResult {
  const pick = (of: Variant, key: 'value' | 'peak'): Map<number, number> =>
    new Map([...outcomes.get(of)!].map(([round, measured]) => [round, measured[key]]));
  const ratio = (key: 'value' | 'peak') =>
    variant === ours ? null : spread(ratios(pick(ours, key), pick(variant, key)));
  return {
    contender: variant.contender,
    variant: variant.name,
    values: [...pick(variant, 'value').values()],
    peaks: [...pick(variant, 'peak').values()],
    goal: goals[variant.contender] ?? null,
    valueRatio: ratio('value'),
    peakRatio: ratio('peak'),
  };
}

function lossDifferences(
  { tolerance }: Comparison,
  outcomes: Outcomes,
  ours: Measurement,
): Record<string, number> {
  if (tolerance === null) return {};
  const others = [...outcomes].filter(
    ([{ contender, sameLosses = true }]) => contender !== OURS && sameLosses,
  );
  return Object.fromEntries(
    others.map(([{ name }, rounds]) => [
      name,
      largestDifference(ours.losses ?? [], firstOf(rounds).losses ?? []),
    ]),
  );
}
