/** Multi-step quick input: "step x of y", a back button, and answers kept when going back. */
import * as vscode from 'vscode';
import type { IDisposable } from '../../host/lifecycle';

export interface StepPlace {
  title: string;
  step: number;
  totalSteps: number;
  /** Offer the back button. */
  back: boolean;
}

export interface PickStep<T extends vscode.QuickPickItem> extends StepPlace {
  placeholder: string;
  items: Promise<readonly T[]>;
  /** The item to have chosen from the start. */
  isActive(item: T): boolean;
}

export interface InputStep extends StepPlace {
  prompt: string;
  value: string;
  validate(value: string): string | null;
}

/** What a step ended with; undefined: the user left the wizard. */
export type StepResult<T> = { value: T } | 'back' | undefined;

export function pickStep<T extends vscode.QuickPickItem>(step: PickStep<T>): Promise<StepResult<T>> {
  const input = vscode.window.createQuickPick<T>();
  input.placeholder = step.placeholder;
  input.matchOnDescription = true;
  input.busy = true;
  void step.items.then((items) => {
    input.items = items;
    const active = items.filter((item) => step.isActive(item)).slice(0, 1);
    if (active.length > 0) input.activeItems = active;
    input.busy = false;
  });
  return show(input, step, () => {
    const item = input.selectedItems[0];
    return item && { value: item };
  });
}

export function inputStep(step: InputStep): Promise<StepResult<string>> {
  const input = vscode.window.createInputBox();
  input.prompt = step.prompt;
  input.value = step.value;
  const check = (): boolean => {
    const problem = step.validate(input.value.trim());
    input.validationMessage = problem ?? undefined;
    return problem === null;
  };
  input.onDidChangeValue(check);
  return show(input, step, () => (check() ? { value: input.value.trim() } : undefined));
}

type Input = vscode.QuickInput & {
  buttons: readonly vscode.QuickInputButton[];
  onDidAccept: vscode.Event<void>;
  onDidTriggerButton: vscode.Event<vscode.QuickInputButton>;
};

/** @param accept the answer, or undefined where there is none yet */
function show<T>(
  input: Input,
  place: StepPlace,
  accept: () => { value: T } | undefined,
): Promise<StepResult<T>> {
  input.title = place.title;
  input.step = place.step;
  input.totalSteps = place.totalSteps;
  input.ignoreFocusOut = true;
  input.buttons = place.back ? [vscode.QuickInputButtons.Back] : [];
  return new Promise<StepResult<T>>((resolve) => {
    const listeners: IDisposable[] = [
      input.onDidAccept(() => {
        const answer = accept();
        if (answer) finish(answer);
      }),
      input.onDidTriggerButton(() => finish('back')),
      input.onDidHide(() => finish(undefined)),
    ];
    const finish = (result: StepResult<T>): void => {
      resolve(result);
      listeners.forEach((listener) => listener.dispose());
      input.dispose();
    };
    input.show();
  });
}
