/** `install-engine`: gets libtensorflow onto this machine. */
import { engineDirectory, installEngine as install, installedEngine } from '../../install';
import type { InstallProgress } from '../../install';
import { isGlmError } from '../../protocol/errors';
import type { CommandContext } from '../context';
import { EXIT_OK, InterruptedError } from '../exit';
import { formatBytes } from '../format';
import { interruptSignal } from '../interrupt';
import type { Progress } from '../progress';

export interface InstallEngineOptions {
  variant: 'auto' | 'cpu' | 'cuda';
  indexUrl?: string;
  from?: string;
  force?: boolean;
}

export async function installEngine(context: CommandContext, options: InstallEngineOptions): Promise<number> {
  const { output, t } = context;
  const before = options.force ? null : installedEngine();
  const view = new InstallView(context);
  const { signal, dispose } = interruptSignal();
  try {
    const engine = await install({
      variant: options.variant,
      ...(options.indexUrl === undefined ? {} : { indexUrl: options.indexUrl }),
      ...(options.from === undefined ? {} : { localFile: options.from }),
      ...(options.force === undefined ? {} : { force: options.force }),
      signal,
      onProgress: (progress) => view.show(progress),
    });
    view.end();
    const already = before?.directory === engine.directory;
    if (output.json) output.record({ ...engine, already_installed: already });
    else if (already)
      output.result(t('The engine is already installed in {path}.', { path: engine.directory }));
    else
      output.result(
        t('Installed libtensorflow {version} ({variant}) in {path}.', {
          version: engine.version,
          variant: engine.variant,
          path: engineDirectory(),
        }),
      );
    return EXIT_OK;
  } catch (error) {
    // What was downloaded is kept; the next try goes on from there.
    if (signal.aborted && isGlmError(error)) throw new InterruptedError('', { cause: error });
    throw error;
  } finally {
    view.end();
    dispose();
  }
}

/** One bar over all bytes; a line where the work changes. */
class InstallView {
  private progress: Progress | null = null;
  private phase: InstallProgress['phase'] | null = null;

  constructor(private readonly context: CommandContext) {}

  show({ phase, file, receivedBytes, totalBytes }: InstallProgress): void {
    const { output, t } = this.context;
    if (phase !== this.phase) {
      this.phase = phase;
      if (phase === 'waiting') output.info(t('Waiting for another installation to finish.'));
      if (phase === 'preparing') output.info(t('Looking for the files on the package index.'));
    }
    if (totalBytes === 0 || phase === 'waiting' || phase === 'preparing') return;
    this.progress ??= output.progress({ total: totalBytes, label: t('engine'), format: formatBytes });
    this.progress.setTotal(totalBytes);
    const doing = phase === 'unpacking' ? t('checking') : t('downloading');
    this.progress.update(receivedBytes, `${doing} ${file.split('/').at(-1) ?? file}`);
  }

  end(): void {
    this.progress?.stop();
    this.progress = null;
  }
}
