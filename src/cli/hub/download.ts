/** `download REPOSITORY`: gets a model or an adapter, and says what it is. */
import path from 'node:path';
import { text as readText } from 'node:stream/consumers';
import {
  downloadRepository,
  repositoryName,
  requireRepository,
  requireToken,
  resolveSource,
  resolveToken,
} from '../../hub';
import type { DownloadEvent, DownloadResult } from '../../protocol/download';
import { isGlmError } from '../../protocol/errors';
import type { CommandContext } from '../context';
import { EXIT_OK, InterruptedError } from '../exit';
import { formatBytes } from '../format';
import { interruptSignal } from '../interrupt';
import type { Progress } from '../progress';
import { reportDownload } from './reportDownload';

export interface DownloadCommandOptions {
  source: string;
  revision?: string;
  to?: string;
  tokenFile?: string;
  include?: string[];
  exclude?: string[];
  force?: boolean;
}

export async function download(
  context: CommandContext,
  options: DownloadCommandOptions,
  [operand]: readonly string[],
): Promise<number> {
  const { output, t } = context;
  const repository = requireRepository(operand ?? '');
  const source = resolveSource(options.source);
  const token =
    options.tokenFile === '-'
      ? requireToken((await readText(process.stdin)).trim(), '-')
      : await resolveToken(source, options.tokenFile);
  const { signal, dispose } = interruptSignal();
  const readerGone = new AbortController();
  const view = new DownloadView(context, () => readerGone.abort());
  let result: DownloadResult;
  try {
    result = await downloadRepository({
      source,
      repository,
      token,
      directory: path.resolve(options.to ?? repositoryName(repository)),
      include: options.include ?? [],
      exclude: options.exclude ?? [],
      ...(options.revision === undefined ? {} : { revision: options.revision }),
      ...(options.force === undefined ? {} : { force: options.force }),
      signal: AbortSignal.any([signal, readerGone.signal]),
      onEvent: (event) => view.show(event),
    });
  } catch (error) {
    if (isGlmError(error) && error.code === 'hub.cancelled') {
      view.end();
      output.info(t('What was downloaded is kept: the same command goes on from there.'));
      throw new InterruptedError('', { cause: error });
    }
    throw error;
  } finally {
    view.end();
    dispose();
  }
  await reportDownload(context, result);
  return EXIT_OK;
}

/** One bar over all bytes; with --json every event is a line. */
class DownloadView {
  private progress: Progress | null = null;

  constructor(
    private readonly context: CommandContext,
    private readonly onReaderGone: () => void,
  ) {}

  show(event: DownloadEvent): void {
    const { output, t } = this.context;
    if (output.json) {
      output.record(event);
      // The editor that asked is gone: nobody waits for the files any more.
      if (output.closed) this.onReaderGone();
      return;
    }
    if (event.type === 'plan') {
      const { repository, source, directory, files, total_bytes } = event;
      const size = formatBytes(total_bytes);
      output.info(t('{repository} from {source}', { repository, source }));
      output.info(t('Files: {count}, {size}, to {directory}', { count: files.length, size, directory }));
      return;
    }
    const { phase, file, received_bytes, total_bytes, pause_ms = 0 } = event;
    if (phase === 'listing') output.info(t('Asking for the list of files.'));
    if (phase === 'waiting')
      output.info(t('Waiting for another download into the same directory to finish.'));
    if (phase === 'paused')
      output.info(t('The server asks to wait {seconds} s.', { seconds: Math.ceil(pause_ms / 1000) }));
    if (phase !== 'downloading' && phase !== 'checking') return;
    this.progress ??= output.progress({ total: total_bytes, label: t('model'), format: formatBytes });
    const doing = phase === 'checking' ? t('checking') : t('downloading');
    this.progress.update(received_bytes, `${doing} ${file}`);
  }

  end(): void {
    this.progress?.stop();
    this.progress = null;
  }
}
