import type { SystemErrors } from '../../protocol/errors';
import type { ErrorTable } from '../errors';

export const systemErrors: ErrorTable<SystemErrors> = {
  'system.noSpace': (t, args) => ({
    message: t('No space is left on the disk that holds {path}.', { ...args }),
    remedy: t('Free some space, then try again. Nothing half-written was kept.'),
  }),
  'system.noPermission': (t, args) => ({
    message: t('Permission denied: {path}', { ...args }),
    remedy: t('Choose another place, or change the permissions of this one.'),
  }),
  'system.io': (t, args) => ({
    message: t('{path}: {detail}', { ...args }),
    remedy: t('Check that the file is there and can be read and written.'),
  }),
  'system.internal': (t, args) => ({
    message: t('Something unexpected happened: {detail}', { ...args }),
    remedy: t('This is a fault of ours. Please report it with the log.'),
  }),
};
