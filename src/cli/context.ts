/** What every command is given. */
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

/** Runs a command and resolves to its exit code. `arguments_` are the operands, `options` what the command declared. */
export type CommandAction<Options> = (
  context: CommandContext,
  options: Options,
  operands: string[],
) => Promise<number>;
