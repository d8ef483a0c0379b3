/** Asks the finished model and counts its right answers. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runCli } from './cli';
import type { Corpus } from './corpus';
import { drawProbes, tally, type Score } from './probes';
import { SEED, WORK } from './settings';

const LONGEST_ANSWER = 64;

export interface CheckResult {
  trained: Score;
  heldOut: Score;
  /** Every probe that was answered otherwise. */
  wrong: { ask: string; expected: string; answer: string; group: string }[];
  byTopic: [topic: string, score: Score][];
}

export function checkModel(model: string, corpus: Corpus): CheckResult {
  const probes = drawProbes(corpus, SEED);
  const input = path.join(WORK, 'probes.jsonl');
  const output = path.join(WORK, 'answers.jsonl');
  writeFileSync(
    input,
    probes.map(({ ask }) => `${JSON.stringify({ messages: [{ role: 'user', content: ask }] })}\n`).join(''),
  );
  const limit = `${LONGEST_ANSWER}`;
  runCli([
    'generate',
    '--model',
    model,
    '--input',
    input,
    '--output',
    output,
    '--max-new-tokens',
    limit,
    '--greedy',
  ]);
  const answers = readFileSync(output, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { text: string }).text);
  if (answers.length !== probes.length)
    throw new Error(`${answers.length} answers to ${probes.length} probes`);
  const scores = tally(probes, answers);
  const none = { right: 0, asked: 0 };
  return {
    trained: scores.get('trained') ?? none,
    heldOut: scores.get('held out') ?? none,
    byTopic: [...scores].filter(([key]) => key !== 'trained' && key !== 'held out'),
    wrong: probes
      .map(({ ask, answer, group }, index) => ({
        ask,
        expected: answer,
        answer: answers[index] ?? '',
        group,
      }))
      .filter(({ expected, answer }) => expected !== answer),
  };
}
