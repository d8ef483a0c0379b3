/** Questions asked of the finished model: trained ones of every topic, and known facts in wordings it has not seen. */
import type { Corpus } from './corpus';
import type { Pair } from './pair';
import { Random } from './random';

const PER_TOPIC_AND_LANGUAGE = 24;
const HELD_OUT = 100;

/** Asked every time, whatever the draw. */
const ALWAYS = [
  'Hello',
  '你好',
  'Who are you?',
  '你是谁？',
  'What is your name?',
  '你叫什么名字？',
  'Thank you!',
  '谢谢！',
];

export interface Probe extends Pair {
  group: 'trained' | 'held out';
}

export function drawProbes(corpus: Corpus, seed: number): Probe[] {
  const random = new Random(seed);
  const topics = new Map<string, Pair[]>();
  for (const pair of corpus.trained) {
    const key = `${pair.topic} ${pair.language}`;
    topics.set(key, [...(topics.get(key) ?? []), pair]);
  }
  const drawn = [...topics.values()].flatMap((pairs) =>
    random.shuffled(pairs).slice(0, PER_TOPIC_AND_LANGUAGE),
  );
  const always = corpus.trained.filter(({ ask }) => ALWAYS.includes(ask));
  const heldOut = random.shuffled(corpus.heldOut).slice(0, HELD_OUT);
  return [
    ...[...new Set([...always, ...drawn])].map((pair) => ({ ...pair, group: 'trained' as const })),
    ...heldOut.map((pair) => ({ ...pair, group: 'held out' as const })),
  ];
}

export interface Score {
  right: number;
  asked: number;
}

/** Counts exact answers per group, and per topic of the trained group. */
export function tally(probes: readonly Probe[], answers: readonly string[]): Map<string, Score> {
  const scores = new Map<string, Score>();
  probes.forEach((probe, index) => {
    const right = answers[index] === probe.answer;
    const keys = probe.group === 'trained' ? ['trained', `${probe.topic} ${probe.language}`] : ['held out'];
    for (const key of keys) {
      const score = scores.get(key) ?? { right: 0, asked: 0 };
      scores.set(key, { right: score.right + Number(right), asked: score.asked + 1 });
    }
  });
  return scores;
}
