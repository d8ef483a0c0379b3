import * as vscode from 'vscode';
import { t } from '../../host/translate';
import type { ChatStrings } from '../../protocol/webview';

export function chatStrings(): ChatStrings {
  return {
    language: vscode.env.language,
    model: t('Model'),
    noModels: t('No model found'),
    placeholder: t('Message (Enter sends, Shift+Enter breaks the line)'),
    send: t('Send'),
    stop: t('Stop'),
    you: t('You'),
    assistant: t('Model'),
    emptyTitle: t('Ask the model something'),
    emptyHint: t('Choose a base model or one of your runs above, and compare their answers.'),
    sampling: t('Sampling'),
    installEngine: t('Install Engine'),
    greedy: t('Greedy: always the most likely token'),
    fields: {
      temperature: {
        label: t('Temperature'),
        hint: t('Higher is more varied, lower is more certain. 0.01 to 2.'),
      },
      top_p: {
        label: 'Top-p',
        hint: t('Only the most likely tokens that together reach this share. 0.01 to 1.'),
      },
      top_k: { label: 'Top-k', hint: t('Only this many of the most likely tokens. 0: no limit.') },
      repetition_penalty: {
        label: t('Repetition'),
        hint: t('Above 1 makes tokens that were used already less likely.'),
      },
      max_new_tokens: { label: t('Longest answer'), hint: t('In tokens.') },
      seed: { label: t('Seed'), hint: t('The same seed gives the same answer.') },
    },
  };
}
