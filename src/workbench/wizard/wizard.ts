/** "Fine-tune ChatGLM": model, dataset, method, name; then a run file, opened for the user to look over. */
import { access, readdir } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { RUN_FILE_SUFFIX } from '../../host/names';
import type { Services } from '../../host/services';
import { t } from '../../host/translate';
import { diskPath } from '../../host/trust';
import { directoryName } from '../../protocol/runDirectory';
import { errorText } from '../../host/failures';
import { toErrorData } from '../../protocol/errors';
import { formatCount } from '../format';
import { readModelDirectory, type ModelDirectory } from '../modelDirectory';
import { findModels } from '../models';
import {
  buildRunFile,
  proposedName,
  runFileText,
  validationSibling,
  type WizardAnswers,
} from '../runFile/builder';
import { methodsFor, type WizardMethod } from '../runFile/methods';
import { countLines } from './countLines';
import { methodItem, type MethodItem } from './methodItems';
import { inputStep, pickStep, type StepResult } from './steps';

const STEPS = 4;
const EXCLUDE = '**/{node_modules,.git,runs}/**';
const MAX_DATASETS = 500;

interface Choices {
  model?: ModelDirectory;
  dataset?: string;
  method?: WizardMethod;
  name?: string;
}

type Step = (choices: Choices) => Promise<StepResult<Choices>>;

export class FineTuneWizard {
  constructor(private readonly services: Services) {}

  /** @param dataset the file the command was called on; its step is then answered already */
  async run(dataset: vscode.Uri | undefined): Promise<void> {
    const given = dataset ?? activeDataset();
    let choices: Choices = given ? { dataset: diskPath(given) } : {};
    const steps: Step[] = [
      (so) => this.chooseModel(so),
      (so) => this.chooseDataset(so),
      (so) => this.chooseMethod(so),
      (so) => this.chooseName(so),
    ];
    for (let at = 0; at < steps.length;) {
      const result = await steps[at]?.(choices);
      if (result === undefined) return;
      if (result === 'back') {
        at -= 1;
      } else {
        choices = result.value;
        at += 1;
      }
    }
    await this.write(choices);
  }

  private place(step: number): { title: string; step: number; totalSteps: number; back: boolean } {
    return { title: t('Fine-tune ChatGLM'), step, totalSteps: STEPS, back: step > 1 };
  }

  private async chooseModel(choices: Choices): Promise<StepResult<Choices>> {
    type Item = vscode.QuickPickItem & { model?: ModelDirectory; browse?: boolean };
    const items = findModels(this.services.context.extensionUri).then((models): Item[] => [
      ...models.map(modelItem),
      {
        label: t('Browse…'),
        iconPath: new vscode.ThemeIcon('folder-opened'),
        browse: true,
        alwaysShow: true,
      },
    ]);
    const result = await pickStep<Item>({
      ...this.place(1),
      placeholder: t('Model to fine-tune'),
      items,
      isActive: (item) => item.model !== undefined && item.model.path === choices.model?.path,
    });
    if (result === undefined || result === 'back') return result;
    const model = result.value.browse ? await browseModel() : result.value.model;
    return model ? { value: { ...choices, model } } : this.chooseModel(choices);
  }

  private async chooseDataset(choices: Choices): Promise<StepResult<Choices>> {
    type Item = vscode.QuickPickItem & { file?: string; browse?: boolean };
    const items = findDatasets(choices.dataset).then((files): Item[] => [
      ...files.map((file) => datasetItem(file)),
      {
        label: t('Browse…'),
        iconPath: new vscode.ThemeIcon('folder-opened'),
        browse: true,
        alwaysShow: true,
      },
    ]);
    const result = await pickStep<Item>({
      ...this.place(2),
      placeholder: t('Dataset to train on'),
      items,
      isActive: (item) => item.file !== undefined && item.file === choices.dataset,
    });
    if (result === undefined || result === 'back') return result;
    const dataset = result.value.browse ? await browseDataset() : result.value.file;
    return dataset ? { value: { ...choices, dataset } } : this.chooseDataset(choices);
  }

  private async chooseMethod(choices: Choices): Promise<StepResult<Choices>> {
    const { model } = choices;
    if (!model) return undefined;
    const offered = methodsFor(model);
    // A method chosen for another model may not be there for this one.
    const chosen = offered.find((method) => method === choices.method) ?? 'lora';
    const result = await pickStep<MethodItem>({
      ...this.place(3),
      placeholder: t('How to train'),
      items: Promise.resolve(offered.map((method) => methodItem(t, method, model.practice))),
      isActive: (item) => item.method === chosen,
    });
    return typeof result === 'object' ? { value: { ...choices, method: result.value.method } } : result;
  }

