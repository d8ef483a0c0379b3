/** The methods as the wizard shows them: a name, the learning rate it will write, and one honest sentence. */
import type * as vscode from 'vscode';
import { formatRate } from '../format';
import { methodName } from '../../text/methods';
import type { Translate } from '../../text/translate';
import { recipe, type WizardMethod } from '../runFile/methods';

export type MethodItem = vscode.QuickPickItem & { method: WizardMethod };

export function methodItem(t: Translate, method: WizardMethod, practice: boolean): MethodItem {
  const rate = t('learning rate {rate}', { rate: formatRate(recipe(method, practice).learningRate) });
  return {
    label: label(t, method),
    description: method === 'lora' ? `${t('recommended')} · ${rate}` : rate,
    detail: sentence(t, method),
    method,
  };
}

function label(t: Translate, method: WizardMethod): string {
  if (method === 'full') return t('Full fine-tuning');
  return method === 'qlora' ? methodName(t, 'lora', true) : methodName(t, method);
}

function sentence(t: Translate, method: WizardMethod): string {
  switch (method) {
    case 'lora':
      return t('Trains a small adapter beside the frozen model: little memory, a result of a few MB.');
    case 'qlora':
      return t('LoRA over weights kept in 4 bits: the least memory, slower and slightly less exact.');
    case 'ptuning_v2':
      return t('Trains a prefix that every layer reads first: tiny results, learns less than LoRA.');
    case 'full':
      return t('Trains every weight: about four times the memory, the result is a whole model.');
  }
}
