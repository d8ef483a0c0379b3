import type { SystemErrors } from '../../protocol/errors';
import type { ErrorTable } from '../errors';
import type { Translate } from '../translate';

/** The commonest faults in words; others in those of the operating system. */
function ioFault(t: Translate, args: SystemErrors['system.io']): string {
  switch (args.detail.split(':')[0]) {
    case 'ENOENT':
      return t('{path} does not exist.', { ...args });
    case 'EEXIST':
    case 'ENOTDIR':
      return t('{path} would have to be a directory, but a file is in its place.', { ...args });
    case 'EISDIR':
      return t('{path} is a directory, not a file.', { ...args });
    case 'ELOOP':
      return t('{path} is a link that leads in a circle.', { ...args });
    default:
      return t('{path}: {detail}', { ...args });
  }
}

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
    message: ioFault(t, args),
    remedy: t('Check that the file is there and can be read and written.'),
  }),
  'system.internal': (t, args) => ({
    message: t('Something unexpected happened: {detail}', { ...args }),
    remedy: t('This is a fault of ours. Please report it with the log.'),
  }),
};
