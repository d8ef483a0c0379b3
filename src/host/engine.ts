/** What computes: is it there, and getting it. */
import * as vscode from 'vscode';
import type { InstallProgress } from '../install';
import { Disposable } from './lifecycle';
import type { Log } from './log';
import type { Failures } from './failures';
import { CONFIGURATION, SETTINGS } from './names';
import { indexUrlSetting, proxySetting, variantSetting } from './settings';
import { t } from './translate';
import { requireTrust } from './trust';

export class Engine extends Disposable {
  private readonly changed = this._register(new vscode.EventEmitter<void>());
  /** The engine was installed, or another one chosen. */
  readonly onDidChange = this.changed.event;
  private installing: Promise<boolean> | null = null;
  private saidPortable = false;

  constructor(
    private readonly failures: Failures,
    private readonly log: Log,
  ) {
    super();
    this._register(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(`${CONFIGURATION}.${SETTINGS.variant}`)) this.changed.fire();
      }),
    );
  }

  /** Whether something can compute: the installed library, or the portable engine where it was chosen or nothing else runs here. */
  async isReady(): Promise<boolean> {
    const { installedEngine } = await import('../install');
    return (await this.isPortable()) || installedEngine() !== null;
  }

  private async isPortable(): Promise<boolean> {
    const { choosesPortable } = await import('../install');
    return choosesPortable(variantSetting() === 'wasm' ? 'wasm' : undefined);
  }

  /** True where something can compute, or the user let the library be installed now. */
  async ensureReady(): Promise<boolean> {
    await this.sayWherePortable();
    if (await this.isReady()) return true;
    const install = t('Install Engine');
    const choice = await vscode.window.showInformationMessage(
      t('The training engine is not installed yet.'),
      {
        modal: true,
        detail: t(
          'It is downloaded once (about 200 MB for the processor, 3 GB for an NVIDIA GPU), checked, and shared by all workspaces and the command line.',
        ),
      },
      install,
    );
    return choice === install && (await this.install());
  }

  /** Says once in a session that the portable engine computes, where it does. */
  async sayWherePortable(): Promise<void> {
    if (this.saidPortable || !(await this.isPortable())) return;
    this.saidPortable = true;
    void vscode.window.showInformationMessage(
      t(
        'The portable engine (WebAssembly) computes here, without an installation. It is for small models such as the practice model, and several times slower than on Linux with an x86-64 processor.',
      ),
    );
  }

  /** Installs with a progress notification; a second call joins the first. */
  install(): Promise<boolean> {
    this.installing ??= this.installNow().finally(() => (this.installing = null));
    return this.installing;
  }

  private async installNow(): Promise<boolean> {
    requireTrust();
    const options: vscode.ProgressOptions = {
      location: vscode.ProgressLocation.Notification,
      title: t('Installing the ChatGLM engine'),
      cancellable: true,
    };
    const installed = await vscode.window.withProgress(options, async (progress, token) => {
      const abort = new AbortController();
      token.onCancellationRequested(() => abort.abort());
      try {
        await this.download(progress, abort.signal);
        return true;
      } catch (error) {
        if (!abort.signal.aborted) {
          this.failures.show(error, [{ title: t('Try Again'), run: () => this.install() }]);
        }
        return false;
      }
    });
    if (installed) {
      this.changed.fire();
      void vscode.window.showInformationMessage(t('The ChatGLM engine is ready.'));
    }
    return installed;
  }

  private async download(
    progress: vscode.Progress<{ message?: string; increment?: number }>,
    signal: AbortSignal,
  ): Promise<void> {
    // Loaded when needed: the installer's network code is the largest part of the bundle.
    const { installEngine } = await import('../install');
    const indexUrl = indexUrlSetting();
    const proxy = proxySetting();
    const variant = variantSetting();
    let percent = 0;
    const engine = await installEngine({
      variant: variant === 'wasm' ? 'auto' : variant,
      ...(indexUrl ? { indexUrl } : {}),
      ...(proxy ? { proxy } : {}),
      signal,
      onProgress: (now) => {
        const reached = now.totalBytes > 0 ? (100 * now.receivedBytes) / now.totalBytes : 0;
        progress.report({ message: progressText(now), increment: Math.max(0, reached - percent) });
        percent = Math.max(percent, reached);
      },
    });
    this.log.info(`engine ${engine.version} (${engine.variant}) in ${engine.directory}`);
  }
}

function progressText(progress: InstallProgress): string {
  const megabytes = (bytes: number): string => Math.round(bytes / 1e6).toLocaleString(vscode.env.language);
  switch (progress.phase) {
    case 'waiting':
      return t('waiting for another installation to finish');
    case 'preparing':
      return t('looking for the files');
    case 'downloading':
      return t('{received} of {total} MB', {
        received: megabytes(progress.receivedBytes),
        total: megabytes(progress.totalBytes),
      });
    case 'unpacking':
      return t('checking {file}', { file: progress.file });
  }
}
