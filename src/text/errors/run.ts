import type { RunErrors } from '../../protocol/errors';
import type { ErrorTable } from '../errors';

export const runErrors: ErrorTable<RunErrors> = {
  'run.invalidFile': (t, args) => ({
    message: t('{path} is not a valid run file:\n{problems}', { ...args }),
    remedy: t('Correct the keys named above. Completion in the editor lists what is allowed.'),
  }),
  'run.notFound': (t, args) => ({
    message: t('There is no run at {path}.', { ...args }),
    remedy: t('Name a run directory: one that holds run.json and events.jsonl.'),
  }),
  'run.exists': (t, args) => ({
    message: t('{path} already holds a run.', { ...args }),
    remedy: t('Resume it, delete it, or give the new run another name or "output_dir".'),
  }),
  'run.noCheckpoint': (t, args) => ({
    message: t('{path} has no checkpoint to resume from.', { ...args }),
    remedy: t('Start the run again, and set checkpoints.every_steps so that it can be resumed.'),
  }),
};
