import type { RunErrors } from '../../protocol/errors';
import type { ErrorTable } from '../errors';
import { describeFinding } from '../findings';

export const runErrors: ErrorTable<RunErrors> = {
  'run.invalidFile': (t, args) => ({
    message: t('{path} is not a valid run file:\n{problems}', { ...args }),
    remedy: t('Correct the keys named above. Completion in the editor lists what is allowed.'),
  }),
  'run.fileNotFound': (t, args) => ({
    message: t('There is no run file at {path}.', { ...args }),
    remedy: t('Check the path after --config, or make a run file with "Fine-tune ChatGLM" in the editor.'),
  }),
  'run.notJson': (t, args) => ({
    message: t('{path}:{line}:{column}: {problem}', {
      ...args,
      problem: describeFinding(t, { message: args.finding, args }),
    }),
    remedy: t('Correct the run file at this place.'),
  }),
  'run.notFound': (t, args) => ({
    message: t('There is no run at {path}.', { ...args }),
    remedy: t('Name a run directory: one that holds run.json and events.jsonl.'),
  }),
  'run.exists': (t, args) => ({
    message: t('{path} already holds a run.', { ...args }),
    remedy: t('Resume it, name another directory with --run-dir, or replace it with --overwrite.'),
  }),
  'run.adapterWithFull': (t, args) => ({
    message: t('A full fine-tuning run cannot start from the adapter {path}.', { ...args }),
    remedy: t('Set "adapter" to null, or choose the method "lora".'),
  }),
  'run.adapterKind': (t, args) => ({
    message: t('The adapter {path} cannot be trained on by the method "{method}".', { ...args }),
    remedy: t('Choose the method that made the adapter, or set "adapter" to null.'),
  }),
  'run.noCheckpoint': (t, args) => ({
    message: t('{path} has no checkpoint to resume from.', { ...args }),
    remedy: t('Start the run again, and set checkpoints.every_steps so that it can be resumed.'),
  }),
  'run.busy': (t, args) => ({
    message: t('Process {pid} is working in {path}.', { ...args }),
    remedy: t('Wait until it has ended, or stop it first.'),
  }),
  'run.incomplete': (t, args) => ({
    message: t('{path} cannot be resumed. Missing: {missing}', { ...args }),
    remedy: t('Put the missing files back where they were, or start a new run.'),
  }),
  'run.checkpointNotFound': (t, args) => ({
    message: t('{path} has no complete checkpoint {checkpoint}. There are: {available}', { ...args }),
    remedy: t('Name one of these after --checkpoint, or leave the option out to take the newest.'),
  }),
  'run.changed': (t, args) => ({
    message: t('{path} has changed since the run started.', { ...args }),
    remedy: t('Put the original file back, or start a new run whose "adapter" is the last checkpoint.'),
  }),
  'run.finished': (t, args) => ({
    message: t('The run in {path} is finished: there is nothing to resume.', { ...args }),
    remedy: t('To train longer, start a new run whose "adapter" is the result of this one.'),
  }),
};
