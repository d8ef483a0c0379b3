import type { HubErrors } from '../../protocol/errors';
import type { ErrorTable } from '../errors';
import type { Translate } from '../translate';

const kept = (t: Translate): string =>
  t(
    'Check the network and the proxy (HTTPS_PROXY), or choose another source. What was downloaded is kept: the same command goes on from there.',
  );

const otherServer = (t: Translate): string =>
  t('Start the command again. If it fails again, choose another source.');

export const hubErrors: ErrorTable<HubErrors> = {
  'hub.badProxy': (t, args) => ({
    message: t('{proxy} is not the address of a proxy.', { ...args }),
    remedy: t('Give an http or https address, such as http://proxy.example.com:8080.'),
  }),
  'hub.network': (t, args) => ({
    message: t('{url} cannot be reached: {detail}', { ...args }),
    remedy: kept(t),
  }),
  'hub.certificate': (t, args) => ({
    message: t('The certificate of {url} is not trusted: {detail}', { ...args }),
    remedy: t(
      'If your company uses its own certificates, set NODE_EXTRA_CA_CERTS to the file of its authority and start again.',
    ),
  }),
  'hub.httpStatus': (t, args) => ({
    message: t('{url} answered with the status {status}.', { ...args }),
    remedy: kept(t),
  }),
  'hub.badResponse': (t, args) => ({
    message: t('{url} sent something else than was asked for: {detail}', { ...args }),
    remedy: t('Check that the address is that of a Hugging Face hub, a mirror of one, or ModelScope.'),
  }),
  'hub.noSpace': (t, args) => ({
    message: t('The download needs {needed} MB at {path}; {free} MB are free.', { ...args }),
    remedy: t('Free some space, or choose a directory on another disk.'),
  }),
  'hub.cancelled': (t) => ({
    message: t('The download was cancelled.'),
    remedy: t('Start it again when you like: it goes on from there.'),
  }),
  'hub.badSource': (t, args) => ({
    message: t('{source} is not a source of models.', { ...args }),
    remedy: t(
      'Give huggingface, modelscope, or the http or https address of a server that works like Hugging Face.',
    ),
  }),
  'hub.badRepository': (t, args) => ({
    message: t('{repository} is not the name of a repository.', { ...args }),
    remedy: t('Give owner and name as on the page of the model, such as THUDM/chatglm3-6b.'),
  }),
  'hub.badRevision': (t, args) => ({
    message: t('{revision} is not a revision.', { ...args }),
    remedy: t('Give a branch, a tag or a commit of the repository.'),
  }),
  'hub.badToken': (t, args) => ({
    message: t('{path} holds no access token.', { ...args }),
    remedy: t('The file should hold the token alone, on one line.'),
  }),
  'hub.notFound': (t, args) => ({
    message: t('{repository} does not exist at {source}, or is private.', { ...args }),
    remedy: t(
      'Check the name. A private repository needs an access token: --token-file, or HF_TOKEN (MODELSCOPE_API_TOKEN for ModelScope).',
    ),
  }),
  'hub.noRevision': (t, args) => ({
    message: t('{repository} at {source} has no revision {revision}.', { ...args }),
    remedy: t('Give a branch, a tag or a commit of the repository.'),
  }),
  'hub.gated': (t, args) => ({
    message: t('The owner of {repository} asks for consent before it can be downloaded.', { ...args }),
    remedy: t(
      'Agree to the conditions on {page} with your account, then give an access token of that account (--token-file or HF_TOKEN).',
      { page: args.page },
    ),
  }),
  'hub.denied': (t, args) => ({
    message: t('{source} does not let you download {repository}. {detail}', { ...args }),
    remedy: t(
      'Check that the access token is valid, belongs to an account that may read the repository, and has the right to read.',
    ),
  }),
  'hub.tooManyRequests': (t, args) => ({
    message: t('{source} answers no more for now: there were too many requests.', { ...args }),
    remedy: t(
      'Start the command again in some minutes; it goes on from there. With an access token more requests are allowed.',
    ),
  }),
  'hub.unsafePath': (t, args) => ({
    message: t('The listing of {repository} has a file name that is not safe to write: {path}', { ...args }),
    remedy: t('Nothing was downloaded: neither the repository nor the server should be trusted.'),
  }),
  'hub.noCheckpoint': (t, args) => ({
    message: t('{repository} holds neither a checkpoint nor an adapter in a format that can be used.', {
      ...args,
    }),
    remedy: t('Choose another repository, or name the files that you want with --include.'),
  }),
  'hub.nothingChosen': (t, args) => ({
    message: t('No file of {repository} fits --include and --exclude.', { ...args }),
    remedy: t('The patterns are compared with whole paths; * stands for any characters, ? for one.'),
  }),
  'hub.tooLarge': (t, args) => ({
    message: t('{path} has {megabytes} MB; {limit} MB are the most for a file of its kind.', { ...args }),
    remedy: t('This is not what it seems to be. Name it with --include if you want it nevertheless.'),
  }),
  'hub.exists': (t, args) => ({
    message: t('{path} is there already and is not the file of the repository.', { ...args }),
    remedy: t('Choose another directory, or replace such files with --force.'),
  }),
  'hub.notADirectory': (t, args) => ({
    message: t('{path} is a link or a file where a directory is needed.', { ...args }),
    remedy: t('Move it away, or choose another directory.'),
  }),
  'hub.hashMismatch': (t, args) => ({
    message: t(
      '{file} is not what the server announced: its hash ({algorithm}) is {found} instead of {expected}. It was not kept.',
      { ...args },
    ),
    remedy: otherServer(t),
  }),
};
