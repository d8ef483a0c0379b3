import type { InstallErrors } from '../../protocol/errors';
import type { ErrorTable } from '../errors';

export const installErrors: ErrorTable<InstallErrors> = {
  'install.unsupportedPlatform': (t, args) => ({
    message: t('There is no engine library for {platform}.', { ...args }),
    remedy: t('Use Linux on x86-64: a Remote-SSH host, WSL or a container.'),
  }),
};
