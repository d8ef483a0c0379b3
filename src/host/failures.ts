/** Showing failures: what happened, what to do, and the log. */
import * as vscode from 'vscode';
import { toErrorData, type ErrorData } from '../protocol/errors';
import { describeError, type ErrorText } from '../text/errors';
import type { Log } from './log';
import { t } from './translate';

/** A button on an error notification. */
export interface FailureAction {
  title: string;
  run(): unknown;
}

/** The sentence and remedy of an error; `fallback` serves codes of a later version. */
export function errorText(error: ErrorData, fallback = ''): ErrorText {
  try {
    return describeError(t, error);
  } catch {
    return { message: fallback || error.code, remedy: '' };
  }
}

export class Failures {
  constructor(private readonly log: Log) {}

  /** Logs anything thrown and shows it with its remedy. */
  show(error: unknown, actions: FailureAction[] = []): void {
    this.log.error(error instanceof Error ? error : String(error));
    this.showText(errorText(toErrorData(error)), actions);
  }

  showText(text: ErrorText, actions: FailureAction[] = []): void {
    const showLog: FailureAction = { title: t('Show Log'), run: () => this.log.show() };
    const offered = [...actions, showLog];
    const message = text.remedy ? `${text.message} ${text.remedy}` : text.message;
    void vscode.window.showErrorMessage(message, ...offered.map((action) => action.title)).then((title) => {
      const chosen = offered.find((action) => action.title === title);
      if (chosen) void this.guard(async () => chosen.run());
    });
  }

  /** Runs an event or command handler; what it throws is shown. */
  async guard<T>(handler: () => Promise<T> | T): Promise<T | undefined> {
    try {
      return await handler();
    } catch (error) {
      if (!(error instanceof vscode.CancellationError)) this.show(error);
      return undefined;
    }
  }
}
