/** The corpus of the practice model, expanded from the tables in `corpus/`. The same seed gives the same bytes. */
import type { Pair } from './pair';
import { Random } from './random';
import type { Turn } from './topics/dialogues';
import { followUpDialogues, systemDialogues, turns, twoTurnDialogues } from './topics/dialogues';
import { handwrittenPairs } from './topics/handwritten';
import {
  animalPairs,
  capitalPairs,
  colorPairs,
  definitionPairs,
  oppositePairs,
  truthPairs,
} from './topics/knowledge';
import { calendarPairs, countingPairs, sumPairs } from './topics/numbers';
import { repeatPairs, translationPairs } from './topics/words';

const REPEATS = 160;
const WITH_SYSTEM_TURN = 160;
const TWO_TURNS = 240;

export interface Corpus {
  records: Turn[][];
  /** Single questions that `records` holds as they stand. */
  trained: Pair[];
  /** Known facts in wordings that are not in `records`. */
  heldOut: Pair[];
}

/** Throws if one question has two answers: the model could not learn it. */
export function assertOneAnswerEach(pairs: readonly Pair[]): void {
  const answers = new Map<string, string>();
  for (const { ask, answer } of pairs) {
    const known = answers.get(ask);
    if (known !== undefined && known !== answer)
      throw new Error(`Two answers to "${ask}": "${known}", "${answer}"`);
    answers.set(ask, answer);
  }
}

function unique(pairs: readonly Pair[]): Pair[] {
  return [...new Map(pairs.map((pair) => [pair.ask, pair])).values()];
}

export function expandCorpus(seed: number): Corpus {
  const random = new Random(seed);
  const translations = translationPairs(random);
  const all = [
    ...handwrittenPairs(),
    ...translations.train,
    ...capitalPairs(),
    ...oppositePairs(),
    ...colorPairs(),
    ...animalPairs(),
    ...definitionPairs(),
    ...truthPairs(),
    ...sumPairs(),
    ...countingPairs(),
    ...calendarPairs(),
    ...repeatPairs(REPEATS, random),
  ];
  assertOneAnswerEach([...all, ...translations.heldOut]);
  const trained = unique(all);
  const drawn = [
    ...trained.map(turns),
    ...systemDialogues(trained, WITH_SYSTEM_TURN, random),
    ...twoTurnDialogues(trained, TWO_TURNS, random),
    ...followUpDialogues(random),
  ];
  const records = [...new Map(drawn.map((record) => [JSON.stringify(record), record])).values()];
  return { records: random.shuffled(records), trained, heldOut: translations.heldOut };
}

/** One JSON object a line, in the `conversations` format. */
export function corpusJsonl(corpus: Corpus): string {
  return corpus.records.map((conversations) => `${JSON.stringify({ conversations })}\n`).join('');
}
