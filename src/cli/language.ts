/** The language of the command line: English, or Simplified Chinese. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import * as l10n from '@vscode/l10n';
import type { Translate } from '../text/translate';

export type Language = 'en' | 'zh-cn';

/** `zh_CN.UTF-8`, `zh-Hans`, `zh` -> `zh-cn`; anything else is English. */
export function parseLanguage(locale: string): Language {
  return /^zh(?![a-z])/i.test(locale.trim()) ? 'zh-cn' : 'en';
}

/**
 * The first of `--lang`, GLMTUNE_LANG, LC_ALL, LANG that is set.
 * @param argv arguments after the program name; read before commander, so that its own help is translated too
 */
export function chooseLanguage(argv: readonly string[], environment: NodeJS.ProcessEnv): Language {
  const candidates = [languageOption(argv), environment.GLMTUNE_LANG, environment.LC_ALL, environment.LANG];
  return parseLanguage(candidates.find((candidate) => candidate) ?? 'en');
}

function languageOption(argv: readonly string[]): string | undefined {
  for (const [index, argument] of argv.entries()) {
    if (argument === '--') return undefined;
    if (argument === '--lang') return argv[index + 1];
    if (argument.startsWith('--lang=')) return argument.slice('--lang='.length);
  }
  return undefined;
}

/** The translate function for `language`; sentences without a translation stay English. */
export function loadTranslations(language: Language, root: string): Translate {
  const bundle = path.join(root, 'l10n', `bundle.l10n.${language}.json`);
  if (language === 'en' || !existsSync(bundle)) l10n.config({ contents: '{}' });
  else l10n.config({ fsPath: bundle });
  return (message, args) => l10n.t(message, args ?? {});
}

/** Directory of the installed package: the nearest one above the program that has a package.json. */
export function packageRoot(from: string): string {
  for (let directory = from; ; directory = path.dirname(directory)) {
    if (existsSync(path.join(directory, 'package.json'))) return directory;
    if (path.dirname(directory) === directory) return from;
  }
}
