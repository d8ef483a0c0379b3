/** Sentences for lint findings and the titles of their fixes. */
import type { Finding, FormatId, TextFix } from '../dataset/types';
import { fixTitles } from './findings/fixes';
import { recordMessages } from './findings/records';
import { syntaxMessages } from './findings/syntax';
import type { Translate } from './translate';

type Arguments = Finding['args'];
export type MessageTable = Readonly<Record<string, (t: Translate, args: Arguments) => string>>;

const messages: MessageTable = { ...syntaxMessages, ...recordMessages };

/** The sentence of a finding, or of one of its related places, in the language of `t`. */
export function describeFinding(t: Translate, finding: Pick<Finding, 'message' | 'args'>): string {
  return messages[finding.message]?.(t, finding.args) ?? finding.message;
}

/** The title of a fix, as a command. */
export function describeFix(t: Translate, fix: TextFix): string {
  return fixTitles[fix.title]?.(t) ?? fix.title;
}

/** A format as people call it. Names of keys and products stay as they are in every language. */
export function describeFormat(t: Translate, format: FormatId): string {
  switch (format) {
    case 'messages':
      return t('messages (GLM-4, OpenAI)');
    case 'conversations':
      return t('conversations (ChatGLM3)');
    case 'sharegpt':
      return t('ShareGPT');
    case 'alpaca':
      return t('Alpaca');
    case 'prompt-response':
      return t('prompt and response');
    case 'query-response':
      return t('query and response');
    case 'prompt-completion':
      return t('prompt and completion');
    case 'columns':
      return t('two columns');
    case 'text':
      return t('plain text');
    case 'tokens':
      return t('token ids');
  }
}
