/** How a step's time grows with tokens, layers and hidden size: linearly in the work, or something is wasted. */
import { loraFlopsPerToken, MODELS, shapeName, type BatchShape, type ModelSizes } from '../assets/shapes';
import type { Bench } from '../harness/bench';
import { figure } from '../harness/report';
import { linearFit, median } from '../harness/statistics';
import type { Study, StudyResult } from '../harness/types';
import { prepareTraining, trainOurs, type TrainingJob } from './training';

const MOST_ROUNDS = 2;

interface Point {
  series: 'tokens' | 'layers' | 'hidden size';
  sizes: ModelSizes;
  shape: BatchShape;
}

const SHAPE: BatchShape = { rows: 4, tokens: 256 };

const POINTS: readonly Point[] = [
  ...[1, 2, 4, 6, 8].map((rows): Point => ({
    ...{ series: 'tokens', sizes: MODELS.small, shape: { rows, tokens: 256 } },
  })),
  ...[2, 4, 8, 12].map((layers): Point => ({
    ...{ series: 'layers', sizes: { ...MODELS.small, num_hidden_layers: layers }, shape: SHAPE },
  })),
  ...[256, 512, 768, 1024].map((hidden): Point => ({
    series: 'hidden size',
    sizes: wide(hidden),
    shape: SHAPE,
  })),
];

function wide(hidden: number): ModelSizes {
  const heads = hidden / MODELS.small.head_dim;
  return { ...MODELS.small, hidden_size: hidden, intermediate_size: 3 * hidden, num_attention_heads: heads };
}

export function growthRows(bench: Bench): Study[] {
  const title = 'Growth of the step time (LoRA f32, 8192 vocabulary)';
  return [
    {
      ...{ kind: 'study', name: 'growth', set: 'default', title },
      async run(rounds, say): Promise<StudyResult> {
        const measured = await measureAll(bench, Math.min(rounds, MOST_ROUNDS), say);
        const fits = (['tokens', 'layers', 'hidden size'] as const).map((series) =>
          fitText(
            series,
            measured.filter((point) => point.series === series),
          ),
        );
        return {
          ...{ name: 'growth', title },
          header: ['varied', 'hidden', 'layers', 'batch', 'TFLOP a step', 's a step', 'GFLOP/s'],
          rows: measured.map(({ series, sizes, shape, flops, seconds }) => [
            ...[series, String(sizes.hidden_size), String(sizes.num_hidden_layers), shapeName(shape)],
            ...[figure(flops / 1e12), figure(seconds), figure(flops / seconds / 1e9)],
          ]),
          notes: [`Lines of time against work: ${[...fits, fitText('all points', measured)].join('; ')}.`],
          data: { points: measured },
        };
      },
    },
  ];
}

interface MeasuredPoint extends Point {
  flops: number;
  seconds: number;
}

/** All points once a round, so that a slow minute of the machine does not fall on one of them alone. */
async function measureAll(
  bench: Bench,
  rounds: number,
  say: (line: string) => void,
): Promise<MeasuredPoint[]> {
  const seconds = POINTS.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, { series, sizes, shape }] of POINTS.entries()) {
      const job: TrainingJob = {
        ...{ sizes, shape, method: 'lora', checkpointing: false },
        ...{ warmUp: 1, timed: 2 },
      };
      await prepareTraining(bench, job);
      const { details } = await trainOurs(bench, job, 'float32');
      const step = details?.secondsPerStep ?? NaN;
      seconds[i].push(step);
      say(`    ${round + 1}/${rounds}  ${series}, ${shapeName(shape)}: ${figure(step)} s`);
    }
  }
  return POINTS.map((point, i) => {
    const { rows, tokens } = point.shape;
    const flops = loraFlopsPerToken(point.sizes, tokens) * rows * tokens;
    return { ...point, flops, seconds: median(seconds[i]) };
  });
}

function fitText(name: string, points: readonly MeasuredPoint[]): string {
  const { r2 } = linearFit(points.map(({ flops, seconds }) => [flops, seconds] as const));
  return `${name} R² ${r2.toFixed(4)}`;
}
