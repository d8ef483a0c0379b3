/** The command line of `npm run bench`. */
import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Names or parts of names; none: the default set. */
  patterns: string[];
  rounds: number;
  quick: boolean;
  list: boolean;
  help: boolean;
  /** File for the results as JSON. */
  out: string;
  /** Whether the README's results are replaced. */
  write: boolean;
  /** The product's command line, where it is not to be built. */
  cli: string | null;
}

export const USAGE = `npm run bench -- [options] [work ...]

  work            such as lora, lora/small/bf16, decode/f32, or all; without: the default set (--list shows it)
  --rounds N      rounds, every side in a fresh process in each (default 5; --quick 2)
  --quick         two rounds of what takes seconds, for a developer
  --list          show all work and stop
  --out FILE      results as JSON (default out/bench/results.json)
  --write         put the results into test/bench/README.md
  --cli FILE      measure this build's cli.js instead of building dist/`;

/** Throws an error whose message is for the user. */
export function readOptions(argv: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      out: { type: 'string', default: 'out/bench/results.json' },
      write: { type: 'boolean', default: false },
      cli: { type: 'string' },
    },
  });
  const rounds = Number(values.rounds ?? (values.quick ? 2 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds must be a whole number above 0');
  return { ...values, patterns: positionals, rounds, cli: values.cli ?? null };
}
