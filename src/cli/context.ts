/** What every command is given. */
import type { Command } from 'commander';
import type { Translate } from '../text/translate';
import type { Language } from './language';
import type { Output } from './output';

export interface CommandContext {
  output: Output;
  t: Translate;
  language: Language;
  /** Directory of the installed package. */
  root: string;
  /** Version of the package. */
  version: string;
}

/** A command: what it declares, and what it does. The options have the types their parsers give them. */
export interface CommandEntry<Options> {
  define(program: Command, context: CommandContext): Command;
  /** Resolves to the exit code. The work is imported here, so that `--help` and `lint` load nothing they do not need. */
  run(context: CommandContext, options: Options, operands: string[]): Promise<number>;
}
