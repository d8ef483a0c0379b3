import type { HostErrors } from '../../protocol/errors';
import type { ErrorTable } from '../errors';

export const hostErrors: ErrorTable<HostErrors> = {
  'host.nodeUnusable': (t, args) => ({
    message: args.version
      ? t('{path} is Node {version}; the engine needs Node {minimum} or later.', { ...args })
      : t('{path} is not a Node executable.', { ...args }),
    remedy: t('Change the setting glmtune.engine.nodePath, or clear it to let the extension choose.'),
  }),
  'host.untrusted': (t) => ({
    message: t('Training and chatting run programs, which this workspace is not trusted to do.'),
    remedy: t('Trust the workspace first. Checking datasets works without.'),
  }),
  'host.notOnDisk': (t, args) => ({
    message: t('{path} is not a file on the disk of the machine that runs the extension.', { ...args }),
    remedy: t('Save it into a folder on that machine first.'),
  }),
  'host.processEnded': (t, args) => ({
    message: t('The training process ended with code {code}: {detail}', { ...args }),
    remedy: t('Its log has the details.'),
  }),
  'host.chatEnded': (t, args) => ({
    message: t('The chat process ended unexpectedly. {detail}', { ...args }),
    remedy: t('Send the message again: the process is started anew and the conversation is kept.'),
  }),
  'host.noAnswer': (t, args) => ({
    message: t('The process of the run in {path} does not answer.', { ...args }),
    remedy: t('It may be in a long step. Wait a moment and try again.'),
  }),
};
