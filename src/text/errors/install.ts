import type { InstallErrors } from '../../protocol/errors';
import type { ErrorTable } from '../errors';
import type { Translate } from '../translate';

const otherIndex = (t: Translate): string =>
  t(
    'Check the network and the proxy, set another package index (setting glmtune.engine.indexUrl, option --index-url or GLMTUNE_INDEX_URL), or install from a downloaded wheel (--from). What was downloaded is kept.',
  );

export const installErrors: ErrorTable<InstallErrors> = {
  'install.unsupportedPlatform': (t, args) => ({
    message: t('There is no engine library for {platform}.', { ...args }),
    remedy: t(
      'It runs on Linux on x86-64 with glibc 2.27 or later: use a Remote-SSH host, WSL or a container. Small models are computed here by the portable engine, which needs no installation.',
    ),
  }),
  'install.badEngine': (t, args) => ({
    message: t('GLMTUNE_ENGINE names the engine {value}, which there is not.', { ...args }),
    remedy: t('Set it to one of {allowed}, or unset it.', { allowed: args.allowed }),
  }),
  'install.badIndexUrl': (t, args) => ({
    message: t('{url} is not the address of a package index.', { ...args }),
    remedy: t('Give an http or https address, such as https://pypi.org/simple.'),
  }),
  'install.badProxy': (t, args) => ({
    message: t('{proxy} is not the address of a proxy.', { ...args }),
    remedy: t('Give an http or https address, such as http://proxy.example.com:8080.'),
  }),
  'install.network': (t, args) => ({
    message: t('{url} cannot be reached: {detail}', { ...args }),
    remedy: otherIndex(t),
  }),
  'install.certificate': (t, args) => ({
    message: t('The certificate of {url} is not trusted: {detail}', { ...args }),
    remedy: t(
      'If your company uses its own certificates, set NODE_EXTRA_CA_CERTS to the file of its authority and start again.',
    ),
  }),
  'install.httpStatus': (t, args) => ({
    message: t('{url} answered with the status {status}.', { ...args }),
    remedy: otherIndex(t),
  }),
  'install.badResponse': (t, args) => ({
    message: t('{url} sent something else than was asked for: {detail}', { ...args }),
    remedy: otherIndex(t),
  }),
  'install.notOnIndex': (t, args) => ({
    message: t('The package index {index} does not have {file}.', { ...args }),
    remedy: otherIndex(t),
  }),
  'install.noLocalFile': (t, args) => ({
    message: t('The wheel {path} does not exist.', { ...args }),
    remedy: t('Give the path of the downloaded wheel, or of the directory that holds it.'),
  }),
  'install.badArchive': (t, args) => ({
    message: t('{file} is damaged or not the expected wheel: {detail}', { ...args }),
    remedy: t(
      'Try again; the damaged part is downloaded anew. If it fails again, use another package index.',
    ),
  }),
  'install.hashMismatch': (t, args) => ({
    message: t(
      '{member} in {file} is not the expected file: its sha256 is {found} instead of {expected}. It was not installed.',
      { ...args },
    ),
    remedy: t(
      'Try again; the damaged part is downloaded anew. If it fails again, use another package index.',
    ),
  }),
  'install.noSpace': (t, args) => ({
    message: t('The engine needs {needed} MB at {path}; {free} MB are free.', { ...args }),
    remedy: t('Free some space, or set GLMTUNE_HOME to a directory on another disk.'),
  }),
  'install.cancelled': (t) => ({
    message: t('The installation was cancelled.'),
    remedy: t('Start it again when you like; what was downloaded is kept.'),
  }),
};
