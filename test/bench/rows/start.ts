/** From the start of a process to the end of its first training step, and to its first new token. */
import { rmSync, writeFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { BATCHES, SMALL } from '../assets/shapes';
import type { Bench } from '../harness/bench';
import { OURS } from '../harness/compare';
import { jsonRecords } from '../harness/jsonLines';
import { runMeasured } from '../harness/measuredProcess';
import { figure } from '../harness/report';
import { spread } from '../harness/statistics';
import type { Comparison, Study, StudyResult } from '../harness/types';
import { generateOurs, generatePeer, prepareGeneration, type GenerationJob } from './generation';
import { lossTolerance } from './peers';
import { asFirstStep, prepareTraining, trainOurs, trainPeer, type TrainingJob } from './training';

/** Seconds within which the practice model's first step is to be done. */
const PRACTICE_GOAL = 5;

export function startRows(bench: Bench): (Comparison | Study)[] {
  return [firstStep(bench), firstToken(bench), practiceModel(bench)];
}

function firstStep(bench: Bench): Comparison {
  const job: TrainingJob = {
    ...{ sizes: SMALL, shape: BATCHES[0], method: 'lora', checkpointing: false },
    ...{ warmUp: 0, timed: 1 },
  };
  return {
    kind: 'comparison',
    name: 'start/step',
    set: 'default',
    title: 'first LoRA step after process start, f32, small, 4x256 tokens',
    unit: 's',
    better: 'lower',
    tolerance: lossTolerance('float32'),
    variants: [
      {
        name: OURS,
        contender: OURS,
        measure: async () => asFirstStep(await trainOurs(bench, job, 'float32')),
      },
      {
        name: 'PEFT float32',
        contender: 'PEFT',
        measure: async () => asFirstStep(await trainPeer(bench, job, 'float32')),
      },
    ],
    prepare: () => prepareTraining(bench, job),
  };
}

function firstToken(bench: Bench): Comparison {
  const job: GenerationJob = {
    ...{ sizes: SMALL, dtype: 'float32', rows: 1, warmUpTokens: 0 },
    ...{ promptTokens: 256, newTokens: 1 },
  };
  return {
    kind: 'comparison',
    name: 'start/token',
    set: 'default',
    title: 'first new token after process start, f32, small, prompt 256',
    unit: 's',
    better: 'lower',
    tolerance: null,
    variants: [
      { name: OURS, contender: OURS, measure: () => generateOurs(bench, job) },
      {
        name: 'transformers float32',
        contender: 'transformers',
        measure: () => generatePeer(bench, job, 'float32'),
      },
    ],
    prepare: () => prepareGeneration(bench, job),
  };
}

/** transformers cannot load its architecture without foreign code, so the practice model has no peer. */
function practiceModel(bench: Bench): Study {
  const title = 'Practice model: seconds from process start';
  return {
    kind: 'study',
    name: 'start/practice-model',
    set: 'quick',
    title,
    async run(rounds): Promise<StudyResult> {
      const steps: number[] = [];
      const tokens: number[] = [];
      for (let round = 0; round < rounds; round++) {
        steps.push(await practiceStep(bench));
        tokens.push(await practiceToken(bench));
      }
      const rows = [
        ['first training step (the tea-shop sample, tokenised from text)', steps],
        ['first new token', tokens],
      ] as const;
      const reached = spread(steps).median <= PRACTICE_GOAL;
      return {
        ...{ name: 'start/practice-model', title },
        header: ['until', 'min', 'median', 'max'],
        rows: rows.map(([what, values]) => {
          const { min, median, max } = spread(values);
          return [what, figure(min), figure(median), figure(max)];
        }),
        notes: [
          `The goal is a first step within ${PRACTICE_GOAL} s: ${reached ? 'reached' : 'not reached'}.`,
        ],
        data: { steps, tokens },
      };
    },
  };
}

/** The sample's own run file, with nothing but the number of steps changed. */
async function practiceStep(bench: Bench): Promise<number> {
  const directory = bench.freshDirectory();
  try {
    const samples = path.join(bench.root, 'media/samples');
    const run = JSON.parse(readFileSync(path.join(samples, 'tea-shop.glmtune.json'), 'utf8')) as {
      model: string;
      dataset: { train: string; validation: string };
      training: Record<string, unknown>;
    };
    run.model = path.resolve(samples, run.model);
    run.dataset.train = path.resolve(samples, run.dataset.train);
    run.dataset.validation = path.resolve(samples, run.dataset.validation);
    run.training.max_steps = 1;
    const file = path.join(directory, 'tea-shop.glmtune.json');
    writeFileSync(file, JSON.stringify(run));
    const args = ['train', '--json', '--config', file, '--run-dir', path.join(directory, 'run')];
    const { lines } = await runMeasured(process.execPath, [bench.cli, ...args]);
    return jsonRecords(lines).find(({ type }) => type === 'step')?.at ?? NaN;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function practiceToken(bench: Bench): Promise<number> {
  const directory = bench.freshDirectory();
  try {
    const input = path.join(directory, 'question.jsonl');
    writeFileSync(input, `${JSON.stringify({ messages: [{ role: 'user', content: 'Who are you?' }] })}\n`);
    const model = ['--model', path.join(bench.root, 'media/practice-model')];
    const args = ['generate', '--json', ...model, '--input', input, '--greedy', '--max-new-tokens', '1'];
    const { lines } = await runMeasured(process.execPath, [bench.cli, ...args]);
    return jsonRecords(lines)[0]?.at ?? NaN;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
