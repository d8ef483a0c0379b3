/** commander's complaints in the user's language. */
import type { CommanderError } from 'commander';
import type { Translate } from '../text/translate';

/** Its messages name the culprit in quotes; anything unknown is passed on as it is. */
export function describeUsageError(t: Translate, error: CommanderError): string {
  const original = error.message.replace(/^error: /, '');
  const [name = '', value = ''] = [...original.matchAll(/'([^']*)'/g)].map((match) => match[1] ?? '');
  const suggestion = /Did you mean (?:one of )?([^?]+)\?/.exec(original)?.[1];
  const hint = suggestion ? ` ${t('Did you mean {suggestion}?', { suggestion })}` : '';
  switch (error.code) {
    case 'commander.unknownOption':
      return t('There is no option {option}.', { option: name }) + hint;
    case 'commander.unknownCommand':
      return t('There is no command {command}.', { command: name }) + hint;
    case 'commander.missingArgument':
      return t('The argument {argument} is missing.', { argument: name });
    case 'commander.optionMissingArgument':
      return t('The option {option} needs a value.', { option: name });
    case 'commander.missingMandatoryOptionValue':
      return t('The option {option} is missing.', { option: name });
    case 'commander.excessArguments':
      return t('There are too many arguments.');
    case 'commander.invalidArgument':
      return t('{option}: {value} is not allowed. {reason}', {
        option: name,
        value,
        reason: invalidReason(t, original),
      });
    default:
      return original;
  }
}

/** What follows "is invalid.": our own sentence, or commander's list of choices. */
function invalidReason(t: Translate, original: string): string {
  const reason = /is invalid\. ?(.*)$/s.exec(original)?.[1] ?? '';
  const choices = /^Allowed choices are (.*)\.$/.exec(reason)?.[1];
  return choices ? t('Allowed are: {values}', { values: choices }) : reason;
}