  private async chooseName(choices: Choices): Promise<StepResult<Choices>> {
    const dataset = choices.dataset ?? '';
    const proposal = choices.name ?? (await freeName(path.dirname(dataset), proposedName(dataset)));
    const result = await inputStep({
      ...this.place(4),
      prompt: t('Name of the run, and of its run file'),
      value: proposal,
      validate: (value) => {
        if (value === '') return t('Give the run a name.');
        if (value.length > 100) return t('A name has at most 100 characters.');
        return directoryName(value) === value ? null : t('A name cannot contain \\ / : * ? " < > |');
      },
    });
    return typeof result === 'object' ? { value: { ...choices, name: result.value } } : result;
  }

  private async write({ model, dataset, method, name }: Choices): Promise<void> {
    if (!model || !dataset || !method || !name) return;
    const directory = path.dirname(dataset);
    const siblings = await readdir(directory);
    const validation = validationSibling(dataset, siblings);
    const answers: WizardAnswers = {
      name,
      model: model.path,
      dataset,
      validation: validation === null ? null : path.join(directory, validation),
      method,
      rows: await countLines(dataset),
      parameters: model.parameters,
      practice: model.practice,
    };
    const uri = vscode.Uri.file(path.join(directory, `${name}${RUN_FILE_SUFFIX}`));
    if (!(await mayReplace(uri))) return;
    const text = runFileText(buildRunFile(answers, directory));
    await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(text));
    await vscode.window.showTextDocument(uri, { preview: false });
  }
}

function activeDataset(): vscode.Uri | undefined {
  const document = vscode.window.activeTextEditor?.document;
  return document?.languageId === 'jsonl' && document.uri.scheme === 'file' ? document.uri : undefined;
}

function modelItem(model: ModelDirectory): vscode.QuickPickItem & { model: ModelDirectory } {
  const size = t('{count} parameters', { count: formatCount(model.parameters, vscode.env.language) });
  const stored = model.quantizationBit > 0 ? [`int${model.quantizationBit}`] : [];
  return {
    label: model.name,
    description: [model.family, size, ...stored].join(' · '),
    detail: model.practice ? t('practice model, a few MB') : vscode.workspace.asRelativePath(model.path),
    iconPath: new vscode.ThemeIcon('symbol-misc'),
    model,
  };
}

function datasetItem(file: string): vscode.QuickPickItem & { file: string } {
  const folder = path.dirname(vscode.workspace.asRelativePath(file));
  return {
    label: path.basename(file),
    description: folder === '.' ? '' : folder,
    iconPath: new vscode.ThemeIcon('database'),
    file,
  };
}

/** Datasets of the workspace, the given one first. */
async function findDatasets(first: string | undefined): Promise<string[]> {
  const found = await vscode.workspace.findFiles('**/*.{jsonl,ndjson}', EXCLUDE, MAX_DATASETS);
  const files = found.filter((uri) => uri.scheme === 'file').map((uri) => uri.fsPath);
  const others = files.filter((file) => file !== first).sort((a, b) => a.localeCompare(b));
  return first === undefined ? others : [first, ...others];
}

async function browseModel(): Promise<ModelDirectory | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    canSelectFiles: false,
    canSelectFolders: true,
    openLabel: t('Choose Model'),
    title: t('Directory with config.json and the weights'),
  });
  if (!chosen?.[0]) return undefined;
  try {
    return readModelDirectory(diskPath(chosen[0]));
  } catch (error) {
    const { message, remedy } = errorText(toErrorData(error));
    void vscode.window.showErrorMessage(`${message} ${remedy}`.trim());
    return undefined;
  }
}

async function browseDataset(): Promise<string | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    canSelectMany: false,
    openLabel: t('Choose Dataset'),
    filters: { JSONL: ['jsonl', 'ndjson'] },
  });
  return chosen?.[0] && diskPath(chosen[0]);
}

/** `name`, or `name-2`, ...: the first for which there is no run file yet. */
async function freeName(directory: string, name: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? name : `${name}-${number}`;
    const taken = await access(path.join(directory, `${candidate}${RUN_FILE_SUFFIX}`)).then(
      () => true,
      () => false,
    );
    if (!taken) return candidate;
  }
}

async function mayReplace(uri: vscode.Uri): Promise<boolean> {
  const exists = await access(uri.fsPath).then(
    () => true,
    () => false,
  );
  if (!exists) return true;
  const replace = t('Replace');
  const question = t('{name} exists already.', { name: path.basename(uri.fsPath) });
  return (await vscode.window.showWarningMessage(question, { modal: true }, replace)) === replace;
}
