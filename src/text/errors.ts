/** Sentences and remedies for every error code. */
import { toErrorData, type ErrorArguments, type ErrorCode, type ErrorData } from '../protocol/errors';
import { adapterErrors } from './errors/adapter';
import { chatErrors } from './errors/chat';
import { checkpointErrors } from './errors/checkpoint';
import { datasetErrors } from './errors/dataset';
import { engineErrors } from './errors/engine';
import { hostErrors } from './errors/host';
import { hubErrors } from './errors/hub';
import { inputErrors } from './errors/input';
import { installErrors } from './errors/install';
import { runErrors } from './errors/run';
import { systemErrors } from './errors/system';
import { tokenizerErrors } from './errors/tokenizer';
import type { Translate } from './translate';

/** What happened and where, and what to do about it. */
export interface ErrorText {
  message: string;
  remedy: string;
}

export type ErrorTable<Errors> = { [C in keyof Errors]: (t: Translate, args: Errors[C]) => ErrorText };

const table: ErrorTable<ErrorArguments> = {
  ...adapterErrors,
  ...chatErrors,
  ...checkpointErrors,
  ...datasetErrors,
  ...engineErrors,
  ...hostErrors,
  ...hubErrors,
  ...inputErrors,
  ...installErrors,
  ...runErrors,
  ...systemErrors,
  ...tokenizerErrors,
};

/** The text of an error in the language of `t`. */
export function describeError(t: Translate, error: ErrorData): ErrorText {
  const describe = table[error.code] as (t: Translate, args: ErrorData['args']) => ErrorText;
  return describe(t, error.args);
}

/** The text of anything thrown. */
export function describeThrown(t: Translate, error: unknown): ErrorText {
  return describeError(t, toErrorData(error));
}

export type { ErrorCode };
