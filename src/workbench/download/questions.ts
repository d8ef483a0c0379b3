/** The questions of "Download a Model": which source, which repository. */
import type * as vscode from 'vscode';
import { t } from '../../host/translate';
import { inputStep, pickStep, type StepResult } from '../wizard/steps';

export interface WantedModel {
  /** `huggingface`, `modelscope`, or an address. */
  source: string;
  repository: string;
}

const STEPS = 2;
const EXAMPLE = 'THUDM/chatglm3-6b';
/** As `src/hub` has it, which checks again. */
const REPOSITORY = /^[A-Za-z0-9_][\w.-]*(\/[A-Za-z0-9_][\w.-]*)?$/;

interface SourceItem extends vscode.QuickPickItem {
  source: string | null;
}

/**
 * Asks for source and repository.
 * @param mirror address that stands in for Hugging Face, empty where there is none
 * @returns undefined where the user left
 */
export async function askForModel(mirror: string): Promise<WantedModel | undefined> {
  let source: string | undefined;
  for (;;) {
    const chosen = await askSource(mirror, source);
    if (chosen === undefined || chosen === 'back') return undefined;
    source = chosen.value;
    const repository = await askRepository();
    if (repository === undefined) return undefined;
    if (repository !== 'back') return { source, repository: repository.value };
  }
}

async function askSource(mirror: string, before: string | undefined): Promise<StepResult<string>> {
  const items: SourceItem[] = [
    { label: 'Hugging Face', description: mirror || 'huggingface.co', source: 'huggingface' },
    { label: t('ModelScope'), description: 'modelscope.cn', source: 'modelscope' },
    { label: t('Another server like Hugging Face…'), source: null, alwaysShow: true },
  ];
  for (;;) {
    const picked = await pickStep({
      ...place(1),
      placeholder: t('Where to download the model from'),
      items: Promise.resolve(items),
      isActive: (item) => item.source === (before ?? 'huggingface'),
    });
    if (picked === undefined || picked === 'back') return picked;
    if (picked.value.source !== null) return { value: picked.value.source };
    const address = await inputStep({
      ...place(1),
      back: true,
      prompt: t('Address of the server'),
      value: 'https://',
      validate: (value) =>
        /^https?:\/\/[^/\s?#@]+[^\s?#@]*$/.test(value) ? null : t('An http or https address is expected.'),
    });
    if (address !== 'back') return address;
  }
}

function askRepository(): Promise<StepResult<string>> {
  return inputStep({
    ...place(2),
    prompt: t('Owner and name of the repository, such as {example}', { example: EXAMPLE }),
    value: '',
    validate: (value) =>
      REPOSITORY.test(value)
        ? null
        : t('Owner and name are expected, such as {example}.', { example: EXAMPLE }),
  });
}

function place(step: number): { title: string; step: number; totalSteps: number; back: boolean } {
  return { title: t('Download a Model'), step, totalSteps: STEPS, back: step > 1 };
}
