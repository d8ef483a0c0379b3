import type { CheckpointErrors } from '../../protocol/errors';
import type { ErrorTable } from '../errors';

export const checkpointErrors: ErrorTable<CheckpointErrors> = {
  'checkpoint.notFound': (t, args) => ({
    message: t('There is no model directory at {path}.', { ...args }),
    remedy: t('Choose the directory that holds config.json and the weights.'),
  }),
  'checkpoint.noConfig': (t, args) => ({
    message: t('{path} has no config.json.', { ...args }),
    remedy: t('Choose the directory that holds config.json and the weights.'),
  }),
  'checkpoint.noWeights': (t, args) => ({
    message: t('{path} has no model.safetensors and no model.safetensors.index.json.', { ...args }),
    remedy: t('Download the weights again, or choose another model directory.'),
  }),
};
