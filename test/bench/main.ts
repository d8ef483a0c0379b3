/** Measures the product against PyTorch, transformers and PEFT: npm run bench -- --help */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { Bench } from './harness/bench';
import { compare } from './harness/compare';
import { ensurePython } from './harness/environment';
import { describeMachine, machineLines, type MachineDescription } from './harness/machine';
import { readOptions, USAGE, type BenchOptions } from './harness/options';
import { replaceResults } from './harness/readme';
import { resultLines } from './harness/report';
import { select } from './harness/selection';
import type { ComparisonResult, StudyResult, Work } from './harness/types';
import { allWork } from './rows';

export interface Surroundings {
  /** The project's directory. */
  root: string;
  say: (line?: string) => void;
  /** Builds what is missing of the product, and its engine. */
  build: () => Promise<void>;
}

interface Results {
  machine: MachineDescription;
  rounds: number;
  comparisons: ComparisonResult[];
  studies: StudyResult[];
  /** Work that could not be measured, and why. */
  failures: { name: string; message: string }[];
}

/** Resolves to the exit code: 1 where two sides did not do the same work. */
export async function runBench(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const { root, say, build } = surroundings;
  const options = readOptions(argv);
  if (options.help) {
    say(USAGE);
    return 0;
  }
  if (!options.list && !options.cli) await build();
  const requirements = path.join(root, 'test/bench/requirements.txt');
  const python = options.list ? '' : await ensurePython(root, requirements, say);
  const bench = new Bench(root, python, path.resolve(options.cli ?? path.join(root, 'dist/cli.js')));
  try {
    if (!options.list) await bench.open();
    const all = allWork(bench);
    const listsAll = options.list && !options.quick && options.patterns.length === 0;
    const work = listsAll ? all : select(all, options.patterns, options.quick);
    if (options.list) {
      for (const { name, set, title } of work) say(`${name.padEnd(34)} ${set.padEnd(8)} ${title}`);
      return 0;
    }
    const machine = await describeMachine(root, python, bench.gflops);
    machineLines(machine).forEach((line) => say(line));
    const results = await measure(
      work,
      { machine, rounds: options.rounds, comparisons: [], studies: [], failures: [] },
      {
        ...surroundings,
        options,
      },
    );
    const differs = results.comparisons.some(({ faults }) => faults.length > 0);
    return differs || results.failures.length > 0 ? 1 : 0;
  } finally {
    bench.close();
  }
}

async function measure(
  work: readonly Work[],
  results: Results,
  { root, say, options }: Surroundings & { options: BenchOptions },
): Promise<Results> {
  for (const item of work) {
    say(`\n> ${item.name}: ${item.title}`);
    await measureItem(item, results, say);
    // After every piece of work: what was measured before an interruption stays.
    save(path.resolve(root, options.out), results);
  }
  const lines = resultLines(results.comparisons, results.studies, results.failures);
  say();
  lines.forEach((line) => say(line));
  say(`Results: ${options.out}`);
  if (options.write) await writeReadme(root, results, lines);
  return results;
}

/** What fails is said and does not cost the others their figures. */
async function measureItem(item: Work, results: Results, say: Surroundings['say']): Promise<void> {
  try {
    if (item.kind === 'study') {
      results.studies.push(await item.run(results.rounds, say));
      return;
    }
    await item.prepare();
    results.comparisons.push(await compare(item, results.rounds, say));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    results.failures.push({ name: item.name, message });
    say(`    failed: ${message}`);
  }
}

function save(file: string, results: Results): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
}

async function writeReadme(root: string, { machine, rounds }: Results, lines: string[]): Promise<void> {
  const file = path.join(root, 'test/bench/README.md');
  const heading = [`Measured on ${machine.date}, ${rounds} rounds.`, '', ...machineLines(machine), ''];
  const text = replaceResults(readFileSync(file, 'utf8'), [...heading, ...lines]);
  writeFileSync(file, await format(text, { ...(await resolveConfig(file)), parser: 'markdown' }));
}
