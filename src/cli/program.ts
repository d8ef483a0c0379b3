/** The command line as a whole: commands, help, errors, exit codes. */
import { Command, CommanderError, type Help, type Option } from 'commander';
import { isGlmError, toErrorData } from '../protocol/errors';
import { describeThrown } from '../text/errors';
import { chatCommand } from './commands/chat';
import { checkModelCommand } from './commands/checkModel';
import { convertAdapterCommand } from './commands/convertAdapter';
import { countCommand } from './commands/count';
import { doctorCommand } from './commands/doctor';
import { downloadCommand } from './commands/download';
import { generateCommand } from './commands/generate';
import { installEngineCommand } from './commands/installEngine';
import { labelsCommand } from './commands/labels';
import { lintCommand } from './commands/lint';
import { planCommand } from './commands/plan';
import { profileCommand } from './commands/profile';
import { resumeCommand } from './commands/resume';
import { schemaCommand } from './commands/schema';
import { scoreCommand } from './commands/score';
import { trainCommand } from './commands/train';
import type { CommandContext, CommandEntry } from './context';
import { EXIT_FAILURE, EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, InterruptedError, UsageError } from './exit';
import { addCommonOptions } from './options';
import { describeUsageError } from './usage';

/**
 * Runs the command line and resolves to its exit code. Never throws.
 * @param argv arguments after the program name
 */
export async function runProgram(context: CommandContext, argv: readonly string[]): Promise<number> {
  let exitCode = EXIT_OK;
  const program = createProgram(context, (code) => (exitCode = code));
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    return report(context, program, error);
  }
}

function createProgram(context: CommandContext, finish: (code: number) => void): Command {
  const { t } = context;
  const program = new Command('chatglm-finetune')
    .description(t('Fine-tune ChatGLM models on your own data.'))
    .version(context.version, '-V, --version', t('show the version'))
    .helpCommand('help [command]', t('show the help of a command'));
  addCommonOptions(program, t);
  quiet(program, context);
  const add = <Options>(entry: CommandEntry<Options>): void => {
    const command = entry.define(program, context);
    addCommonOptions(command, t);
    quiet(command, context);
    command.action(async () =>
      finish(await entry.run(context, command.opts<Options & object>(), command.args)),
    );
  };
  add(lintCommand);
  add(labelsCommand);
  add(planCommand);
  add(profileCommand);
  add(trainCommand);
  add(resumeCommand);
  add(chatCommand);
  add(generateCommand);
  add(scoreCommand);
  add(downloadCommand);
  add(checkModelCommand);
  add(countCommand);
  add(convertAdapterCommand);
  add(doctorCommand);
  add(installEngineCommand);
  add(schemaCommand);
  return program;
}

/** Errors are thrown and reported by us, in the user's language; help goes through `Output`. */
function quiet(command: Command, { output, t }: CommandContext): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => output.raw(text),
    writeErr: (text) => output.info(text.trimEnd()),
    outputError: () => undefined,
    getOutHasColors: () => false,
    getErrHasColors: () => false,
  });
  command.configureHelp({
    styleTitle: (title: string) => t(title),
    optionDescription(this: Help, option: Option) {
      const notes: string[] = [];
      if (option.argChoices) notes.push(t('one of {values}', { values: option.argChoices.join(', ') }));
      if (option.defaultValue !== undefined && option.defaultValue !== false)
        notes.push(t('default: {value}', { value: String(option.defaultValue) }));
      return notes.length > 0 ? `${option.description} (${notes.join('; ')})` : option.description;
    },
  });
}

/** Says what went wrong and returns the exit code. */
function report(context: CommandContext, program: Command, error: unknown): number {
  const { output, t } = context;
  if (error instanceof CommanderError) {
    // Help and version were asked for and have been written.
    if (error.exitCode === 0) return EXIT_OK;
    if (error.code === 'commander.help') return EXIT_USAGE;
    return usage(context, program, describeUsageError(t, error));
  }
  if (error instanceof UsageError) return usage(context, program, error.message);
  if (error instanceof InterruptedError) {
    output.info(t('Interrupted.'));
    return EXIT_INTERRUPTED;
  }
  const text = describeThrown(t, error);
  output.error(t('Error:'), text);
  if (output.json) output.record({ error: { ...toErrorData(error), ...text } });
  if (!isGlmError(error) && process.env.GLMTUNE_DEBUG && error instanceof Error)
    output.warning('stack', error.stack ?? '');
  return EXIT_FAILURE;
}

function usage({ output, t }: CommandContext, program: Command, message: string): number {
  output.error(t('Error:'), {
    message,
    remedy: t('See {command} --help.', { command: program.name() }),
  });
  return EXIT_USAGE;
}
